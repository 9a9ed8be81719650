package ptx

import "github.com/weft-llm/weft/driver"

// declareGemms adds the kernels for many tokens: those of src/gemm_sm90.cuh, of which a cluster is tiles that share w, and
// those of src/gemm_sliced_sm90.cuh, of which it is slices of K of such tiles.
func (p *hopperLinear) declareGemms(k *Kernels) {
	p.gemms = [...]hopperKernel{
		{name: "gemm_128x256", rows: 128, cols: 256, stages: 4},
		{name: "gemm_128x192", rows: 128, cols: 192, stages: 4},
		{name: "gemm_128x128", rows: 128, cols: 128, stages: 6},
		{name: "gemm_128x64", rows: 128, cols: 64, stages: 8},
	}
	for i := range p.gemms {
		h := &p.gemms[i]
		h.declare(k, gemmShared(h))
		for share := 1; share <= 2; share++ {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("c", share), hopperKernel: h, share: share, splits: 1})
		}
	}
	p.tiles = append(p.tiles, hopperTile{name: "gemm_128x128c4", hopperKernel: &p.gemms[2], share: 4, splits: 1})
	h := &p.sliced
	*h = hopperKernel{name: "gemm_sliced", rows: 128, cols: 128, stages: 5}
	h.declare(k, slicedShared(h))
	for _, c := range []struct{ share, splits int }{{1, 2}, {1, 4}, {1, 8}, {2, 4}} {
		name := h.name + suffix("m", c.share) + suffix("s", c.splits)
		p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: h, share: c.share, splits: c.splits})
	}
}

// gemmShared is the shared memory of src/gemm_sm90.cuh: alignment, stages, four places for stores, barriers.
func gemmShared(h *hopperKernel) int {
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + 4*8192 + 16*h.stages
}

// slicedShared is the shared memory of src/gemm_sliced_sm90.cuh: alignment, stages, sums, barriers.
func slicedShared(h *hopperKernel) int {
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + h.rows*h.cols*4 + 16*h.stages + 8
}

// clusterShape gives the tiles of t's cluster, over tokens and over features.
func (t *hopperTile) clusterShape() (down, across int) {
	if t.share == 4 {
		return 2, 2
	}
	return t.share, 1
}

// gemmLaunch is how t is launched when it is not skinny, and the kernel's order.
func (t *hopperTile) gemmLaunch(m, n, k, sms int) (grid, cluster, block driver.Dim, order int32) {
	down, across := t.clusterShape()
	rows, blocks := ceilDiv(m, t.rows*down), t.share*t.splits
	tiles := rows * ceilDiv(n, t.cols*across)
	cluster = driver.Dim{X: blocks}
	if t.splits > 1 {
		return driver.Dim{X: tiles * blocks}, cluster, driver.Dim{X: 288}, int32(t.share)
	}
	return driver.Dim{X: min(tiles, clustersAtOnce(blocks, sms)) * blocks}, cluster, driver.Dim{X: 384}, int32(min(rows, gemmOrder(n, k)/down))
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
