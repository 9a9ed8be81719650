package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// hopperArgs mirrors HOPPER_PARAMS of src/linear_sm90.cuh.
type hopperArgs struct {
	XMap, WMap, YMap driver.TensorMap
	Y, Bias          uintptr
	M, N, K          int32
	Order, Act       int32
	Scale, Softcap   float32
}

// A hopperKernel computes tiles of rows tokens by cols features.
type hopperKernel struct {
	name       string
	rows, cols int
	stages     int
	kernels    [epilogues]kernel[hopperArgs]
}

// A hopperTile is a kernel and how its blocks are launched.
type hopperTile struct {
	name string
	*hopperKernel
	skinny  bool // operands swapped; clusters split K
	cluster int  // blocks that share w; 0: as many as split K
	blocks  int  // on a multiprocessor
	most    int  // slices of K; 0: maxSplits
	order   int  // rows of clusters' tiles in a group; 0: gemmOrder
	serial  bool // does not start before the kernel ahead has ended
}

// hopperLinear are the linear kernels of sm_90a.
type hopperLinear struct {
	gemms  [5]hopperKernel
	thin   [7]hopperKernel
	tiles  []hopperTile
	forced *hopperTile
	maps   mapCache
}

func (p *hopperLinear) declare(k *Kernels) {
	p.gemms = [...]hopperKernel{
		{name: "gemm_128x256", rows: 128, cols: 256, stages: 4},
		{name: "gemm_256x128", rows: 256, cols: 128, stages: 4},
		{name: "gemm_128x192", rows: 128, cols: 192, stages: 4},
		{name: "gemm_128x128", rows: 128, cols: 128, stages: 6},
		{name: "gemm_128x64", rows: 128, cols: 64, stages: 8},
	}
	p.thin = [...]hopperKernel{
		{name: "skinny_n8", rows: 8, cols: 64, stages: 10},
		{name: "skinny_n16", rows: 16, cols: 64, stages: 9},
		{name: "skinny_n32", rows: 32, cols: 64, stages: 7},
		{name: "skinny_n64", rows: 64, cols: 64, stages: 5},
		{name: "skinny_n32x2", rows: 32, cols: 128, stages: 4},
		{name: "skinny_n64x2", rows: 64, cols: 128, stages: 3},
		{name: "skinny_n128", rows: 128, cols: 64, stages: 4},
	}
	p.tiles = nil
	for i := range p.gemms {
		h := &p.gemms[i]
		h.declare(k, h.name+"_sm90", gemmShared(h))
		for _, c := range []int{1, 2} {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("c", c), hopperKernel: h, cluster: c, blocks: 1})
		}
	}
	for _, o := range []int{4, 16} {
		p.tiles = append(p.tiles, hopperTile{name: fmt.Sprint("gemm_128x256c2o", o), hopperKernel: &p.gemms[0], cluster: 2, blocks: 1, order: o})
	}
	for i := range p.thin {
		h := &p.thin[i]
		h.declare(k, h.name+"_sm90", skinnyShared(h))
		for _, b := range []int{1, 2} {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("b", b), hopperKernel: h, skinny: true, blocks: b})
		}
		for _, s := range []int{1, 2, 4} {
			p.tiles = append(p.tiles, hopperTile{name: h.name + "s" + string(rune('0'+s)), hopperKernel: h, skinny: true, blocks: 2, most: s})
		}
		p.tiles = append(p.tiles, hopperTile{name: h.name + "serial", hopperKernel: h, skinny: true, blocks: 1, serial: true})
	}
}

func suffix(letter string, n int) string {
	if n == 1 {
		return ""
	}
	return letter + string(rune('0'+n))
}

func (h *hopperKernel) declare(k *Kernels, file string, shared int) {
	for e := range epilogues {
		h.kernels[e].declare(k, file, h.name+epilogueSuffix[e], shared)
	}
}

// hopperStep is the columns of K in a stage: 128 bytes, the widest swizzle.
const hopperStep = 64

// gemmShared is the shared memory of src/gemm_sm90.cuh: alignment, stages, four places for stores, barriers.
func gemmShared(h *hopperKernel) int {
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + 4*8192 + 16*h.stages
}

// skinnyShared is the shared memory of src/skinny_sm90.cuh: alignment, stages, sums, barriers.
func skinnyShared(h *hopperKernel) int {
	return 1024 + h.stages*(h.rows+h.cols)*2*hopperStep + h.rows*(h.cols+4)*4 + 16*h.stages + 8
}

// hopperTile picks the kernel of sm_90a for a shape, or nil where the copy engine cannot read x and w.
func (k *Kernels) hopperTile(e epilogue, x, w, y tensor.View, m, n, depth int) *hopperTile {
	if !k.Hopper() || k.lin.forced != "" || (x.Ptr|w.Ptr|y.Ptr)%16 != 0 {
		return nil
	}
	if t := k.hop.forced; t != nil {
		return t
	}
	return k.hop.choose(e, m, n, depth, k.SMs())
}

// launchHopper enqueues one linear operation by t. w may be read before the kernels ahead on s have ended.
func (k *Kernels) launchHopper(s driver.Stream, t *hopperTile, e epilogue, y, x, w tensor.View, a hopperArgs) error {
	m, n := int(a.M), int(a.N)
	if !k.Dry {
		if err := k.hopperMaps(t, e, y, x, w, &a); err != nil {
			return err
		}
	}
	l := driver.Launch{Stream: s, Overlap: !t.serial}
	if t.skinny {
		splits := t.splits(m, n, int(a.K), k.SMs())
		across, tiles := ceilDiv(m, t.rows), ceilDiv(n, t.cols)
		l.Grid = driver.Dim{X: min(tiles, max(1, t.blocks*k.SMs()/(across*splits))) * splits, Y: across}
		l.Block = driver.Dim{X: 2*t.cols + 32}
		l.Cluster = driver.Dim{X: splits}
	} else {
		rows := ceilDiv(m, t.rows*t.cluster)
		tiles := rows * ceilDiv(n, t.cols)
		l.Grid, l.Block = driver.Dim{X: min(tiles, k.SMs()/t.cluster) * t.cluster}, driver.Dim{X: 384}
		l.Cluster = driver.Dim{X: t.cluster}
		a.Order = int32(gemmOrder(rows, t.cluster))
		if t.order > 0 {
			a.Order = int32(min(rows, t.order))
		}
	}
	return t.kernels[e].enqueue(l, a)
}

// gemmOrder is how many rows of clusters' tiles a group has: about as many tokens as features run at a time.
func gemmOrder(rows, cluster int) int { return min(rows, 16/cluster) }

func (k *Kernels) hopperMaps(t *hopperTile, e epilogue, y, x, w tensor.View, a *hopperArgs) (err error) {
	wRows, xRows := t.cols, t.rows
	if !t.skinny {
		wRows /= 2
	}
	if a.XMap, err = k.tileMap(x, xRows, hopperStep); err != nil {
		return err
	}
	if a.WMap, err = k.tileMap(w, wRows, hopperStep); err != nil || t.skinny || e == logits {
		return err
	}
	cols := 64
	if e == gated && t.cols/2%64 != 0 {
		cols = 32
	}
	a.YMap, err = k.tileMap(y, 64, cols)
	return err
}
