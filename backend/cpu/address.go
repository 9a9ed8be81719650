package cpu

import (
	"unsafe"

	"github.com/weft-llm/weft/tensor"
)

// All conversions between addresses and slices are here. A View holds a plain address, which keeps nothing alive: what
// it points to is memory outside the Go heap (Backend.held) that lives until Close.

// mat is a matrix of f32 rows, stride apart.
type mat struct {
	data               []float32
	rows, cols, stride int
}

func (m mat) row(i int) []float32 { return m.data[i*m.stride : i*m.stride+m.cols] }

// span returns the elements from v's first to its last, gaps included.
func span(v tensor.View) int {
	if v.Len() == 0 {
		return 0
	}
	return (v.Dim[0]-1)*v.Stride + v.Row()
}

func pointer(v tensor.View) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&v.Ptr)) // v.Ptr is not a Go heap address
}

// matrix returns the f32 rows of v, whose first dimension counts rows.
func matrix(v tensor.View) mat {
	n := span(v)
	if n == 0 {
		return mat{}
	}
	return mat{unsafe.Slice((*float32)(pointer(v)), n), v.Dim[0], v.Row(), v.Stride}
}

// ints returns the elements of a contiguous i32 view.
func ints(v tensor.View) []int32 {
	if v.Len() == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(pointer(v)), v.Len())
}

// viewInts returns a view of s, which lies outside the Go heap.
func viewInts(s []int32) tensor.View {
	if len(s) == 0 {
		return tensor.Of(0, tensor.I32, 0)
	}
	return tensor.Of(uintptr(unsafe.Pointer(&s[0])), tensor.I32, len(s))
}

// viewFloats returns a view of s, which lies outside the Go heap.
func viewFloats(s []float32, dims ...int) tensor.View {
	if len(s) == 0 {
		return tensor.Of(0, tensor.F32, dims...)
	}
	return tensor.Of(uintptr(unsafe.Pointer(&s[0])), tensor.F32, dims...)
}

func bytesAsFloats(m []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[0])), len(m)/4)
}

func floatsAsInts(f []float32) []int32 {
	if len(f) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&f[0])), len(f))
}
