package ptx

import (
	"bytes"
	"math"
	"runtime"
	"testing"
	"unsafe"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// bench is a GPU with buffers that notice writes beside them.
type bench struct {
	testing.TB
	*gpu
}

// guard is the bytes before and behind each buffer.
const guard = 512

// onGPU is for timing, on a real GPU.
func onGPU(t testing.TB) *bench { return &bench{t, openGPU(t)} }

func onDevice(t testing.TB, d drivertest.Device) *bench { return &bench{t, open(t, d)} }

// in returns b for a sub-benchmark, which runs on a thread of its own.
func (b *bench) in(t testing.TB) *bench {
	t.Helper()
	runtime.LockOSThread()
	sub := &bench{t, b.gpu}
	sub.must(b.ctx.Bind())
	return sub
}

// put copies data to the device between guards, which are checked when the test ends.
func put[E any](b *bench, ty tensor.DType, data []E, dims ...int) tensor.View {
	b.Helper()
	size := len(data) * int(unsafe.Sizeof(data[0]))
	room := roundUp(size, 256)
	host := bytes.Repeat([]byte{0xa5}, room+2*guard)
	copy(host[guard:], unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), size))
	p, err := b.ctx.Alloc(int64(len(host)))
	if err != nil {
		b.Fatal(err)
	}
	if err := driver.CopyHtoD(b.s, p, host); err != nil {
		b.Fatal(err)
	}
	b.sync()
	b.Cleanup(func() {
		after := make([]byte, len(host))
		if err := driver.CopyDtoH(b.s, after, p); err != nil {
			b.Fatal(err)
		}
		b.sync()
		if !bytes.Equal(after[:guard], host[:guard]) || !bytes.Equal(after[guard+size:], host[guard+size:]) {
			b.Errorf("wrote beside a buffer of %d bytes", size)
		}
		_ = b.ctx.Free(p)
	})
	v := tensor.Of(p+guard, ty, dims...)
	return v
}

// get copies n elements from the start of v.
func get[E any](b *bench, v tensor.View, n int) []E {
	b.Helper()
	out := make([]E, n)
	b.sync()
	if err := driver.CopyDtoH(b.s, unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), n*int(unsafe.Sizeof(out[0]))), v.Ptr); err != nil {
		b.Fatal(err)
	}
	b.sync()
	return out
}

func (b *bench) sync() {
	b.Helper()
	if err := b.s.Sync(); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func toBF16(f float32) uint16 {
	u := math.Float32bits(f)
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

func fromBF16(u uint16) float64 { return float64(math.Float32frombits(uint32(u) << 16)) }
