package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type convertKernels struct {
	from   [tensor.IQ4_XS + 1]kernel[convertArgs]
	random kernel[randomArgs]
}

type convertArgs struct {
	Dst, Src       uintptr
	First, N, Cols int64
	Row0           int32
	Pair, Wide     int32
}

type randomArgs struct {
	Dst        uintptr
	N, Cols    int64
	Seed       uint64
	Row0       int32
	Pair, Wide int32
	Std        float32
}

func (p *convertKernels) declare(k *Kernels) {
	for t := range tensor.DType(len(p.from)) {
		if file := convertFile(t); file != "" {
			p.from[t].declare(k, file, "convert_"+t.String(), 0)
		}
	}
	p.random.declare(k, "convert", "random_normal", 0)
}

// convertFile is the module that reads t, "" when none does. A model loads only those that its file needs.
func convertFile(t tensor.DType) string {
	switch t {
	case tensor.F32, tensor.F16, tensor.BF16, tensor.F8E4M3:
		return "convert"
	case tensor.Q8_0, tensor.Q4_0, tensor.Q4_1, tensor.Q5_0, tensor.Q5_1, tensor.IQ4_NL:
		return "convert_block"
	case tensor.Q2_K, tensor.Q3_K, tensor.Q4_K, tensor.Q5_K, tensor.Q6_K, tensor.IQ4_XS:
		return "convert_super"
	}
	return ""
}

// Pair says how the rows of a source lie in the weight of a gated projection, where eight rows of gate and eight of up
// take turns, so that one block of a kernel has both halves of an output.
type Pair int32

const (
	Plain Pair = iota // row after row
	Gate              // groups 0, 2, 4, …
	Up                // groups 1, 3, 5, …
)

// Place is where a source goes: a matrix of bf16 rows, or f32 values. Rows of Dst beyond the source are not written.
type Place struct {
	Dst  tensor.View // [rows,cols] bf16, or f32 of rank 1 or 2; contiguous
	Cols int         // columns of the source, which are Dst's; all elements when Dst has rank 1
	Row  int         // of Dst that source row 0 goes to; an element when Dst has rank 1
	Pair Pair
}

// CanConvert reports whether Convert reads t.
func CanConvert(t tensor.DType) bool { return convertFile(t) != "" }

// Convert enqueues on s the placing of n elements of type t, from element first on of a row-major source. src holds
// those n elements alone; up to 28 bytes behind them may be read. first and n are multiples of 8 and of t's block, but
// for n at the source's end. Kernel: src/convert.cu (ggml-org/ggml, docs/gguf.md). Oracle: backend/cpu.
func (k *Kernels) Convert(s driver.Stream, to Place, src driver.DevicePtr, t tensor.DType, first, n int) error {
	wide, err := to.check(k.elem())
	if err != nil || n == 0 {
		return err
	}
	if int(t) >= len(k.convert.from) || k.convert.from[t].name == "" {
		return fmt.Errorf("cannot convert %s to %s: no kernel reads it", t, to.Dst.Type)
	}
	dst, row := to.start()
	return k.convert.from[t].launch(s, k.eights(n), driver.Dim{X: 256},
		convertArgs{dst, src, int64(first), int64(n), int64(to.Cols), row, int32(to.Pair), wide})
}

// Random enqueues on s the placing of n normally distributed values, the i-th from seed and i alone.
func (k *Kernels) Random(s driver.Stream, to Place, n int, seed uint64, std float32) error {
	wide, err := to.check(k.elem())
	if err != nil || n == 0 {
		return err
	}
	dst, row := to.start()
	return k.convert.random.launch(s, k.eights(n), driver.Dim{X: 256},
		randomArgs{dst, int64(n), int64(to.Cols), seed, row, int32(to.Pair), wide, std})
}

func (to *Place) check(elem tensor.DType) (wide int32, err error) {
	d := to.Dst
	ok := d.Contiguous() && (d.Type == tensor.F32 && d.Rank <= 2 || d.Type == elem && d.Rank == 2)
	if !ok || d.Rank == 2 && d.Dim[1] != to.Cols {
		want := fmt.Sprintf("%s[R,%d] or f32, contiguous", elem, to.Cols)
		return 0, &tensor.ShapeError{Op: "convert", Operand: "dst", Got: d.String(), Want: want}
	}
	if d.Type == tensor.F32 {
		wide = 1
	}
	return wide, nil
}

// start gives a destination of rank 1 as one row that begins at its element.
func (to *Place) start() (dst driver.DevicePtr, row int32) {
	if to.Dst.Rank == 1 {
		return to.Dst.Ptr + uintptr(to.Dst.Type.Bytes(to.Row)), 0
	}
	return to.Dst.Ptr, int32(to.Row)
}

// eights gives n elements to threads by eight, in at most 16 blocks a multiprocessor.
func (k *Kernels) eights(n int) driver.Dim {
	return driver.Dim{X: min(ceilDiv(n, 8*256), 16*k.SMs())}
}
