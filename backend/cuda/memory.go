package cuda

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// memory is device and pinned host memory that lives until close. Small pieces share blocks.
type memory struct {
	ctx    *driver.Context
	blocks []driver.DevicePtr
	pinned [][]byte
	spare  driver.DevicePtr // what is left of the newest shared block
	left   int64
}

const (
	align       = 256     // of every piece; the driver gives its own allocations that much
	sharedBlock = 4 << 20 // bytes that small pieces are cut from
	small       = 1 << 20 // bytes below which a piece is small
)

// device reserves n bytes, not zeroed.
func (m *memory) device(n int64) (driver.DevicePtr, error) {
	n = max(align, (n+align-1)/align*align)
	if n > small {
		return m.block(n)
	}
	if n > m.left {
		p, err := m.block(sharedBlock)
		if err != nil {
			return 0, err
		}
		m.spare, m.left = p, sharedBlock
	}
	p := m.spare
	m.spare += uintptr(n)
	m.left -= n
	return p, nil
}

func (m *memory) block(n int64) (driver.DevicePtr, error) {
	p, err := m.ctx.Alloc(n)
	if err == nil {
		m.blocks = append(m.blocks, p)
	}
	return p, err
}

// host reserves n bytes of pinned host memory.
func (m *memory) host(n int) ([]byte, error) {
	p, err := m.ctx.AllocHost(n)
	if err == nil {
		m.pinned = append(m.pinned, p)
	}
	return p, err
}

func (m *memory) close() error {
	var errs []error
	for _, p := range m.blocks {
		errs = append(errs, m.ctx.Free(p))
	}
	for _, p := range m.pinned {
		errs = append(errs, m.ctx.FreeHost(p))
	}
	return errors.Join(errs...)
}

// over returns bytes as values of type T. Pinned memory is aligned far beyond any T.
func over[T any](b []byte) []T {
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(zero)))
}

// bytesOf returns the bytes that values lie in.
func bytesOf[T any](v []T) []byte {
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(zero)))
}

// addressOf is where pinned values lie, for the device as for the host.
func addressOf[T any](v []T) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(v))) }

// Put copies data to memory that lives until Close, rounded to the type of activations. It waits, and panics when there is no memory: it
// is for tests and tools.
func (b *Backend) Put(data []float32, dims ...int) tensor.View {
	raw := make([]byte, 0, 2*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint16(raw, narrow(b.opts.Elem, v))
	}
	p, err := b.memory.device(int64(len(raw)))
	if err == nil {
		err = errors.Join(driver.CopyHtoD(b.stream, p, raw), b.stream.Sync())
	}
	if err != nil {
		panic(fmt.Errorf("cannot put %d values on the GPU: %w", len(data), err))
	}
	return tensor.Of(p, b.opts.Elem, dims...)
}

// Get waits for the GPU and returns a copy of v's values: bf16, f16, f32 or i32.
func (b *Backend) Get(v tensor.View) ([]float32, error) {
	if v.Len() == 0 {
		return nil, nil
	}
	row := v.Row()
	raw := make([]byte, v.Type.Bytes((v.Dim[0]-1)*v.Stride+row))
	if err := errors.Join(driver.CopyDtoH(b.stream, raw, v.Ptr), b.stream.Sync()); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", v, err)
	}
	out := make([]float32, 0, v.Len())
	for i := range v.Dim[0] {
		for j := range row {
			x, err := element(v.Type, raw, i*v.Stride+j)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
	}
	return out, nil
}

func element(t tensor.DType, raw []byte, i int) (float32, error) {
	switch t {
	case tensor.BF16, tensor.F16:
		return widen(t, binary.LittleEndian.Uint16(raw[2*i:])), nil
	case tensor.F32:
		return math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])), nil
	case tensor.I32:
		return float32(int32(binary.LittleEndian.Uint32(raw[4*i:]))), nil
	}
	return 0, fmt.Errorf("cannot read values of type %s", t)
}
