package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
)

// gemmForm is how the two warpgroups of a block that multiply, and the blocks of a cluster, divide the work.
type gemmForm int

const (
	together gemmForm = iota // the warpgroups share a tile by rows: src/gemm_sm90.cuh
	late                     // together, and a tile is stored beside the next one's products: src/gemm_wide_sm90.cuh
	inTurns                  // each has a tile, and finishes it while the other multiplies: src/gemm_pong_sm90.cuh
	inSlices                 // together, and blocks take slices of K: src/gemm_sliced_sm90.cuh
)

// chooseForms lets choose take forms and groups that are left to Force until they have been timed.
const chooseForms = false

// declareForms adds what is left to Force: the forms, and groups of other heights for the kernel of large sizes.
func (p *hopperLinear) declareForms(k *Kernels) {
	p.forms = [...]hopperKernel{
		{name: "gemm_pong", rows: 128, cols: 128, stages: 6},
		{name: "gemm_wide", rows: 128, cols: 256, stages: 4, lacks: 1},
		{name: "gemm_sliced", rows: 128, cols: 128, stages: 5},
		{name: "gemm_sliced_wide", rows: 128, cols: 256, stages: 4, lacks: 2},
	}
	for i, form := range []gemmForm{inTurns, late} {
		h := &p.forms[i]
		h.declare(k, h.name+"_sm90", gemmShared(h))
		for _, c := range []int{1, 2, 4} {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("c", c), hopperKernel: h, form: form, share: c, splits: 1})
		}
	}
	for i := range p.forms[2:] {
		p.declareSliced(k, &p.forms[2+i])
	}
	for _, height := range []int{4, 12, 24} {
		name := fmt.Sprintf("gemm_128x256c2h%d", height)
		p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: &p.gemms[0], share: 2, splits: 1, height: height})
	}
}

func (p *hopperLinear) declareSliced(k *Kernels, h *hopperKernel) {
	h.declare(k, h.name+"_sm90", slicedShared(h))
	for share := 1; share <= 2; share++ {
		for splits := 2; splits*share <= maxCluster; splits *= 2 {
			name := h.name + suffix("m", share) + suffix("s", splits)
			p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: h, form: inSlices, share: share, splits: splits})
		}
	}
}

// left reports whether t is left to Force.
func (t *hopperTile) left() bool { return (t.form != together || t.height > 0) && !chooseForms }

// slicedShared is the shared memory of src/gemm_sliced_sm90.cuh: alignment, sums of a tile, stages, barriers; where these
// are too much, half of a tile's columns in the stages' place.
func slicedShared(h *hopperKernel) int {
	more := h.stages * (h.rows + h.cols) * 2 * hopperStep
	if h.cols == 256 {
		more = h.rows * (h.cols/2 + 8) * 4
	}
	return 1024 + h.rows*h.cols*4 + more + 16*h.stages + 8
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
	rows := ceilDiv(m, t.rows*down)
	tiles, blocks := rows*ceilDiv(n, t.cols*across), t.share*t.splits
	cluster = driver.Dim{X: blocks}
	if t.form == inSlices {
		return driver.Dim{X: tiles * blocks}, cluster, driver.Dim{X: 288}, int32(t.share)
	}
	height := t.height
	if height == 0 {
		height = gemmOrder(n, k)
	}
	return driver.Dim{X: min(tiles, clustersAtOnce(blocks, sms)) * blocks}, cluster, driver.Dim{X: 384}, int32(min(rows, height/down))
}

// clustersAtOnce is how many clusters that fill their multiprocessors run at a time. One of four lies within a part of
// the device whose multiprocessors may number two more than a multiple of four.
func clustersAtOnce(blocks, sms int) int {
	if blocks > 2 {
		sms -= blocks
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
