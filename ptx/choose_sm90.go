package ptx

import "math"

// Figures of the cost model in µs and bytes a µs. They are fitted to the times of an H200 (bench/results/h200-linear.csv,
// checked by choose_sm90_test.go) and only rank kernels. The fit took 5 % more for skinny kernels with 64 tokens of 8B and
// Llama: they lose that in a step.
const (
	memoryRate = 5042e3  // to all multiprocessors from memory
	skinnyRate = 10160e3 // to all from L2, by the kernels for few tokens

	skinnyStart  = 1.105
	skinnyStep   = 0.1719 // of a stage of 64 columns of K, and for each 64 tokens
	skinnyTokens = 0.082
	skinnyStore  = 0.5429 // of a tile's 64 tokens
	skinnyGate   = 1.167  // more where gated
	reduceStart  = 0.2873 // of the sum over a cluster, and for each 64 tokens of each slice
	reduceTokens = 0.2824
	fullCost     = 3.114 // of a grid that leaves the next kernel no room to start early
	fullPower    = 4.554 // how fast that sets in
	overlapPower = 2.672 // of the norm of times that overlap

	tensorRate = 8863e3 // multiply-adds of a multiprocessor

	gemmStart  = 3.48
	gemmMemory = 6106e3  // to all from memory, for GEMM
	gemmRate   = 11850e3 // to all from L2
	gemmPower  = 1.977   // of the norm of times that overlap
	gemmStore  = 0.5949  // of a tile of 128x256, in proportion for others
	gemmLeave  = 22.77e3 // bytes that a block of some slices leaves for others
	countStart = 0.8317  // of a tile's sum over slices that are counted
	countRate  = 20.23e3 // bytes that a block leaves then
	joinGate   = 0.8448  // more where gated

	swapStart  = 2.502 // as above, with operands swapped
	swapMemory = 5356e3
	swapRate   = 12950e3
	swapPower  = 2.543
	swapStore  = 0.7065
	swapGate   = 1.167 // more where gated
	swapLeave  = 39.7e3
	joinRate   = 9056e3 // bytes that all blocks leave
)

// choiceKey is a shape, and whether its kernel has to be steady.
type choiceKey struct {
	e       epilogue
	m, n, k int
	steady  bool
}

// maxChoices bounds the choices that are kept: a model has five shapes for each number of tokens.
const maxChoices = 1 << 14

// choice is choose, once for a shape: prompts are computed without graphs, and predicting times took the host longer than all else.
func (p *hopperLinear) choice(c choiceKey, sms int) *hopperTile {
	t, ok := p.chosen[c]
	if !ok {
		t = p.choose(c.e, c.m, c.n, c.k, sms, c.steady)
		if p.chosen == nil || len(p.chosen) >= maxChoices {
			p.chosen = map[choiceKey]*hopperTile{}
		}
		p.chosen[c] = t
	}
	return t
}

// choose takes the kernel with the least predicted time; if steady, among those that Steady allows, or none whatever m.
func (p *hopperLinear) choose(e epilogue, m, n, k, sms int, steady bool) *hopperTile {
	var best *hopperTile
	least := 0.0
	if steady && !steadyShape(e, n, k) {
		return nil
	}
	for i := range p.tiles {
		t := &p.tiles[i]
		if !t.fits(e, m, n, k, sms) || steady && t.splits > 1 || !steady && t.wantsSlices(e, m, n, k, sms) {
			continue
		}
		if c := t.predict(e, m, n, k, sms); best == nil || c < least {
			best, least = t, c
		}
	}
	return best
}

// fits says whether t computes the shape, and is not plainly the wrong size for it. Swapped, up to mostFew tokens may take several
// tiles where w is small, and not for logits, whose blocks keep the best of one tile's tokens. Slices of K have to run at once.
// Tiles two by two are of use where so many run that L2 is the bound: 24 clusters, as many as run at once on an H200, were faster
// than the same tiles in pairs, and 16 were slower.
func (t *hopperTile) fits(e epilogue, m, n, k, sms int) bool {
	switch {
	case e == plain && n%8 != 0 && !t.skinny, e == gated && n%16 != 0, t.splits > 1 && (e == logits && !t.skinny || ceilDiv(k, hopperStep) < 4*t.splits):
		return false
	case t.skinny:
		tiles := ceilDiv(m, t.rows) * ceilDiv(n, t.cols)
		// Clusters of eight that hold 64 tokens find no room beside the kernel ahead: slices that meet in memory were faster in a step.
		return !(t.rows == 64 && t.splits == maxCluster) && t.rows >= m && (t.rows == 8 || t.rows < 2*m) && ceilDiv(k, hopperStep) >= 4 && (t.splits == 1 || tiles*t.splits <= t.resident()*sms)
	case m <= 64 && !t.swapped || t.down > 1 && m <= t.rows, t.swapped && (m > t.rows && (m > mostFew || n*k >= mostAgain || e == logits) || 2*m <= t.rows || e == logits && m > 192):
		return false
	}
	tiles, most := t.clusters(m, n), clustersAtOnce(t.down*t.across, sms)
	if m > mostFew && (t.splits > 1 || t.across > t.down) || t.splits > 1 && tiles*t.splits > most {
		return false
	}
	return t.down*t.across < 4 || 4*tiles >= 3*most
}

// mostFew is the tokens beyond which tiles are many: none is cut into slices of K, and pairs share w.
const mostFew = 512

// mostAgain is the weights beyond which no tile of tokens copies them again: it made no kernel of 8B faster in a step, and one
// of 256 tokens took 13.04 ms instead of 12.89.
const mostAgain = 16 << 20

// clusters is how many of t's a shape has, for one slice of K.
func (t *hopperTile) clusters(m, n int) int {
	return ceilDiv(m, t.rows*t.down) * ceilDiv(n, t.cols*t.across)
}

// wantsSlices says whether twice as many slices of K would run at once too, each block on a multiprocessor of its own. A step
// gains by them even where the kernel alone loses: more blocks fetch weights before the kernel ahead has ended.
func (t *hopperTile) wantsSlices(e epilogue, m, n, k, sms int) bool {
	more := 2 * t.splits
	return e != logits && m <= mostFew && more <= maxSlices && t.clusters(m, n)*more <= clustersAtOnce(t.down*t.across, sms) && ceilDiv(k, hopperStep) >= 4*more
}

// norm is the time of what overlaps.
func norm(power float64, us ...float64) float64 {
	sum := 0.0
	for _, t := range us {
		sum += math.Pow(t, power)
	}
	return math.Pow(sum, 1/power)
}

// predict is the time of t on a shape in µs.
func (t *hopperTile) predict(e epilogue, m, n, k, sms int) float64 {
	bytes := float64(2*(n*k+m*k) + m*n*[epilogues]int{plain: 2, gated: 1, logits: 4}[e])
	if t.skinny {
		return t.predictSkinny(e, m, n, k, sms, bytes/memoryRate)
	}
	blocks := t.clusters(m, n) * t.down * t.across * t.splits
	waves := ceilDiv(blocks, clustersAtOnce(t.down*t.across, sms)*t.down*t.across)
	area, rows, running := float64(t.rows*t.cols), min(t.rows, m), float64(min(blocks, sms))
	steps := float64(waves * ceilDiv(ceilDiv(k, hopperStep), t.splits))
	tensor := steps * area * hopperStep * 2 / tensorRate
	l2 := steps * 2 * hopperStep * (float64(rows)/float64(t.across) + float64(t.cols)/float64(t.down)) * running
	us, store := gemmStart+norm(gemmPower, tensor, l2/gemmRate, bytes/gemmMemory), gemmStore
	if t.swapped {
		us, store = swapStart+norm(swapPower, tensor, l2/swapRate, bytes/swapMemory), swapStore
		if e == gated {
			store += swapGate
		}
	}
	if t.splits > 1 {
		return us + t.predictJoin(e, area*4*float64(t.splits-1)/float64(t.splits), running)
	}
	return us + float64(waves)*store*area/(128*256)
}

// predictJoin is the time of a sum over slices of K, where each of so many blocks leaves so many bytes for others.
func (t *hopperTile) predictJoin(e epilogue, bytes, blocks float64) float64 {
	us := bytes / gemmLeave
	if t.swapped {
		us = bytes/swapLeave + bytes*blocks/joinRate
	} else if t.counts() {
		us = countStart + bytes/countRate
	}
	if e == gated {
		us += joinGate
	}
	return us
}

// predictSkinny is predict where all tokens are in one tile.
func (t *hopperTile) predictSkinny(e epilogue, m, n, k, sms int, memory float64) float64 {
	slots, columns := t.resident()*sms, ceilDiv(n, t.cols)
	steps, rows, splits := ceilDiv(ceilDiv(k, hopperStep), t.splits), float64(t.rows)/64, float64(t.splits)
	blocks := columns * t.splits
	turns := ceilDiv(blocks, slots*(100-t.splits)/100) // large clusters leave some places empty
	if t.splits == 1 {
		blocks = min(columns, slots)
		turns = ceilDiv(columns, blocks)
	}
	reached := float64(columns * t.splits * steps * 2 * hopperStep)
	l2 := reached * float64(t.rows+t.cols) / skinnyRate
	block := float64(turns*steps) * (skinnyStep + skinnyTokens*rows)
	full := 1 - min(1, max(0, float64(slots-blocks)/float64(blocks)))
	us := skinnyStart + fullCost*math.Pow(full, fullPower) + float64(turns)*skinnyStore*rows
	us += norm(overlapPower, memory, block, l2)
	if t.splits > 1 {
		us += reduceStart + reduceTokens*rows*splits
	}
	if e == gated {
		us += float64(turns) * skinnyGate / splits
	}
	return us
}

// resident is how many blocks of a kernel for few tokens run on a multiprocessor, by their shared memory.
func (t *hopperTile) resident() int { return min(2, (227<<10)/(skinnyShared(t.hopperKernel)+1024)) }
