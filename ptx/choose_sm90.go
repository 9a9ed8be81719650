package ptx

// Figures of the cost model. They were fitted to an H200 (bench/results/h200-linear.csv) and only rank kernels.
const (
	tensorFlops  = 4096 // dense bf16 operations a clock
	l2Bytes      = 36   // that reach a multiprocessor from L2 a clock
	memoryBytes  = 2500 // that reach all multiprocessors from memory a clock
	tileClocks   = 1800 // epilogue of a GEMM's tile of 128x256, in proportion for others
	startClocks  = 3500 // of a launch: descriptors, first copies, last stores
	reduceClocks = 1200 // of the sum over a cluster
)

// choose takes the kernel with the least predicted time.
func (p *hopperLinear) choose(e epilogue, m, n, k, sms int) *hopperTile {
	var best *hopperTile
	least := 0.0
	for i := range p.tiles {
		t := &p.tiles[i]
		if !t.fits(e, m, n, k) {
			continue
		}
		if c := t.clocks(m, n, k, sms); best == nil || c < least {
			best, least = t, c
		}
	}
	return best
}

// fits says whether t computes the shape, and is not plainly the wrong size for it.
func (t *hopperTile) fits(e epilogue, m, n, k int) bool {
	if t.skinny {
		return t.share == 1 && ceilDiv(k, hopperStep) >= 4*t.splits && (m <= 64 && t.rows >= m && (t.rows == 8 || t.rows < 2*m) || m > 64 && t.rows >= 64)
	}
	return m > 64 && (e == logits || e == plain && n%8 == 0 || e == gated && n%16 == 0)
}

// clocks predicts the time of t on a shape.
func (t *hopperTile) clocks(m, n, k, sms int) float64 {
	if t.skinny {
		return t.skinnyClocks(m, n, k, sms)
	}
	blocks := roundUp(ceilDiv(m, t.rows), t.share) * ceilDiv(n, t.cols)
	waves := ceilDiv(blocks, sms/t.share*t.share)
	step := max(float64(t.rows*t.cols*2*hopperStep)/tensorFlops/0.95, float64((t.rows+t.cols/t.share)*2*hopperStep)/l2Bytes)
	tile := float64(ceilDiv(k, hopperStep))*step + tileClocks*float64(t.rows*t.cols)/(128*256)
	return max(startClocks+float64(waves)*tile, memoryClocks(m, n, k))
}

func (t *hopperTile) skinnyClocks(m, n, k, sms int) float64 {
	tiles := ceilDiv(m, t.rows) * ceilDiv(n, t.cols)
	steps := ceilDiv(ceilDiv(k, hopperStep), t.splits)
	waves := float64(ceilDiv(tiles*t.splits, sms))
	step := max(float64(t.rows*t.cols*2*hopperStep)/tensorFlops, 64, float64((t.rows/t.share+t.cols)*2*hopperStep)/l2Bytes)
	tile := float64(steps)*step + tileClocks*float64(t.rows*t.cols)/(128*128)
	total := startClocks + waves*tile
	if t.splits > 1 {
		total += reduceClocks
	}
	return max(total, memoryClocks(m, n, k))
}

func memoryClocks(m, n, k int) float64 {
	return startClocks + 2*(float64(n)*float64(k)+float64(m)*float64(k)+float64(m)*float64(n))/memoryBytes
}
