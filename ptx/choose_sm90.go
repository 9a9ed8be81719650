package ptx

// Figures of the cost model, in clocks of a multiprocessor. They were fitted to an H200 and only rank kernels.
const (
	tensorFlops  = 4096 // dense bf16 operations a clock
	l2Bytes      = 36   // that reach a multiprocessor from L2 a clock
	memoryBytes  = 2500 // that reach all multiprocessors from memory a clock
	tileClocks   = 1800 // epilogue of a GEMM's tile of 128x256, in proportion for others
	startClocks  = 3500 // of a launch: descriptors, first copies, last stores
	reduceClocks = 1200 // of the sum over a cluster
)

// choose takes the skinny kernel that holds all tokens, for up to 64; beyond, the tile with the least predicted time.
func (p *hopperLinear) choose(e epilogue, m, n, k, sms int) *hopperTile {
	var best *hopperTile
	least := 0.0
	for i := range p.tiles {
		t := &p.tiles[i]
		if !t.fits(e, m, n) {
			continue
		}
		if c := t.clocks(m, n, k, sms); best == nil || c < least {
			best, least = t, c
		}
	}
	return best
}

// fits says whether t computes the shape, and is not plainly the wrong size for it.
func (t *hopperTile) fits(e epilogue, m, n int) bool {
	if t.most > 0 || t.order > 0 || t.serial {
		return false
	}
	if t.skinny {
		return m <= 64 && t.rows >= m && (t.rows == 8 || t.rows < 2*m) || m > 64 && t.rows >= 64
	}
	return m > 64 && (e == logits || e == plain && n%8 == 0 || e == gated && n%16 == 0)
}

// clocks predicts the time of t on a shape.
func (t *hopperTile) clocks(m, n, k, sms int) float64 {
	if t.skinny {
		return t.skinnyClocks(m, n, k, sms)
	}
	blocks := roundUp(ceilDiv(m, t.rows), t.cluster) * ceilDiv(n, t.cols)
	waves := ceilDiv(blocks, sms/t.cluster*t.cluster)
	step := max(float64(t.rows*t.cols*2*hopperStep)/tensorFlops/0.95, float64((t.rows+t.cols/t.cluster)*2*hopperStep)/l2Bytes)
	tile := float64(ceilDiv(k, hopperStep))*step + tileClocks*float64(t.rows*t.cols)/(128*256)
	return max(startClocks+float64(waves)*tile, memoryClocks(m, n, k))
}

func (t *hopperTile) skinnyClocks(m, n, k, sms int) float64 {
	splits := t.splits(m, n, k, sms)
	tiles := ceilDiv(m, t.rows) * ceilDiv(n, t.cols)
	steps := ceilDiv(ceilDiv(k, hopperStep), splits)
	waves := float64(ceilDiv(tiles*splits, sms)) // of one block a multiprocessor: two there take turns
	step := max(float64(t.rows*t.cols*2*hopperStep)/tensorFlops, 64, float64((t.rows+t.cols)*2*hopperStep)/l2Bytes)
	tile := float64(steps)*step + tileClocks*float64(t.rows*t.cols)/(128*128)
	total := startClocks + waves*tile
	if splits > 1 {
		total += reduceClocks
	}
	return max(total, memoryClocks(m, n, k)) * (1 + 0.001*float64(t.blocks))
}

func memoryClocks(m, n, k int) float64 {
	return startClocks + 2*(float64(n)*float64(k)+float64(m)*float64(k)+float64(m)*float64(n))/memoryBytes
}

// maxSplits is the largest cluster that every device runs.
const maxSplits = 8

// splits is how many blocks of a cluster share the columns of K: as many as keep the device full at a time and leave
// each two stages.
func (t *hopperTile) splits(m, n, k, sms int) int {
	tiles, s := ceilDiv(m, t.rows)*ceilDiv(n, t.cols), 1
	for 2*s <= maxSplits && (t.most == 0 || 2*s <= t.most) && 2*s*tiles <= sms*t.blocks && ceilDiv(k, hopperStep) >= 4*s {
		s *= 2
	}
	return s
}
