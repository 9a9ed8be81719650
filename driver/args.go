package driver

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Args is a kernel's argument block: Reset it, add the arguments in the order of the .entry, pass it to Launch. Each is
// put at its natural alignment, as PTX lays parameters out. The driver copies the block during Launch, so that one Args
// serves launch after launch without allocating; it is not for two goroutines at once. The zero Args is empty.
//
// A block with a parameter that is aligned beyond maxBlockAlign goes to the driver argument by argument: compilers then
// begin the parameters some way into their memory, where only the kernel's image says, and the driver copies a whole
// block to the beginning.
type Args struct {
	buf    []byte
	starts []uintptr // of each argument in buf
	apart  bool      // to be passed argument by argument

	size      uintptr
	extra     [5]uintptr
	addresses []uintptr   // of each argument
	list      [11]uintptr // arguments of cuLaunchKernel

	config launchConfig // for launches with attributes
	attrs  [2]launchAttribute
}

// Reset forgets the arguments and keeps the memory.
func (a *Args) Reset() *Args {
	a.buf, a.starts, a.apart = a.buf[:0], a.starts[:0], false
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

// Struct adds several parameters that p holds as PTX lays them out; one begins at each of starts, and align is the
// largest of their alignments.
func (a *Args) Struct(p []byte, starts []uintptr, align int) *Args {
	a.align(align)
	a.starts = a.starts[:len(a.starts)-1]
	for _, s := range starts {
		a.starts = append(a.starts, uintptr(len(a.buf))+s)
	}
	a.buf = append(a.buf, p...)
	return a
}

// maxBlockAlign is the alignment that the memory of parameters has on every device.
const maxBlockAlign = 16

// align is the block padded to a multiple of n, where an argument begins.
func (a *Args) align(n int) []byte {
	for len(a.buf)%n != 0 {
		a.buf = append(a.buf, 0)
	}
	a.starts = append(a.starts, uintptr(len(a.buf)))
	a.apart = a.apart || n > maxBlockAlign
	return a.buf
}

// Marks of the list that cuLaunchKernel takes for an argument block.
const (
	paramEnd           = 0
	paramBufferPointer = 1
	paramBufferSize    = 2
)

// seal gives cuLaunchKernel's last two arguments: addresses of the arguments, or the list that points at the block. a is
// on the heap, which does not move: Launch lets it escape.
func (a *Args) seal() (addresses, extra uintptr) {
	if a.apart {
		a.addresses = a.addresses[:0]
		for _, s := range a.starts {
			a.addresses = append(a.addresses, uintptr(unsafe.Pointer(&a.buf[s])))
		}
		return uintptr(unsafe.Pointer(&a.addresses[0])), 0
	}
	a.extra[0] = paramEnd
	if len(a.buf) > 0 {
		a.size = uintptr(len(a.buf))
		a.extra = [5]uintptr{
			paramBufferPointer, uintptr(unsafe.Pointer(unsafe.SliceData(a.buf))),
			paramBufferSize, uintptr(unsafe.Pointer(&a.size)),
			paramEnd,
		}
	}
	return 0, uintptr(unsafe.Pointer(&a.extra))
}
