package drivertest

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest/simt"
)

// Launch is one kernel run, as recorded and as a Kernel function gets it.
type Launch struct {
	Kernel  string
	Device  int
	Grid    driver.Dim
	Block   driver.Dim
	Cluster driver.Dim // zero: none
	Shared  int        // dynamic bytes
	Overlap bool
	Graph   bool   // replayed by a graph
	Args    []byte // the parameter block

	fake *Fake
	code *simt.Module
	wild bool // the Kernel function reached for memory that is not there
}

// U32 is the parameter at offset; likewise I32, U64, F32 and Ptr.
func (l *Launch) U32(offset int) uint32 { return binary.LittleEndian.Uint32(l.Args[offset:]) }

func (l *Launch) I32(offset int) int32 { return int32(l.U32(offset)) }

func (l *Launch) F32(offset int) float32 { return math.Float32frombits(l.U32(offset)) }

func (l *Launch) U64(offset int) uint64 { return binary.LittleEndian.Uint64(l.Args[offset:]) }

func (l *Launch) Ptr(offset int) driver.DevicePtr { return driver.DevicePtr(l.U64(offset)) }

// Memory is the n bytes of device or pinned host memory at p, shared and not copied. Where there are none the launch ends with
// IllegalAddress and the result is n bytes that nobody reads.
func (l *Launch) Memory(p driver.DevicePtr, n int64) []byte {
	if data := l.fake.pinned(p, int(n)); data != nil {
		return data
	}
	if data := l.fake.memory("kernel "+l.Kernel+": use", p, n); data != nil {
		return data
	}
	l.wild = true
	return make([]byte, n)
}

// config is CUlaunchConfig of cuda.h, attribute CUlaunchAttribute.
type config struct {
	grid, block [3]uint32
	shared      uint32
	stream      uintptr
	attrs       uintptr
	numAttrs    uint32
}

type attribute struct {
	id    uint32
	_     uint32
	value [16]uint32
}

func dim(x, y, z uintptr) driver.Dim { return driver.Dim{X: int(x), Y: int(y), Z: int(z)} }

func dim3(d [3]uint32) driver.Dim { return driver.Dim{X: int(d[0]), Y: int(d[1]), Z: int(d[2])} }

func (f *Fake) launchKernel(a args) driver.Result {
	l := Launch{Grid: dim(a[1], a[2], a[3]), Block: dim(a[4], a[5], a[6]), Shared: int(a[7])}
	return f.launch(a[0], a[8], a[9], a[10], l)
}

func (f *Fake) launchKernelEx(a args) driver.Result {
	const cluster, overlap = 4, 6
	c := at[config](a[0])
	l := Launch{Grid: dim3(c.grid), Block: dim3(c.block), Shared: int(c.shared)}
	for i := range uintptr(c.numAttrs) {
		switch attr := at[attribute](c.attrs + 72*i); attr.id {
		case cluster:
			l.Cluster = dim3([3]uint32(attr.value[:3]))
		case overlap:
			l.Overlap = attr.value[0] != 0
		default:
			f.fault("launch attribute %d is not played", attr.id)
			return driver.InvalidValue
		}
	}
	return f.launch(a[1], c.stream, a[2], a[3], l)
}

func (f *Fake) launch(handle, stream, addresses, extra uintptr, l Launch) driver.Result {
	fn := get[function](f, handle)
	if fn == nil {
		return driver.InvalidHandle
	}
	l.Kernel, l.Device, l.fake, l.code = fn.name, f.currentDevice(), f, fn.code
	if addresses != 0 {
		l.Args = f.gather(fn.params, addresses)
	} else if l.Args = launchArgs(extra); !fn.opaque && !f.takesBlock(fn, l.Args) {
		return driver.InvalidValue
	}
	if r := f.fits(fn, &l); r != driver.Success {
		return r
	}
	return f.enqueue(stream, op{kind: opLaunch, launch: l})
}

// gather copies arguments that come by address to where the parameters lie. The result is valid until the next launch.
func (f *Fake) gather(params layout, addresses uintptr) []byte {
	f.gathered = slices.Grow(f.gathered[:0], params.bytes())[:params.bytes()]
	for i, p := range params {
		copy(f.gathered[p.offset:], bytesAt(*at[uintptr](addresses + 8*uintptr(i)), p.size))
	}
	return f.gathered
}

// takesBlock says whether the kernel's parameters can be given as one block: it has their size, and none is aligned so
// that compilers begin them further into their memory, where a block does not reach.
func (f *Fake) takesBlock(fn *function, block []byte) bool {
	if fn.params.bytes() != len(block) {
		f.fault("kernel %s is launched with %d bytes of arguments, its parameters take %d", fn.name, len(block), fn.params.bytes())
		return false
	}
	for i, p := range fn.params {
		if p.align > 16 {
			f.fault("kernel %s is launched with a block of arguments, and parameter %d is aligned to %d", fn.name, i, p.align)
			return false
		}
	}
	return true
}

// launchArgs reads the list of CU_LAUNCH_PARAM_… marks. The result aliases the caller's block.
func launchArgs(extra uintptr) []byte {
	list := at[[5]uintptr](extra)
	if list[0] != 1 || list[2] != 2 || list[4] != 0 {
		return nil
	}
	return bytesAt(list[1], int(*at[uintptr](list[3])))
}

// fits checks l against the limits of the device.
func (f *Fake) fits(fn *function, l *Launch) driver.Result {
	g, b, c := l.Grid, l.Block, l.Cluster
	const most = 65535
	if b.X*b.Y*b.Z > maxThreads || b.Z > 64 || g.X > math.MaxInt32 || g.Y > most || g.Z > most || l.Shared > fn.maxShared {
		return driver.InvalidValue
	}
	if c == (driver.Dim{}) {
		return driver.Success
	}
	if f.cfg.Major < 9 {
		return driver.NotSupported
	}
	if c.X*c.Y*c.Z > 16 || g.X%c.X != 0 || g.Y%c.Y != 0 || g.Z%c.Z != 0 {
		return driver.InvalidClusterSize
	}
	return driver.Success
}

// runKernel records l and runs the test's function for it.
func (f *Fake) runKernel(l *Launch) driver.Result {
	if !f.quiet {
		kept := *l
		kept.Args = bytes.Clone(l.Args)
		f.launches = append(f.launches, kept)
	}
	run := f.kernels[l.Kernel]
	switch {
	case run == nil && f.cfg.Run:
		return f.interpret(l)
	case run == nil:
		return driver.Success
	}
	l.wild = false
	r := run(l)
	if r == driver.Success && l.wild {
		return driver.IllegalAddress
	}
	return r
}
