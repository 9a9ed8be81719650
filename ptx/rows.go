package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type rowsKernels struct {
	rows overlapped[rowsArgs]
}

// rowsAhead is how many chunks of eight elements a thread has under way: as in src/rows.cu.
const rowsAhead = 4

// rowsThreads is the threads of a block that takes several short rows: blocks of one row each took longer to start than to run.
const rowsThreads = 512

type rowsArgs struct {
	Y, Table, Index uintptr
	Stride          int64
	Count, N, H     int32
	Scale           float32
}

func (p *rowsKernels) declare(k *Kernels) { p.rows.declare(k, "rows", "rows", 0) }

// Rows enqueues y[t,:] = scale · table[index[t],:] on s. An index outside the table reads row 0.
//
//	table [N,H] bf16, rows a multiple of 8 elements apart    index [T] i32    y [T,H] bf16, contiguous, not table
//
// H is a multiple of 8. Kernel: src/rows.cu. Oracle: cpu.Embed.
func (k *Kernels) Rows(s driver.Stream, y, table, index tensor.View, scale float32) error {
	c := tensor.Checking("rows")
	c.Want("table", table, k.elem(), "N", "H").Want("index", index, tensor.I32, "T").Want("y", y, k.elem(), "T", "H")
	c.Contiguous("y", y).Multiple("H", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	if table.Stride%8 != 0 {
		return &tensor.ShapeError{Op: "rows", Operand: "table", Got: table.String(), Want: "rows a multiple of 8 elements apart"}
	}
	_, block := rowPerBlock(c.Dim("T"), ceilDiv(c.Dim("H"), rowsAhead))
	block.Y = max(1, min(rowsThreads/block.X, c.Dim("T")/k.SMs()))
	return k.rows.rows.launch(s, driver.Dim{X: ceilDiv(c.Dim("T"), block.Y)}, block, rowsArgs{
		y.Ptr, table.Ptr, index.Ptr, int64(table.Stride), int32(c.Dim("T")), int32(c.Dim("N")), int32(c.Dim("H")), scale,
	})
}
