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
	lacks      int // how many of the last epilogues it has not
	kernels    [epilogues]kernel[hopperArgs]
}

func (h *hopperKernel) has(e epilogue) bool { return int(e) < int(epilogues)-h.lacks }

// A hopperTile is a kernel and how its blocks are launched.
type hopperTile struct {
	name string
	*hopperKernel
	skinny bool // operands swapped; a cluster holds share tiles, each of splits blocks
	share  int  // tiles of a cluster, that share w; x when skinny
	splits int  // slices of K
	form   gemmForm
	height int // rows of tiles in a group; 0: by size
}

// hopperLinear are the linear kernels of sm_90a.
type hopperLinear struct {
	gemms  [4]hopperKernel
	forms  [4]hopperKernel // of gemms otherwise
	thin   [5]hopperKernel
	tiles  []hopperTile
	forced *hopperTile
	maps   mapCache
}

func (p *hopperLinear) declare(k *Kernels) {
	p.gemms = [...]hopperKernel{
		{name: "gemm_128x256", rows: 128, cols: 256, stages: 4},
		{name: "gemm_128x192", rows: 128, cols: 192, stages: 4},
		{name: "gemm_128x128", rows: 128, cols: 128, stages: 6},
		{name: "gemm_128x64", rows: 128, cols: 64, stages: 8},
	}
	p.thin = [...]hopperKernel{
		{name: "skinny_n8", rows: 8, cols: 64, stages: 10},
		{name: "skinny_n16", rows: 16, cols: 64, stages: 9},
		{name: "skinny_n32", rows: 32, cols: 64, stages: 7},
		{name: "skinny_n64", rows: 64, cols: 64, stages: 5},
		{name: "skinny_n128", rows: 128, cols: 64, stages: 4},
	}
	p.tiles = nil
	for i := range p.gemms {
		h := &p.gemms[i]
		h.declare(k, h.name+"_sm90", gemmShared(h))
		for _, c := range []int{1, 2} {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("c", c), hopperKernel: h, share: c, splits: 1})
		}
	}
	for i := range p.thin {
		h := &p.thin[i]
		h.declare(k, h.name+"_sm90", skinnyShared(h))
		for share := 1; share <= 4 && h.rows/share >= 8; share *= 2 {
			for splits := 1; splits*share <= maxCluster; splits *= 2 {
				name := h.name + suffix("m", share) + suffix("s", splits)
				p.tiles = append(p.tiles, hopperTile{name: name, hopperKernel: h, skinny: true, share: share, splits: splits})
			}
		}
	}
	p.declareForms(k)
}

func suffix(letter string, n int) string {
	if n == 1 {
		return ""
	}
	return letter + string(rune('0'+n))
}

func (h *hopperKernel) declare(k *Kernels, file string, shared int) {
	for e := range epilogues {
		if !h.has(e) {
			break
		}
		h.kernels[e].declare(k, file, h.name+epilogueSuffix[e], shared)
	}
}

// maxCluster is the largest cluster that every device runs.
const maxCluster = 8

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
	return k.hop.choose(e, m, n, depth, k.SMs(), k.Steady)
}

// launchHopper enqueues one linear operation by t. w may be read before the kernels ahead on s have ended.
func (k *Kernels) launchHopper(s driver.Stream, t *hopperTile, e epilogue, y, x, w tensor.View, a hopperArgs) error {
	m, n := int(a.M), int(a.N)
	if !t.has(e) {
		return fmt.Errorf("cannot run %s: it was not built for %s results", t.name, [epilogues]string{plain: "plain", gated: "gated", logits: "float32"}[e])
	}
	if !k.Dry {
		if err := k.hopperMaps(t, e, y, x, w, &a); err != nil {
			return err
		}
	}
	l := driver.Launch{Stream: s, Overlap: true}
	if t.skinny {
		across, cluster, groups := ceilDiv(m, t.rows), t.share*t.splits, ceilDiv(n, t.cols*t.share)
		if t.splits == 1 {
			groups = min(groups, max(1, t.resident()*k.SMs()/(across*cluster)))
		}
		l.Grid, l.Block = driver.Dim{X: groups * cluster, Y: across}, driver.Dim{X: 2*t.cols + 32}
		l.Cluster = driver.Dim{X: cluster}
		a.Order = int32(t.share)
	} else {
		l.Grid, l.Cluster, l.Block, a.Order = t.gemmLaunch(m, n, int(a.K), k.SMs())
	}
	return t.kernels[e].enqueue(l, a)
}

func (k *Kernels) hopperMaps(t *hopperTile, e epilogue, y, x, w tensor.View, a *hopperArgs) (err error) {
	wRows, xRows := t.cols, t.rows
	switch {
	case t.skinny:
		xRows /= t.share
	case t.form == inTurns || t.form == late:
		wRows, xRows = wRows/2, xRows/2
	default:
		wRows /= 2
	}
	if a.XMap, err = k.tileMap(x, xRows, hopperStep); err != nil {
		return err
	}
	if a.WMap, err = k.tileMap(w, wRows, hopperStep); err != nil || t.skinny || t.form == inSlices || e == logits {
		return err
	}
	cols := 64
	if e == gated && t.cols/2%64 != 0 {
		cols = 32
	}
	a.YMap, err = k.tileMap(y, 64, cols)
	return err
}
