package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type normKernels struct {
	rmsnorm    overlapped[rmsnormArgs]
	addRMSNorm overlapped[addRMSNormArgs]
	add        overlapped[addArgs]
}

type rmsnormArgs struct {
	Y, X, W uintptr
	Rows, H int32
	Eps     float32
}

type addRMSNormArgs struct {
	Y, Res, X, W uintptr
	Rows, H      int32
	Eps          float32
}

type addArgs struct {
	Res, X uintptr
	Chunks int64
}

func (n *normKernels) declare(k *Kernels) {
	n.rmsnorm.declare(k, "rmsnorm", "rmsnorm", 0)
	n.addRMSNorm.declare(k, "rmsnorm", "add_rmsnorm", 0)
	n.add.declare(k, "rmsnorm", "add", 0)
}

// RMSNorm enqueues y[t,:] = x[t,:] / sqrt(mean(x[t,:]²)+eps) · w on s.
//
//	x [T,H] bf16    w [H] f32    y [T,H] bf16, may be x; all contiguous
//
// H is a multiple of 8, at most 16384. Kernel: src/rmsnorm.cu (Zhang & Sennrich 2019, arXiv:1910.07467). Oracle: cpu.RMSNorm.
func (k *Kernels) RMSNorm(s driver.Stream, y, x, w tensor.View, eps float32) error {
	c := tensor.Checking("rmsnorm")
	c.Want("x", x, k.elem(), "T", "H").Want("w", w, tensor.F32, "H").Want("y", y, k.elem(), "T", "H")
	c.Contiguous("x", x).Contiguous("y", y).Multiple("H", 8).Max("H", maxNorm)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	grid, block := k.normGrid(c.Dim("T"), c.Dim("H"))
	return k.norm.rmsnorm.launch(s, grid, block, rmsnormArgs{y.Ptr, x.Ptr, w.Ptr, int32(c.Dim("T")), int32(c.Dim("H")), eps})
}

// AddRMSNorm enqueues res += x, rounded to bf16, then y = norm(res)·w on s. Shapes and limits are RMSNorm's; res [T,H]
// bf16 overlaps none of the others, y may be x.
func (k *Kernels) AddRMSNorm(s driver.Stream, y, res, x, w tensor.View, eps float32) error {
	c := tensor.Checking("add_rmsnorm")
	c.Want("x", x, k.elem(), "T", "H").Want("res", res, k.elem(), "T", "H").Want("w", w, tensor.F32, "H")
	c.Want("y", y, k.elem(), "T", "H").Contiguous("x", x).Contiguous("res", res).Contiguous("y", y).Multiple("H", 8).Max("H", maxNorm)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	grid, block := k.normGrid(c.Dim("T"), c.Dim("H"))
	return k.norm.addRMSNorm.launch(s, grid, block, addRMSNormArgs{y.Ptr, res.Ptr, x.Ptr, w.Ptr, int32(c.Dim("T")), int32(c.Dim("H")), eps})
}

// Add enqueues res += x, rounded to bf16, on s. Both are [T,H] bf16, contiguous, H a multiple of 8, and do not overlap.
func (k *Kernels) Add(s driver.Stream, res, x tensor.View) error {
	c := tensor.Checking("add")
	c.Want("x", x, k.elem(), "T", "H").Want("res", res, k.elem(), "T", "H")
	c.Contiguous("x", x).Contiguous("res", res).Multiple("H", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	chunks := x.Len() / 8
	grid := driver.Dim{X: min(ceilDiv(chunks, 256), 8*k.SMs())}
	return k.norm.add.launch(s, grid, driver.Dim{X: 256}, addArgs{res.Ptr, x.Ptr, int64(chunks)})
}

// maxNorm is the longest row that a block's threads keep in registers, normHeld elements each: as in src/rmsnorm.cu.
const (
	maxNorm  = 16384
	normHeld = 16
)

// normGrid gives each row a block, or where there are more the blocks that run at once several.
func (k *Kernels) normGrid(rows, h int) (grid, block driver.Dim) {
	threads := roundUp(ceilDiv(h, normHeld), 32)
	return driver.Dim{X: min(rows, k.SMs()*max(1, 1024/threads))}, driver.Dim{X: threads}
}

// rowPerBlock gives each row of h elements one block of threads that take eight elements at a time.
func rowPerBlock(rows, h int) (grid, block driver.Dim) {
	return driver.Dim{X: rows}, driver.Dim{X: min(1024, roundUp(h/8, 32))}
}
