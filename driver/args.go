package driver

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Args is a kernel's argument block: Reset it, add the arguments in the order of the .entry, pass it to Launch. Each is
// put at its natural alignment, as PTX lays parameters out. The driver copies the block during Launch, so that one Args
// serves launch after launch without allocating; it is not for two goroutines at once. The zero Args is empty.
type Args struct {
	buf   []byte
	size  uintptr
	extra [5]uintptr
	list  [11]uintptr // arguments of cuLaunchKernel

	config launchConfig // for launches with attributes
	attrs  [2]launchAttribute
}

// Reset forgets the arguments and keeps the memory.
func (a *Args) Reset() *Args {
	a.buf = a.buf[:0]
	return a
}

// Len is the bytes so far: the size of the parameter block.
func (a *Args) Len() int { return len(a.buf) }

// Ptr adds a device address.
func (a *Args) Ptr(p DevicePtr) *Args { return a.U64(uint64(p)) }

// I32 adds a .s32 parameter.
func (a *Args) I32(v int32) *Args { return a.U32(uint32(v)) }

// I64 adds a .s64 parameter.
func (a *Args) I64(v int64) *Args { return a.U64(uint64(v)) }

// F32 adds a .f32 parameter.
func (a *Args) F32(v float32) *Args { return a.U32(math.Float32bits(v)) }

// U32 adds a .u32 parameter.
func (a *Args) U32(v uint32) *Args {
	a.buf = binary.LittleEndian.AppendUint32(a.align(4), v)
	return a
}

// U64 adds a .u64 parameter.
func (a *Args) U64(v uint64) *Args {
	a.buf = binary.LittleEndian.AppendUint64(a.align(8), v)
	return a
}

// Bytes adds a parameter passed by value: a struct, or a TensorMap with align 64. align is a power of two.
func (a *Args) Bytes(p []byte, align int) *Args {
	a.buf = append(a.align(align), p...)
	return a
}

// align is the block padded to a multiple of n.
func (a *Args) align(n int) []byte {
	for len(a.buf)%n != 0 {
		a.buf = append(a.buf, 0)
	}
	return a.buf
}

// Marks of the list that cuLaunchKernel takes for an argument block.
const (
	paramEnd           = 0
	paramBufferPointer = 1
	paramBufferSize    = 2
)

// seal points the list at the block. a is on the heap, which does not move: Launch lets it escape.
func (a *Args) seal() {
	if len(a.buf) == 0 {
		a.extra[0] = paramEnd
		return
	}
	a.size = uintptr(len(a.buf))
	a.extra = [5]uintptr{
		paramBufferPointer, uintptr(unsafe.Pointer(unsafe.SliceData(a.buf))),
		paramBufferSize, uintptr(unsafe.Pointer(&a.size)),
		paramEnd,
	}
}
