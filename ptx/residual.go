package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type residualKernels struct {
	add overlapped[residualArgs]
}

type residualArgs struct {
	Y, Res, X, W uintptr
	H, Begins    int32
	Eps          float32
}

func (p *residualKernels) declare(k *Kernels) { p.add.declare(k, "residual", "add_rmsnorm_f32", 0) }

// BeginResidual enqueues res = x, then y = norm(res)·w on s. Shapes and limits are AddResidual's.
func (k *Kernels) BeginResidual(s driver.Stream, y, res, x, w tensor.View, eps float32) error {
	return k.residual(s, "begin_residual", y, res, x, w, residualArgs{Begins: 1, Eps: eps})
}

// AddResidual enqueues res += x, in f32, then y = norm(res)·w, or y = res where w is empty, on s.
//
//	x [T,H] bf16    res [T,H] f32    w [H] f32 or empty    y [T,H] bf16, may be x; all contiguous
//
// H is a multiple of 8; res overlaps none of the others. Kernel: src/residual.cu (Zhang & Sennrich 2019,
// arXiv:1910.07467). Oracle: cpu.AddRMSNorm.
func (k *Kernels) AddResidual(s driver.Stream, y, res, x, w tensor.View, eps float32) error {
	return k.residual(s, "add_residual", y, res, x, w, residualArgs{Eps: eps})
}

func (k *Kernels) residual(s driver.Stream, op string, y, res, x, w tensor.View, a residualArgs) error {
	c := tensor.Checking(op)
	c.Want("x", x, tensor.BF16, "T", "H").Want("res", res, tensor.F32, "T", "H").Want("y", y, tensor.BF16, "T", "H")
	if w.Rank > 0 {
		c.Want("w", w, tensor.F32, "H")
	}
	c.Contiguous("x", x).Contiguous("res", res).Contiguous("y", y).Multiple("H", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	a.Y, a.Res, a.X, a.W, a.H = y.Ptr, res.Ptr, x.Ptr, w.Ptr, int32(c.Dim("H"))
	grid, block := rowPerBlock(c.Dim("T"), c.Dim("H"))
	return k.res.add.launch(s, grid, block, a)
}
