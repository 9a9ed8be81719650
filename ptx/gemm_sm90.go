package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
)

// maxSlices is how many slices of K src/gemm_sm90.cuh adds up at most.
const maxSlices = 8

// declareGemms adds the kernels for many tokens: those of src/gemm_sm90.cuh, of which a cluster is tiles that share w, and
// those of src/gemm_sliced_sm90.cuh, of which it is slices of K of such tiles.
func (p *hopperLinear) declareGemms(k *Kernels) {
	p.gemms = [...]hopperKernel{
		{name: "gemm_128x256", rows: 128, cols: 256, stages: 4},
		{name: "gemm_128x192", rows: 128, cols: 192, stages: 4},
		{name: "gemm_128x128", rows: 128, cols: 128, stages: 6},
		{name: "gemm_128x64", rows: 128, cols: 64, stages: 8},
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
		h.declare(k, gemmShared(h))
		for _, c := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}} {
			if h.swapped && c[0] > 1 { // all tokens are in a tile
				continue
			}
			for splits := 1; splits <= maxSlices; splits *= 2 {
				name := h.name + clusterSuffix(c[0], c[1]) + suffix("s", splits)
				p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: h, down: c[0], across: c[1], splits: splits})
			}
		}
	}
	h := &p.sliced
	*h = hopperKernel{name: "gemm_sliced", rows: 128, cols: 128, stages: 5}
	h.declare(k, slicedShared(h))
	for _, c := range []struct{ share, splits int }{{1, 2}, {1, 4}, {1, 8}, {2, 4}} {
		name := h.name + suffix("m", c.share) + suffix("s", c.splits)
		p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: h, down: c.share, across: 1, splits: c.splits, sliced: true})
	}
}

func clusterSuffix(down, across int) string {
	if down*across == 1 {
		return ""
	}
	return fmt.Sprintf("c%dx%d", down, across)
}

// gemmShared is the shared memory of src/gemm_sm90.cuh: alignment, stages, four places for stores unless swapped, barriers.
func gemmShared(h *hopperKernel) int {
	stores := 4 * 8192
	if h.swapped {
		stores = 0
	}
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + stores + 16*h.stages
}

// slicedShared is the shared memory of src/gemm_sliced_sm90.cuh: alignment, stages, sums, barriers.
func slicedShared(h *hopperKernel) int {
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + h.rows*h.cols*4 + 16*h.stages + 8
}

// gemmLaunch is how t is launched when it is not skinny, with the kernel's order and splits. Slices of a tile wait for each
// other, so that no more are made than run at once.
func (t *hopperTile) gemmLaunch(e epilogue, m, n, k, sms int) (grid, cluster, block driver.Dim, order, splits int32) {
	rows, blocks := ceilDiv(m, t.rows*t.down), t.down*t.across
	tiles := rows * ceilDiv(n, t.cols*t.across)
	if t.sliced {
		blocks *= t.splits
		return driver.Dim{X: tiles * blocks}, driver.Dim{X: blocks}, driver.Dim{X: 288}, int32(t.down), int32(t.splits)
	}
	most, slices := clustersAtOnce(blocks, sms), t.splits
	for slices > 1 && (e == logits || tiles*slices > most) {
		slices /= 2
	}
	grid = driver.Dim{X: min(tiles*slices, most) * blocks}
	threads := 384
	if t.swapped {
		rows, threads = ceilDiv(n, t.cols*t.across), 2*t.cols+128
	}
	return grid, driver.Dim{X: blocks}, driver.Dim{X: threads}, int32(min(rows, gemmOrder(n, k)/t.down)), int32(slices)
}

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
