package backendtest

import (
	"cmp"
	"math"
	"slices"

	"github.com/weft-llm/weft/backend"
)

// This file defines sampling. Ids are the same to the bit on every backend: all arithmetic is float32, each operation
// rounded by itself, and sums are integers.

// sample returns the next token for raw logits x of a request that holds tokens; -1 when there is none to draw.
func sample(x []float32, p backend.Sampling, tokens []int32, bias []backend.Bias, mask []uint32) int32 {
	if !drawable(x) {
		return -1
	}
	l := slices.Clone(x)
	for _, e := range bias {
		l[e.ID] += e.Value
	}
	for i := range l {
		l[i] = penalised(l[i], int32(i), p, tokens)
		if mask != nil && mask[i/32]>>(i%32)&1 == 0 {
			l[i] = float32(math.Inf(-1))
		}
	}
	if !drawable(l) {
		return -1
	}
	if p.Temperature < 1e-5 {
		return ordered(l)[0]
	}
	inv := 1 / p.Temperature
	for i := range l {
		l[i] = float32(l[i] * inv)
	}
	best, score := int32(-1), float32(math.Inf(-1))
	for _, id := range kept(l, p) {
		noise := philox([4]uint32{uint32(id) / 4, uint32(len(tokens))}, [2]uint32{uint32(p.Seed), uint32(p.Seed >> 32)})
		s := l[id] + gumbel(noise[id%4])
		if s > score || s == score && id < best {
			best, score = id, s
		}
	}
	return best
}

// drawable reports whether x holds no NaN and no +Inf, and is not -Inf throughout.
func drawable(x []float32) bool {
	some := false
	for _, v := range x {
		if v != v || math.IsInf(float64(v), 1) {
			return false
		}
		some = some || !math.IsInf(float64(v), -1)
	}
	return some
}

func penalised(l float32, id int32, p backend.Sampling, tokens []int32) float32 {
	if slices.Contains(tokens, id) && p.Repetition != 0 && p.Repetition != 1 {
		if l > 0 {
			l = l / p.Repetition
		} else {
			l = l * p.Repetition
		}
	}
	n := 0
	for i, t := range tokens {
		if t == id && i >= int(p.Prompt) {
			n++
		}
	}
	if n > 0 {
		l = l - float32(p.Frequency*float32(n))
		l = l - p.Presence
	}
	return l
}

// ordered returns the ids that are not -Inf, largest first, lower ids first among equals.
func ordered(l []float32) []int32 {
	var ids []int32
	for i, v := range l {
		if !math.IsInf(float64(v), -1) {
			ids = append(ids, int32(i))
		}
	}
	slices.SortStableFunc(ids, func(a, b int32) int { return cmp.Compare(l[b], l[a]) })
	return ids
}

// kept applies top-k, top-p and min-p.
func kept(z []float32, p backend.Sampling) []int32 {
	ids := ordered(z)
	if p.TopK > 0 {
		ids = ids[:min(int(p.TopK), len(ids))]
	}
	top := z[ids[0]]
	if p.TopP < 1 {
		total, have := uint64(0), uint64(0)
		for _, id := range ids {
			total += weigh(z[id] - top)
		}
		want := uint64(math.Ceil(float64(max(p.TopP, 0)) * float64(total)))
		for i, id := range ids {
			if have += weigh(z[id] - top); have >= want {
				ids = ids[:i+1]
				break
			}
		}
	}
	return slices.DeleteFunc(ids, func(id int32) bool { return p.MinP > 0 && expf(z[id]-top) < p.MinP })
}

// weigh returns e^x in units of 2^-31, truncated.
func weigh(x float32) uint64 { return uint64(expf(x) * (1 << 31)) }

// philox is Philox4x32-10 (Salmon et al. 2011).
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(0xD2511F53)*uint64(c[0]), uint64(0xCD9E8D57)*uint64(c[2])
		c = [4]uint32{uint32(p1>>32) ^ c[1] ^ k[0], uint32(p1), uint32(p0>>32) ^ c[3] ^ k[1], uint32(p0)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// gumbel returns -log(-log(1-v)), v = (r+1/2)/2^32 rounded to float32, at most 1-2^-24.
func gumbel(r uint32) float32 {
	v := float32(float32(r)*0x1p-32) + 0x1p-33
	v = min(v, 1-0x1p-24)
	f, e := -v, int32(0) // log(1-v) without cancellation
	if v >= 0.25 {
		f, e = split(1 - v)
	}
	f, e = split(-logf(f, e))
	return -logf(f, e)
}

// split writes a positive normal x as (1+f)·2^e with 1+f in [sqrt(1/2), sqrt(2)).
func split(x float32) (f float32, e int32) {
	i := math.Float32bits(x)
	e = int32(i-0x3f3504f3) >> 23
	return math.Float32frombits(i-uint32(e)<<23) - 1, e
}

// horner evaluates a polynomial, highest power first, each operation rounded.
func horner(x float32, c ...float32) float32 {
	p := c[0]
	for _, next := range c[1:] {
		p = float32(p*x) + next
	}
	return p
}

// logf returns log((1+f)·2^e), the polynomial of Cephes' logf.
func logf(f float32, e int32) float32 {
	p := horner(f, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	z, n := float32(f*f), float32(e)
	y := float32(float32(p*f)*z) + float32(-2.12194440e-4*n)
	y = y - float32(0.5*z)
	return float32(f+y) + float32(0.693359375*n)
}

// expf returns e^x for x <= 0, 0 below -64: the polynomial of Cephes' expf.
func expf(x float32) float32 {
	if !(x >= -64) {
		return 0
	}
	n := float32(math.Floor(float64(float32(x*1.44269504) + 0.5)))
	r := float32(x-float32(n*0.693359375)) - float32(n*-2.12194440e-4)
	p := horner(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	y := float32(float32(p*float32(r*r))+r) + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}
