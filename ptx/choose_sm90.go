package ptx

import "math"

// Figures of the cost model in µs and bytes a µs. They are fitted to the times of an H200 (bench/results/h200-linear.csv,
// checked by choose_sm90_test.go) and only rank kernels.
const (
	memoryRate = 4783e3  // to all multiprocessors from memory
	skinnyRate = 9440e3  // to all from L2, by the kernels for few tokens
	gemmRate   = 6513e3  // to all from L2, by GEMM
	blockRate  = 104.8e3 // to one multiprocessor from L2

	skinnyStart  = 1.146
	skinnyStep   = 0.1681 // of a stage of 64 columns of K, and for each 64 tokens
	skinnyTokens = 0.0592
	skinnyStore  = 0.9418 // of a tile's 64 tokens
	skinnyGate   = 1.346  // more where gated
	reduceStart  = 0.1576 // of the sum over a cluster, and for each 64 tokens
	reduceTokens = 0.9268
	fullCost     = 2.335 // of a grid that leaves the next kernel no room to start early
	fullPower    = 3.947 // how fast that sets in
	overlapPower = 3.93  // of the norm of times that overlap

	gemmStart  = 0.9417
	tensorRate = 7.045e6 // multiply-adds of a multiprocessor alone
	throttle   = 0.5985  // by how much all together are slower
	tileStore  = 0.2815  // of a tile of 128x256, in proportion for others
	tileGate   = 0.7784  // where gated
	sliceStart = 1.144   // of a tile's sum over slices, and for each doubling of them
	sliceTwice = 0.6702
)

// choose takes the kernel with the least predicted time; if steady, among those that Steady allows, or none whatever m.
func (p *hopperLinear) choose(e epilogue, m, n, k, sms int, steady bool) *hopperTile {
	var best *hopperTile
	least := 0.0
	if steady && !steadyShape(e, n, k) {
		return nil
	}
	for i := range p.tiles {
		t := &p.tiles[i]
		if !t.fits(e, m, n, k, sms) || steady && t.splits > 1 {
			continue
		}
		if c := t.predict(e, m, n, k, sms); best == nil || c < least {
			best, least = t, c
		}
	}
	return best
}

// fits says whether t computes the shape, and is not plainly the wrong size for it.
func (t *hopperTile) fits(e epilogue, m, n, k, sms int) bool {
	switch {
	case e == plain && n%8 != 0 && !t.skinny, e == gated && n%16 != 0, t.splits > 1 && (e == logits && !t.skinny || ceilDiv(k, hopperStep) < 4*t.splits):
		return false
	case t.skinny:
		tiles := ceilDiv(m, t.rows) * ceilDiv(n, t.cols*t.across)
		return t.rows >= m && (t.rows == 8 || t.rows < 2*m) && ceilDiv(k, hopperStep) >= 4 && (t.splits == 1 || tiles*t.splits <= t.resident()*sms)
	case m <= 64 || t.down > 1 && m <= t.rows || t.swapped && (m > t.rows || 2*m <= t.rows):
		return false
	case t.sliced:
		return e != logits && ceilDiv(m, t.rows*t.down)*ceilDiv(n, t.cols) <= clustersAtOnce(t.down*t.splits, sms)
	}
	return t.fitsAtOnce(m, n, k, sms)
}

// fitsAtOnce says whether slices of K are of use, which all have to run at once, and enough of them or of tiles two by two:
// these are where so many run that L2 is the bound, and 24 clusters, as many as run at once on an H200, were faster than the
// same tiles in pairs, and 16 were slower.
func (t *hopperTile) fitsAtOnce(m, n, k, sms int) bool {
	tiles, most := ceilDiv(m, t.rows*t.down)*ceilDiv(n, t.cols*t.across), clustersAtOnce(t.down*t.across, sms)
	more := 2 * t.splits // slices that had better be taken
	switch {
	case t.splits > 1 && tiles*t.splits > most, more <= maxSlices && tiles*more <= most && ceilDiv(k, hopperStep) >= 4*more && m <= 512:
		return false
	}
	return t.down*t.across < 4 || 4*tiles >= 3*most
}

// predict is the time of t on a shape in µs.
func (t *hopperTile) predict(e epilogue, m, n, k, sms int) float64 {
	memory := float64(2*(n*k+m*k)+m*n*[epilogues]int{plain: 2, gated: 1, logits: 4}[e]) / memoryRate
	if t.skinny {
		return t.predictSkinny(e, m, n, k, sms, memory)
	}
	down, across := t.down, t.across
	cluster := down * across * t.splits
	blocks := ceilDiv(m, t.rows*down) * ceilDiv(n, t.cols*across) * cluster
	waves := ceilDiv(blocks, clustersAtOnce(cluster, sms)*cluster)
	busy := float64(blocks) / float64(waves*sms)
	area, apart := float64(t.rows*t.cols), float64(2*hopperStep*(t.rows/across+t.cols/down))
	step := max(area*hopperStep*2*(1+throttle*busy)/tensorRate, float64(2*hopperStep*(t.rows+t.cols))/blockRate, apart*float64(min(blocks, sms))/gemmRate)
	step += apart * 1e-7 // of two alike, that which reads less
	store := tileStore
	if e == gated {
		store = tileGate
	}
	store *= area / (128 * 256)
	if t.splits > 1 {
		store += sliceStart + sliceTwice*math.Log2(float64(t.splits))
	}
	products := float64(ceilDiv(ceilDiv(k, hopperStep), t.splits)) * step
	return gemmStart + max(float64(waves)*(products+store), memory)
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
	us += math.Pow(math.Pow(memory, overlapPower)+math.Pow(block, overlapPower)+math.Pow(l2, overlapPower), 1/overlapPower)
	if t.splits > 1 {
		us += reduceStart + reduceTokens*rows
	}
	if e == gated {
		us += float64(turns) * skinnyGate / splits
	}
	return us
}

// resident is how many blocks of a kernel for few tokens run on a multiprocessor, by their shared memory.
func (t *hopperTile) resident() int { return min(2, (227<<10)/(skinnyShared(t.hopperKernel)+1024)) }
