package ptx

import (
	"math"
	"slices"
)

// rule is a row of Samples.Rules.
type rule struct {
	Temperature                                    float32
	TopK                                           int32
	TopP, MinP, Repetition, Presence, Frequency, _ float32
	Seed                                           uint64
	Prompt, Logprobs                               int32
	Bias                                           [2]int32
	Mask, _                                        int32
}

type biasEntry struct {
	ID    int32
	Value float32
}

var minusInf = float32(math.Inf(-1))

// expectToken is the definition in Sample's doc, read plainly: x are the raw logits, tokens the pool's row up to the
// position to draw for, mask nil for none.
func expectToken(x []float32, tokens []int32, r *rule, bias []biasEntry, mask []uint32) int32 {
	for _, v := range x {
		if !(v < float32(math.Inf(1))) {
			return -1
		}
	}
	z := editedLogits(x, tokens, r, bias, mask)
	greedy, inv := !(r.Temperature >= 1e-5), 1/r.Temperature
	var order []int32
	for i := range z {
		if !greedy {
			z[i] *= inv
		}
		if z[i] > minusInf {
			order = append(order, int32(i))
		}
	}
	if len(order) == 0 {
		return -1
	}
	slices.SortFunc(order, func(a, b int32) int {
		switch {
		case z[a] > z[b] || z[a] == z[b] && a < b:
			return -1
		}
		return 1
	})
	if greedy {
		return order[0]
	}
	return draw(z, kept(z, order, r), uint32(len(tokens)), r.Seed)
}

func editedLogits(x []float32, tokens []int32, r *rule, bias []biasEntry, mask []uint32) []float32 {
	z := slices.Clone(x)
	for _, e := range bias[r.Bias[0]:r.Bias[1]] {
		z[e.ID] += e.Value
	}
	seen, count := map[int32]bool{}, map[int32]int{}
	for i, id := range tokens {
		seen[id] = true
		if i >= int(r.Prompt) {
			count[id]++
		}
	}
	for id := range seen {
		if r.Repetition != 0 && r.Repetition != 1 {
			if z[id] > 0 {
				z[id] /= r.Repetition
			} else {
				z[id] *= r.Repetition
			}
		}
		if n := count[id]; n > 0 {
			z[id] -= float32(r.Frequency * float32(n))
			z[id] -= r.Presence
		}
	}
	for i := range z {
		if mask != nil && mask[i/32]>>(i%32)&1 == 0 {
			z[i] = minusInf
		}
	}
	return z
}

// kept cuts order by top-k, top-p and min-p.
func kept(z []float32, order []int32, r *rule) []int32 {
	top := z[order[0]]
	if r.TopK > 0 && int(r.TopK) < min(len(order), len(z)) {
		order = order[:r.TopK]
	}
	if r.TopP < 1 {
		var total, sum uint64
		for _, id := range order {
			total += uint64(expOf(z[id]-top) * 0x1p31)
		}
		target := uint64(math.Ceil(float64(max(r.TopP, 0)) * float64(total)))
		n := 0
		for n == 0 || sum < target {
			sum += uint64(expOf(z[order[n]]-top) * 0x1p31)
			n++
		}
		order = order[:n]
	}
	return slices.DeleteFunc(slices.Clone(order), func(id int32) bool { return r.MinP > 0 && expOf(z[id]-top) < r.MinP })
}

func draw(z []float32, order []int32, pos uint32, seed uint64) int32 {
	id, best := int32(-1), minusInf
	for _, i := range order {
		word := philox([4]uint32{uint32(i) / 4, pos}, [2]uint32{uint32(seed), uint32(seed >> 32)})[i%4]
		if s := z[i] + gumbel(word); s > best || s == best && i < id {
			id, best = i, s
		}
	}
	return id
}

func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		a, b := 0xD2511F53*uint64(c[0]), 0xCD9E8D57*uint64(c[2])
		c = [4]uint32{uint32(b>>32) ^ c[1] ^ k[0], uint32(b), uint32(a>>32) ^ c[3] ^ k[1], uint32(a)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// gumbel, splitLog, logOf and expOf are those of src/sample.cuh. The conversions keep the compiler from fusing.
func gumbel(r uint32) float32 {
	v := min(float32(float32(r)*0x1p-32)+0x1p-33, 1-0x1p-24)
	if v < 0.25 {
		return -splitLog(-logOf(-v, 0))
	}
	return -splitLog(-splitLog(1 - v))
}

func splitLog(x float32) float32 {
	b := math.Float32bits(x)
	e := int32(b-0x3f3504f3) >> 23
	return logOf(math.Float32frombits(b-uint32(e)<<23)-1, e)
}

func logOf(f float32, e int32) float32 {
	p := horner(f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
		2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	z, n := float32(f*f), float32(e)
	y := float32(float32(p*f)*z) + float32(-2.12194440e-4*n)
	y -= float32(0.5 * z)
	return float32(f+y) + float32(0.693359375*n)
}

func expOf(x float32) float32 {
	if x < -64 {
		return 0
	}
	n := float32(math.Floor(float64(float32(x*1.44269504) + 0.5)))
	r := float32(x-float32(n*0.693359375)) - float32(n*-2.12194440e-4)
	p := horner(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	y := float32(float32(p*float32(r*r))+r) + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}

func horner(x float32, c ...float32) float32 {
	p := c[0]
	for _, k := range c[1:] {
		p = float32(p*x) + k
	}
	return p
}
