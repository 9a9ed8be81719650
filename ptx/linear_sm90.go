package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// hopperArgs mirrors HOPPER_PARAMS of src/linear_sm90.cuh.
type hopperArgs struct {
	XMap, XTail, WMap, YMap  driver.TensorMap
	Y, Bias                  uintptr
	Work, Arrived            uintptr
	M, N, K                  int32
	Order, Down, Splits, Act int32
	Scale, Softcap           float32
}

// A hopperKernel computes tiles of rows tokens by cols features.
type hopperKernel struct {
	name       string
	rows, cols int
	stages     int
	swapped    bool // a GEMM whose rows are features
	kernels    [epilogues]kernel[hopperArgs]
	argmax     kernel[argmaxArgs]
}

// A hopperTile is a kernel and how its blocks are launched.
type hopperTile struct {
	name string
	*hopperKernel
	skinny bool // operands swapped
	down   int  // tiles of a cluster that share w
	across int  // that share x
	splits int  // slices of K, each a cluster's, or when skinny a block's of the cluster
}

// hopperLinear are the linear kernels of sm_90a.
type hopperLinear struct {
	gemms  [13]hopperKernel
	thin   [4]hopperKernel
	tiles  []hopperTile
	forced *hopperTile
	chosen map[choiceKey]*hopperTile // see choice
	maps   mapCache
}

func (p *hopperLinear) declare(k *Kernels) {
	p.tiles = nil
	p.declareGemms(k)
	p.thin = [...]hopperKernel{
		{name: "skinny_n8", rows: 8, cols: 64, stages: 10},
		{name: "skinny_n16", rows: 16, cols: 64, stages: 9},
		{name: "skinny_n32", rows: 32, cols: 64, stages: 7},
		{name: "skinny_n64", rows: 64, cols: 64, stages: 5},
	}
	for i := range p.thin {
		h := &p.thin[i]
		h.declare(k, skinnyShared(h), skinnyShared(h)+bestBytes*h.rows)
		for splits := 1; splits <= maxCluster; splits *= 2 {
			p.tiles = append(p.tiles, hopperTile{name: h.name + suffix("s", splits), hopperKernel: h, skinny: true, down: 1, across: 1, splits: splits})
		}
	}
}

func suffix(letter string, n int) string {
	if n == 1 {
		return ""
	}
	return letter + string(rune('0'+n))
}

func (h *hopperKernel) declare(k *Kernels, shared, argmaxShared int) {
	for e := range epilogues {
		h.kernels[e].declare(k, h.name+"_sm90", h.name+epilogueSuffix[e], shared)
	}
	h.argmax.declare(k, h.name+"_sm90", h.name+"_argmax", argmaxShared)
}

// maxCluster is the largest cluster that every device runs.
const maxCluster = 8

// hopperStep is the columns of K in a stage: 128 bytes, the widest swizzle.
const hopperStep = 64

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
	return k.hop.choice(choiceKey{e, m, n, depth, k.Steady}, k.SMs())
}

// launchHopper enqueues one linear operation by t. w may be read before the kernels ahead on s have ended.
func (k *Kernels) launchHopper(s driver.Stream, t *hopperTile, e epilogue, y, x, w tensor.View, a hopperArgs) error {
	l, err := k.hopperLaunch(s, t, e, y, x, w, &a)
	if err != nil {
		return err
	}
	return t.kernels[e].enqueue(l, a)
}

// hopperLaunch is how t is launched, and fills in the arguments that follow from it.
func (k *Kernels) hopperLaunch(s driver.Stream, t *hopperTile, e epilogue, y, x, w tensor.View, a *hopperArgs) (driver.Launch, error) {
	m, n := int(a.M), int(a.N)
	l := driver.Launch{Stream: s, Overlap: true}
	if !k.Dry {
		if err := k.hopperMaps(t, e, y, x, w, a); err != nil {
			return l, err
		}
	}
	if t.skinny {
		rows, groups := ceilDiv(m, t.rows), ceilDiv(n, t.cols)
		if t.splits == 1 {
			groups = min(groups, max(1, t.resident()*k.SMs()/rows))
		}
		l.Cluster = driver.Dim{X: t.splits}
		l.Grid, l.Block = driver.Dim{X: groups * t.splits, Y: rows}, driver.Dim{X: 2*t.cols + 32}
	} else {
		l.Grid, l.Cluster, l.Block, a.Order, a.Splits = t.gemmLaunch(e, m, n, int(a.K), k.SMs())
		a.Down = int32(t.down)
		a.Work, a.Arrived = k.kept.ptr, k.counts.ptr
		if t.counts() {
			a.Work = k.sums.ptr
		}
	}
	return l, nil
}

func (k *Kernels) hopperMaps(t *hopperTile, e epilogue, y, x, w tensor.View, a *hopperArgs) (err error) {
	wRows, xRows := t.cols, t.rows
	if !t.skinny && !t.swapped { // the tiles of a cluster copy a part each
		wRows, xRows = wRows/2, xRows/t.across
	}
	if a.XMap, a.XTail, err = k.tokenMaps(x, xRows); err != nil {
		return err
	}
	if a.WMap, err = k.tileMap(w, wRows, hopperStep); err != nil || t.skinny || t.swapped || e == logits {
		return err
	}
	cols := 64
	if e == gated && t.cols/2%64 != 0 {
		cols = 32
	}
	a.YMap, err = k.tileMap(y, 64, cols)
	return err
}
