package driver

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Dim is a size in up to three dimensions; 0 means 1.
type Dim struct{ X, Y, Z int }

func (d Dim) x() uintptr { return uintptr(max(d.X, 1)) }
func (d Dim) y() uintptr { return uintptr(max(d.Y, 1)) }
func (d Dim) z() uintptr { return uintptr(max(d.Z, 1)) }

// Launch says how a kernel runs.
type Launch struct {
	Grid, Block Dim    // blocks in the grid, threads in a block
	Shared      int    // dynamic shared memory, bytes; above 48 KiB after Function.SetMaxShared
	Stream      Stream // zero: the default stream
	Cluster     Dim    // blocks in a cluster (sm_90 and later); zero: none

	// Overlap lets the kernel start before the one ahead of it on the stream has ended (programmatic dependent launch,
	// sm_90 and later). The kernel itself waits with griddepcontrol.wait before it reads what the other wrote.
	Overlap bool
}

// plain says whether cuLaunchKernel is enough.
func (l *Launch) plain() bool { return !l.Overlap && l.Cluster == Dim{} }

// Launch enqueues f with the arguments a and returns at once; it allocates nothing. A refused launch is an error here;
// a fault inside the kernel surfaces at the next Sync.
func (f *Function) Launch(l *Launch, a *Args) error {
	addresses, extra := a.seal()
	defer runtime.KeepAlive(a)
	f.ctx.launches.kernel(f, l, a)
	lib := f.ctx.lib
	if !l.plain() {
		a.configure(l)
		e := &lib.fn.launchEx
		r := lib.quick(e, uintptr(unsafe.Pointer(&a.config)), f.handle, addresses, extra)
		if r != Success {
			return e.fail(r, f.describe(l))
		}
		return nil
	}
	e := &lib.fn.launch
	a.list = [11]uintptr{f.handle, l.Grid.x(), l.Grid.y(), l.Grid.z(), l.Block.x(), l.Block.y(), l.Block.z(),
		uintptr(l.Shared), l.Stream.handle, addresses, extra}
	r := lib.enter(e, a.list[:])
	if r != Success {
		return e.fail(r, f.describe(l))
	}
	return nil
}

func (f *Function) describe(l *Launch) string {
	text := fmt.Sprintf("%s grid %d×%d×%d block %d×%d×%d shared %d", f.Name,
		l.Grid.x(), l.Grid.y(), l.Grid.z(), l.Block.x(), l.Block.y(), l.Block.z(), l.Shared)
	if l.Cluster != (Dim{}) {
		text += fmt.Sprintf(" cluster %d×%d×%d", l.Cluster.x(), l.Cluster.y(), l.Cluster.z())
	}
	return text
}

// launchConfig is CUlaunchConfig of cuda.h.
type launchConfig struct {
	grid, block [3]uint32
	shared      uint32
	stream      uintptr
	attrs       uintptr
	numAttrs    uint32
}

// launchAttribute is CUlaunchAttribute of cuda.h.
type launchAttribute struct {
	id    uint32
	_     uint32
	value [16]uint32
}

const (
	attrCluster = 4 // CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
	attrOverlap = 6 // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
)

// configure fills the block's launch configuration. a is on the heap, see seal.
func (a *Args) configure(l *Launch) {
	n := 0
	if l.Cluster != (Dim{}) {
		a.attrs[n] = launchAttribute{id: attrCluster}
		a.attrs[n].value[0], a.attrs[n].value[1], a.attrs[n].value[2] =
			uint32(l.Cluster.x()), uint32(l.Cluster.y()), uint32(l.Cluster.z())
		n++
	}
	if l.Overlap {
		a.attrs[n] = launchAttribute{id: attrOverlap}
		a.attrs[n].value[0] = 1
		n++
	}
	a.config = launchConfig{
		grid:     [3]uint32{uint32(l.Grid.x()), uint32(l.Grid.y()), uint32(l.Grid.z())},
		block:    [3]uint32{uint32(l.Block.x()), uint32(l.Block.y()), uint32(l.Block.z())},
		shared:   uint32(l.Shared),
		stream:   l.Stream.handle,
		attrs:    uintptr(unsafe.Pointer(&a.attrs)),
		numAttrs: uint32(n),
	}
}
