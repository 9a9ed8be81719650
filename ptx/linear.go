package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// linearArgs mirrors LINEAR_PARAMS of src/linear.cuh.
type linearArgs struct {
	Y, X, W, Bias, Work, Arrived uintptr
	M, N, K, Slice, Splits, Act  int32
	Scale, Softcap               float32
}

// epilogue is what a linear kernel does with its sums.
type epilogue int

const (
	plain  epilogue = iota // bias; bf16
	gated                  // act(gate)·up; bf16
	logits                 // scale, softcap; f32
	epilogues
)

var epilogueSuffix = [epilogues]string{"", "_gated", "_logits"}

// Activation is the non-linearity of a gated projection, as src/linear.cuh numbers them.
type Activation int32

const (
	SiLU Activation = iota
	GELU
	GELUTanh
)

// A linearTile is one way to compute a linear operation: a block takes rows tokens by cols features.
type linearTile struct {
	name       string
	rows, cols int
	threads    int
	shared     int
	blocks     int  // that fit on a multiprocessor
	walks      bool // a block goes on to further tiles
	split      int  // fewest columns of K that a block is worth; 0: K is not split
	kernels    [epilogues]kernel[linearArgs]
}

type linearKernels struct {
	tiles  [5]linearTile
	forced string
}

func (p *linearKernels) declare(k *Kernels) {
	p.tiles = [...]linearTile{
		{name: "skinny_m8", rows: 8, cols: 16, threads: 256, blocks: 2, walks: true, split: 512},
		{name: "skinny_m16", rows: 16, cols: 16, threads: 256, blocks: 2, walks: true, split: 512},
		{name: "gemm_m32", rows: 32, cols: 64, threads: 128, shared: (32 + 64) * 128 * 6, blocks: 2, split: 256},
		{name: "gemm_m64", rows: 64, cols: 64, threads: 128, shared: (64 + 64) * 128 * 4, blocks: 3, split: 256},
		{name: "gemm_m128", rows: 128, cols: 128, threads: 256, shared: (128 + 128) * 128 * 3, blocks: 2},
	}
	for i := range p.tiles {
		t := &p.tiles[i]
		file := t.name
		if t.walks {
			file = "skinny"
		}
		for e := range epilogues {
			t.kernels[e].declare(k, file, t.name+epilogueSuffix[e], t.shared)
		}
	}
}

// Linear enqueues y = x·wᵀ + bias on s.
//
//	x [M,K] bf16    w [N,K] bf16    bias [N] f32 or empty    y [M,N] bf16; all contiguous, y overlaps none
//
// K is a multiple of 8. The result depends on no other row of x, but for the choice of kernel by M; see Kernels.Steady.
// Kernels: src/skinny.cu, src/gemm_*.cu. Oracle: cpu.Linear.
func (k *Kernels) Linear(s driver.Stream, y, x, w, bias tensor.View) error {
	c := tensor.Checking("linear")
	c.Want("x", x, k.elem(), "M", "K").Want("w", w, k.elem(), "N", "K").Want("y", y, k.elem(), "M", "N")
	if bias.Rank > 0 {
		c.Want("bias", bias, tensor.F32, "N")
	}
	return k.linear(s, &c, plain, y, x, w, linearArgs{Bias: bias.Ptr})
}

// GatedLinear enqueues y = act(x·gateᵀ) · (x·upᵀ) on s.
//
//	x [M,K] bf16    w [N,K] bf16: gate and up in turns of eight rows, see Pair    y [M,N/2] bf16
//
// All contiguous, y overlaps none; K is a multiple of 8, N of 16. Kernels: src/skinny.cu, src/gemm_*.cu. Oracle:
// cpu.GatedLinear.
func (k *Kernels) GatedLinear(s driver.Stream, y, x, w tensor.View, act Activation) error {
	c := tensor.Checking("gated_linear")
	c.Want("x", x, k.elem(), "M", "K").Want("w", w, k.elem(), "N", "K").Want("y", y, k.elem(), "M", "N/2").Multiple("N", 16)
	if c.Err() == nil && 2*c.Dim("N/2") != c.Dim("N") {
		return &tensor.ShapeError{Op: "gated_linear", Operand: "y", Got: y.String(), Want: "half as many columns as w has rows"}
	}
	return k.linear(s, &c, gated, y, x, w, linearArgs{Act: int32(act)})
}

// Logits enqueues y = scale·x·wᵀ on s, then y = softcap·tanh(y/softcap) where softcap > 0.
//
//	x [M,K] bf16    w [N,K] bf16    y [M,N] f32; all contiguous, y overlaps none
//
// K is a multiple of 8. Kernels: src/skinny.cu, src/gemm_*.cu. Oracle: cpu.Logits.
func (k *Kernels) Logits(s driver.Stream, y, x, w tensor.View, scale, softcap float32) error {
	c := tensor.Checking("logits")
	c.Want("x", x, k.elem(), "M", "K").Want("w", w, k.elem(), "N", "K").Want("y", y, tensor.F32, "M", "N")
	return k.linear(s, &c, logits, y, x, w, linearArgs{Scale: scale, Softcap: softcap})
}

func (k *Kernels) linear(s driver.Stream, c *tensor.Check, e epilogue, y, x, w tensor.View, a linearArgs) error {
	c.Contiguous("x", x).Contiguous("w", w).Contiguous("y", y).Multiple("K", 8)
	m, n, depth := c.Dim("M"), c.Dim("N"), c.Dim("K")
	if err := c.Err(); err != nil || m == 0 || n == 0 {
		return err
	}
	if t := k.hopperTile(e, x, w, y, m, n, depth); t != nil {
		return k.launchHopper(s, t, e, y, x, w, hopperArgs{Y: y.Ptr, Bias: a.Bias, M: int32(m), N: int32(n), K: int32(depth),
			Act: a.Act, Scale: a.Scale, Softcap: a.Softcap})
	}
	t, err := k.lin.choose(m, n, k.SMs(), k.Steady)
	if err != nil {
		return err
	}
	grid := t.grid(m, n, depth, k.SMs())
	if k.Steady {
		grid.Y = 1
	}
	a.Y, a.X, a.W, a.Work, a.Arrived = y.Ptr, x.Ptr, w.Ptr, k.sums.ptr, k.counts.ptr
	a.M, a.N, a.K = int32(m), int32(n), int32(depth)
	a.Splits, a.Slice = int32(grid.Y), int32(t.slice(depth, grid.Y))
	return t.kernels[e].launch(s, grid, driver.Dim{X: t.threads}, a)
}

// choose takes the smallest tile that holds all tokens; beyond 64 it takes the large one once that fills the device. If
// steady, it takes none of those that walk: they share K among their warps.
func (p *linearKernels) choose(m, n, sms int, steady bool) (*linearTile, error) {
	if p.forced != "" {
		return p.force(m)
	}
	for i := range p.tiles[:3] {
		if t := &p.tiles[i]; m <= t.rows && !(steady && t.walks) {
			return t, nil
		}
	}
	large := &p.tiles[4]
	if m > 64 && ceilDiv(m, large.rows)*ceilDiv(n, large.cols) >= sms*3/4 {
		return large, nil
	}
	return &p.tiles[3], nil
}

func (p *linearKernels) force(m int) (*linearTile, error) {
	for i := range p.tiles {
		t := &p.tiles[i]
		if t.name == p.forced && (!t.walks || m <= t.rows) {
			return t, nil
		}
	}
	return nil, fmt.Errorf("cannot force kernel %s on %d tokens", p.forced, m)
}

// grid gives the blocks: tiles, or for kernels that walk as many as the device runs at a time, by splits of K.
func (t *linearTile) grid(m, n, k, sms int) driver.Dim {
	tiles := ceilDiv(m, t.rows) * ceilDiv(n, t.cols)
	run := t.blocks * sms
	splits := 1
	if t.split > 0 && tiles < run {
		splits = max(1, min(run/tiles, k/t.split))
		splits = ceilDiv(k, t.slice(k, splits)) // rounding may leave the last one nothing
	}
	if t.walks {
		tiles = min(tiles, run)
	}
	return driver.Dim{X: tiles, Y: splits}
}

// slice is the columns of K of one split, whole steps of 64.
func (t *linearTile) slice(k, splits int) int { return roundUp(ceilDiv(k, splits), 64) }
