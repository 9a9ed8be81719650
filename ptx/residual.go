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

// AddResidual enqueues res += x, in f32, or res = x where the stream begins, then y = norm(res)·w, or y = res where w is
// empty, on s.
//
//	x [T,H] bf16    res [T,H] f32    w [H] f32 or empty    y [T,H] bf16, may be x; all contiguous
//
// H is a multiple of 8; res overlaps none of the others. Kernel: src/residual.cu (Zhang & Sennrich 2019,
// arXiv:1910.07467). Oracle: cpu.AddRMSNorm.
func (k *Kernels) AddResidual(s driver.Stream, y, res, x, w tensor.View, eps float32, begins bool) error {
	c := tensor.Checking("add_residual")
	c.Want("x", x, k.elem(), "T", "H").Want("res", res, tensor.F32, "T", "H").Want("y", y, k.elem(), "T", "H")
	if w.Rank > 0 {
		c.Want("w", w, tensor.F32, "H")
	}
	c.Contiguous("x", x).Contiguous("res", res).Contiguous("y", y).Multiple("H", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	a := residualArgs{Y: y.Ptr, Res: res.Ptr, X: x.Ptr, W: w.Ptr, H: int32(c.Dim("H")), Eps: eps}
	if begins {
		a.Begins = 1
	}
	grid, block := rowPerBlock(c.Dim("T"), c.Dim("H"))
	return k.res.add.launch(s, grid, block, a)
}
