package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
)

// maxSlices is how many slices of K src/gemm_sm90.cuh adds up at most.
const maxSlices = 8

// declareGemms adds the kernels of src/gemm_sm90.cuh. Their tiles run alone or in clusters that share w, x or both; swapped
// they run alone: sharing x saved nothing.
func (p *hopperLinear) declareGemms(k *Kernels) {
	p.gemms = [...]hopperKernel{
		{name: "gemm_128x256", rows: 128, cols: 256, stages: 4},
		{name: "gemm_128x192", rows: 128, cols: 192, stages: 4},
		{name: "gemm_128x128", rows: 128, cols: 128, stages: 6},
		{name: "gemm_128x64", rows: 128, cols: 64, stages: 8},
		{name: "swap_64x128", rows: 64, cols: 128, stages: 8, swapped: true},
		{name: "swap_64x192", rows: 64, cols: 192, stages: 7, swapped: true},
		{name: "swap_96x128", rows: 96, cols: 128, stages: 8, swapped: true},
		{name: "swap_128x128", rows: 128, cols: 128, stages: 7, swapped: true},
		{name: "swap_192x128", rows: 192, cols: 128, stages: 5, swapped: true},
		{name: "swap_256x128", rows: 256, cols: 128, stages: 4, swapped: true},
		{name: "swap_96x192", rows: 96, cols: 192, stages: 6, swapped: true},
		{name: "swap_128x192", rows: 128, cols: 192, stages: 5, swapped: true},
		{name: "swap_192x192", rows: 192, cols: 192, stages: 4, swapped: true},
	}
	for i := range p.gemms {
		h := &p.gemms[i]
		h.declare(k, gemmShared(h), gemmShared(h)+gemmBest(h))
		if h.swapped {
			p.addGemms(h, 1, 1, maxSlices)
			continue
		}
		p.addGemms(h, 1, 1, 1)
		p.addGemms(h, 2, 1, maxSlices)
		p.addGemms(h, 1, 2, maxSlices)
		p.addGemms(h, 2, 2, 1)
	}
}

// addGemms adds h in clusters of down by across tiles, for up to so many slices of K.
func (p *hopperLinear) addGemms(h *hopperKernel, down, across, slices int) {
	for splits := 1; splits <= slices; splits *= 2 {
		name := h.name
		if down*across > 1 {
			name += fmt.Sprintf("c%dx%d", down, across)
		}
		p.tiles = append(p.tiles, hopperTile{name: name + suffix("s", splits), hopperKernel: h, down: down, across: across, splits: splits})
	}
}

// gemmShared is the shared memory of src/gemm_sm90.cuh: alignment, stages, four places for stores unless swapped, barriers.
func gemmShared(h *hopperKernel) int {
	stores := 4 * 8192
	if h.swapped {
		stores = 0
	}
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + stores + 16*h.stages
}

// gemmBest is what the best of a tile's tokens take: swapped they need memory of their own.
func gemmBest(h *hopperKernel) int {
	if h.swapped {
		return bestBytes * h.rows
	}
	return 0
}

// gemmLaunch is how t is launched when it is not skinny, with the kernel's order and splits. Slices of a tile wait for each
// other, so that no more are made than run at once.
func (t *hopperTile) gemmLaunch(e epilogue, m, n, k, sms int) (grid, cluster, block driver.Dim, order, splits int32) {
	rows, blocks := ceilDiv(m, t.rows*t.down), t.down*t.across
	tiles := rows * ceilDiv(n, t.cols*t.across)
	most, slices := clustersAtOnce(blocks, sms), t.splits
	for slices > 1 && (e == logits || tiles*slices > most) {
		slices /= 2
	}
	grid = driver.Dim{X: min(tiles*slices, most) * blocks}
	threads := 384
	if t.swapped {
		rows, threads = ceilDiv(n, t.cols), 2*t.cols+128
	}
	return grid, driver.Dim{X: blocks}, driver.Dim{X: threads}, int32(min(rows, gemmOrder(n, k)/t.down)), int32(slices)
}

// counts says whether slices of K count what they leave for each other, as src/gemm_sm90.cuh does for tiles of many sums.
func (h *hopperKernel) counts() bool { return h.rows*h.cols > keptSums }

// clustersAtOnce is how many clusters that fill their multiprocessors run at a time. One lies within a part of the device,
// and larger ones leave places there: of 132 multiprocessors 24 clusters of four ran at once and 32 did not, 8 of eight and
// not 16.
func clustersAtOnce(blocks, sms int) int {
	if blocks > 2 {
		sms = sms * 3 / 4
	}
	return max(1, sms/blocks)
}

// gemmOrder is how many rows of tiles a group has: about as many tokens as features run at a time, or half of that where
// all of w stays in L2.
func gemmOrder(n, k int) int {
	if 2*n*k <= 50<<20 {
		return 8
	}
	return 16
}
