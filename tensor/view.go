package tensor

import (
	"fmt"
	"strings"
)

// MaxRank is the most dimensions a View has.
const MaxRank = 4

// View is a typed window on memory that somebody else owns. It is a plain value: copying it copies no data.
//
// All dimensions but the first are contiguous; Stride is the distance between consecutive entries of the first one,
// in elements, so that a column range of a matrix is a View too. The zero View is empty.
type View struct {
	Ptr    uintptr // device address, or host address of memory that the Go heap does not move
	Type   DType
	Rank   int
	Dim    [MaxRank]int
	Stride int
}

// Of returns a contiguous view of dims at ptr.
func Of(ptr uintptr, t DType, dims ...int) View {
	v := View{Ptr: ptr, Type: t, Rank: len(dims), Stride: 1}
	for i, d := range dims {
		v.Dim[i] = d
		if i > 0 {
			v.Stride *= d
		}
	}
	return v
}

// Len returns the number of elements.
func (v View) Len() int {
	if v.Rank == 0 {
		return 0
	}
	n := 1
	for _, d := range v.Dim[:v.Rank] {
		n *= d
	}
	return n
}

// Bytes returns the bytes that the elements take, gaps between rows not counted.
func (v View) Bytes() int64 { return v.Type.Bytes(v.Len()) }

// Contiguous reports whether no gap lies between rows.
func (v View) Contiguous() bool { return v.Rank == 0 || v.Dim[0] <= 1 || v.Stride == v.Row() }

// Row returns the elements of one entry of the first dimension.
func (v View) Row() int {
	n := 1
	for _, d := range v.Dim[1:max(v.Rank, 1)] {
		n *= d
	}
	return n
}

// Rows returns entries [lo,hi) of the first dimension.
func (v View) Rows(lo, hi int) View {
	v.Ptr += uintptr(v.Type.Bytes(lo * v.Stride))
	v.Dim[0] = hi - lo
	return v
}

// Cols returns columns [lo,hi) of a matrix; rows keep their distance.
func (v View) Cols(lo, hi int) View {
	v.Ptr += uintptr(v.Type.Bytes(lo))
	v.Dim[1] = hi - lo
	return v
}

// String returns for example "bf16[4096,1024]".
func (v View) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s[", v.Type)
	for i, d := range v.Dim[:v.Rank] {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, d)
	}
	b.WriteByte(']')
	if !v.Contiguous() {
		fmt.Fprintf(&b, " stride %d", v.Stride)
	}
	return b.String()
}
