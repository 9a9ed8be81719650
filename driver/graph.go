package driver

import (
	"errors"
	"fmt"
	"unsafe"
)

// Graph is captured device work, a template for Exec.
type Graph struct {
	ctx     *Context
	handle  uintptr
	kernels []string // of Capture
}

// Exec is a graph ready to launch. Addresses and scalars are those of the capture.
type Exec struct {
	ctx     *Context
	handle  uintptr
	kernels []string // of its graph
}

// BeginCapture turns what is enqueued on s into a graph instead of running it, until EndCapture. Only calls of this OS
// thread are refused meanwhile (allocation and syncing are); other threads work on.
func (s Stream) BeginCapture() error {
	const threadLocal = 1
	e := &s.ctx.lib.fn.streamBeginCapture
	return e.fail(s.ctx.lib.call(e, s.handle, threadLocal), "")
}

// EndCapture ends the capture and returns its graph. After an error s works normally again and there is no graph.
func (s Stream) EndCapture() (*Graph, error) {
	g := &Graph{ctx: s.ctx}
	e := &s.ctx.lib.fn.streamEndCapture
	if r := s.ctx.lib.call(e, s.handle, uintptr(unsafe.Pointer(&g.handle))); r != Success {
		return nil, e.fail(r, "")
	}
	return g, nil
}

// Capture returns the graph of what work enqueues on s. An error of work ends the capture and is returned.
func (c *Context) Capture(s Stream, work func() error) (*Graph, error) {
	if err := s.BeginCapture(); err != nil {
		return nil, err
	}
	var kernels []string
	c.launches.capture(&kernels)
	failed := work()
	c.launches.capture(nil)
	g, err := s.EndCapture()
	if failed == nil {
		if g != nil {
			g.kernels = kernels
		}
		return g, err
	}
	if g != nil {
		failed = errors.Join(failed, g.Destroy())
	}
	return nil, fmt.Errorf("cannot capture: %w", failed)
}

// Nodes is the number of operations in g.
func (g *Graph) Nodes() (int, error) {
	var n uint64
	e := &g.ctx.lib.fn.graphNodes
	r := g.ctx.lib.call(e, g.handle, 0, uintptr(unsafe.Pointer(&n)))
	return int(n), e.fail(r, "")
}

// Instantiate makes g launchable; it takes device memory. g may be destroyed afterwards.
func (g *Graph) Instantiate() (*Exec, error) {
	x := &Exec{ctx: g.ctx, kernels: g.kernels}
	e := &g.ctx.lib.fn.graphInstantiate
	if r := g.ctx.lib.call(e, uintptr(unsafe.Pointer(&x.handle)), g.handle, 0); r != Success {
		return nil, e.fail(r, "")
	}
	return x, nil
}

// Destroy ends g; Execs made of it live on.
func (g *Graph) Destroy() error {
	e := &g.ctx.lib.fn.graphDestroy
	return e.fail(g.ctx.lib.call(e, g.handle), "")
}

// Launch enqueues the whole graph on s; it allocates nothing on the Go heap. One Exec never runs twice at a time.
func (x *Exec) Launch(s Stream) error {
	x.ctx.launches.graph(x)
	e := &x.ctx.lib.fn.graphLaunch
	return e.fail(x.ctx.lib.quick(e, x.handle, s.handle, 0, 0), "")
}

// Upload moves x to the device ahead of its first Launch.
func (x *Exec) Upload(s Stream) error {
	e := &x.ctx.lib.fn.graphUpload
	return e.fail(x.ctx.lib.call(e, x.handle, s.handle), "")
}

// updateInfo is CUgraphExecUpdateResultInfo of cuda.h.
type updateInfo struct {
	result         uint32
	_              uint32
	node, nodeFrom uintptr
}

// updateReasons are the values of CUgraphExecUpdateResult.
var updateReasons = [...]string{"success", "error", "topology changed", "node type changed", "function changed",
	"parameters changed", "not supported", "unsupported function change", "attributes changed"}

// Update gives x the parameters of g, which has the same shape. Otherwise the error matches GraphExecUpdateFailure and
// says why, x is unchanged, and g must be instantiated anew.
func (x *Exec) Update(g *Graph) error {
	var info updateInfo
	e := &x.ctx.lib.fn.graphUpdate
	r := x.ctx.lib.call(e, x.handle, g.handle, uintptr(unsafe.Pointer(&info)))
	if r == Success {
		x.ctx.launches.update(x, g)
		return nil
	}
	reason := fmt.Sprintf("reason %d", info.result)
	if int(info.result) < len(updateReasons) {
		reason = updateReasons[info.result]
	}
	return e.fail(r, reason)
}

// Destroy ends x. A launch under way goes on to its end.
func (x *Exec) Destroy() error {
	e := &x.ctx.lib.fn.graphExecDestroy
	return e.fail(x.ctx.lib.call(e, x.handle), "")
}
