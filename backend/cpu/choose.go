package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/weft-llm/weft/backend"
)

// leastTemperature is where sampling begins; below it the largest logit is taken.
const leastTemperature = 1e-5

// choose picks a token from modified logits, which it divides by the temperature; -1 when all are -Inf.
func (k *kernels) choose(z []float32, ws *workspace, p *backend.Sampling, pos uint32) int32 {
	_, best := k.largest(z)
	if best < 0 || p.Temperature < leastTemperature {
		return best
	}
	inv := 1 / p.Temperature
	for i := range z {
		z[i] *= inv
	}
	d := draw{
		pos:   pos,
		key:   [2]uint32{uint32(p.Seed), uint32(p.Seed >> 32)},
		minP:  p.MinP,
		zmax:  z[best],
		id:    -1,
		score: float32(math.Inf(-1)),
	}
	topK := p.TopK > 0 && int(p.TopK) < len(z)
	if !topK && !(p.TopP < 1) {
		d.all(z)
		return d.id
	}
	n := len(z)
	if topK {
		n = int(p.TopK)
	}
	for _, c := range keep(z, ws.list, n, p.TopP, d.zmax) {
		d.try(c)
	}
	return d.id
}

// largest returns the largest value and its index, the first among equals; the index is -1 when all are -Inf or one
// is NaN.
func (k *kernels) largest(z []float32) (top float32, id int32) {
	n, rest := len(z)&^31, len(z)&31
	top = float32(math.Inf(-1))
	if rest > 0 {
		top = maxGo(&z[n], rest)
	}
	if n > 0 {
		top = max(top, k.max(&z[0], n)) // NaN when either is
	}
	if top != top || math.IsInf(float64(top), -1) {
		return top, -1
	}
	i := 0
	if n > 0 {
		i = k.index(&z[0], n, top)
	}
	if i == n {
		i += indexGo(&z[n], rest, top)
	}
	return top, int32(i)
}

// keep returns the first k of z in descending order (lower ids first among equals), cut where their probabilities
// reach topP. list has room for all of z.
func keep(z []float32, list []candidate, k int, topP, zmax float32) []candidate {
	total := uint64(0)
	if k >= len(z) {
		for _, v := range z {
			total += weigh(v, zmax)
		}
	}
	// Only what is within reach of the maximum needs sorting; reach grows until the wanted prefix lies inside.
	for reach := float32(4); ; reach *= 2 {
		everything := reach > 256
		list = list[:0]
		for i, v := range z {
			if v >= zmax-reach || everything && v > float32(math.Inf(-1)) {
				list = append(list, candidate{v, int32(i)})
			}
		}
		if k < len(z) {
			if len(list) < k && !everything {
				continue
			}
			order(list)
			list = list[:min(k, len(list))]
			return prefix(list, topP, zmax, sum(list, zmax))
		}
		if everything || sum(list, zmax) >= target(topP, total) {
			order(list)
			return prefix(list, topP, zmax, total)
		}
	}
}

func order(list []candidate) {
	slices.SortFunc(list, func(a, b candidate) int {
		if a.z != b.z {
			return cmp.Compare(b.z, a.z)
		}
		return cmp.Compare(a.id, b.id)
	})
}

// prefix returns the shortest non-empty prefix of an ordered list that weighs topP of total.
func prefix(list []candidate, topP, zmax float32, total uint64) []candidate {
	if !(topP < 1) {
		return list
	}
	want, have := target(topP, total), uint64(0)
	for i, c := range list {
		if have += weigh(c.z, zmax); have >= want {
			return list[:i+1]
		}
	}
	return list
}

func target(topP float32, total uint64) uint64 {
	return uint64(math.Ceil(float64(max(topP, 0)) * float64(total)))
}

func sum(list []candidate, zmax float32) uint64 {
	total := uint64(0)
	for _, c := range list {
		total += weigh(c.z, zmax)
	}
	return total
}

// weigh returns e^(z-zmax) in units of 2^-31.
func weigh(z, zmax float32) uint64 { return uint64(expf(z-zmax) * (1 << 31)) }

// draw is the search for the largest z + Gumbel noise.
type draw struct {
	pos        uint32
	key        [2]uint32
	minP, zmax float32
	id         int32
	score      float32
	block      [4]uint32 // noise of ids 4·group to 4·group+3
	group      uint32
	filled     bool
}

func (d *draw) all(z []float32) {
	for i, v := range z {
		d.try(candidate{v, int32(i)})
	}
}

// try takes c if it beats the best so far.
func (d *draw) try(c candidate) {
	if !(c.z+maxGumbel >= d.score) || math.IsInf(float64(c.z), -1) || d.minP > 0 && expf(c.z-d.zmax) < d.minP {
		return
	}
	if group := uint32(c.id) / 4; !d.filled || group != d.group {
		d.block, d.group, d.filled = philox([4]uint32{group, d.pos}, d.key), group, true
	}
	s := c.z + gumbel(d.block[c.id%4])
	if s > d.score || s == d.score && c.id < d.id {
		d.id, d.score = c.id, s
	}
}
