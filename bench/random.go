package bench

import "math/bits"

// Random is Python's random.Random for a small non-negative seed: the Mersenne Twister MT19937 (Matsumoto & Nishimura
// 1998) with Python's seeding and randint, so that workloads written in Python are the same here to the token.
type Random struct {
	state [624]uint32
	next  int
}

// NewRandom is Python's random.seed(seed).
func NewRandom(seed uint32) *Random {
	r := &Random{}
	r.seed(19650218)
	s := &r.state
	i, n := 1, len(s)
	for range n {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1664525) + seed // a key of one word: its index is always 0
		if i++; i == n {
			s[0], i = s[n-1], 1
		}
	}
	for range n - 1 {
		s[i] = (s[i] ^ (s[i-1]^s[i-1]>>30)*1566083941) - uint32(i)
		if i++; i == n {
			s[0], i = s[n-1], 1
		}
	}
	s[0] = 1 << 31
	r.next = n
	return r
}

func (r *Random) seed(x uint32) {
	r.state[0] = x
	for i := 1; i < len(r.state); i++ {
		x = 1812433253*(x^x>>30) + uint32(i)
		r.state[i] = x
	}
}

// Uint32 returns the generator's next 32 bits.
func (r *Random) Uint32() uint32 {
	if r.next == len(r.state) {
		r.twist()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *Random) twist() {
	s := &r.state
	n := len(s)
	for i := range s {
		y := s[i]&(1<<31) | s[(i+1)%n]&(1<<31-1)
		s[i] = s[(i+397)%n] ^ y>>1 ^ (y&1)*0x9908b0df
	}
	r.next = 0
}

// Int is Python's random.randint: uniform over lo to hi, both included, hi-lo under 2³¹.
func (r *Random) Int(lo, hi int) int {
	n := uint32(hi - lo + 1)
	shift := 32 - bits.Len32(n)
	for {
		if x := r.Uint32() >> shift; x < n {
			return lo + int(x)
		}
	}
}

// Job is one request of a workload: a prompt, and how many tokens to generate after it.
type Job struct {
	Prompt []int32
	Output int
}

// NanoVLLM is the offline workload that nano-vLLM and mini-SGLang publish figures for: 256 prompts of 100 to 1024
// random ids in 0 to 10000, 100 to 1024 tokens generated for each: 142,827 tokens in, 133,966 out.
func NanoVLLM() []Job {
	r := NewRandom(0)
	jobs := make([]Job, 256)
	for i := range jobs {
		jobs[i].Prompt = make([]int32, r.Int(100, 1024))
		for j := range jobs[i].Prompt {
			jobs[i].Prompt[j] = int32(r.Int(0, 10000))
		}
	}
	for i := range jobs {
		jobs[i].Output = r.Int(100, 1024)
	}
	return jobs
}
