package drivertest

import (
	"bytes"

	"github.com/weft-llm/weft/driver"
)

// capture is a graph in the making.
type capture struct {
	origin  *stream
	streams []*stream // all that take part
	ops     []op
	spoiled bool
}

// graph is captured work.
type graph struct{ ops []op }

// exec is a graph made ready.
type exec struct{ ops []op }

func (f *Fake) streamBeginCapture(a args) driver.Result {
	s, r := f.stream(a[0])
	if r != driver.Success {
		return r
	}
	if s == nil || s.capture != nil || f.captures[thread()] != nil {
		return driver.StreamCaptureUnsupported
	}
	c := &capture{origin: s, streams: []*stream{s}}
	s.capture, f.captures[thread()] = c, c
	return driver.Success
}

// record adds o to c. The graph may run long after the call, so that it may hold no memory of the Go heap.
func (f *Fake) record(c *capture, o op) driver.Result {
	if o.host != nil {
		if o.host = f.pinned(addressOf(o.host), len(o.host)); o.host == nil {
			return f.spoil("a copy of memory that is not from AllocHost is captured", driver.StreamCaptureUnsupported)
		}
	}
	o.launch.Args = bytes.Clone(o.launch.Args)
	c.ops = append(c.ops, o)
	return driver.Success
}

// refuseInCapture is for the calls that a thread may not make while it captures.
func (f *Fake) refuseInCapture(symbol string) driver.Result {
	if f.captures[thread()] == nil {
		return driver.Success
	}
	return f.spoil(symbol+" is called", driver.StreamCaptureUnsupported)
}

// spoil makes the thread's capture end without a graph.
func (f *Fake) spoil(why string, r driver.Result) driver.Result {
	if c := f.captures[thread()]; c != nil {
		c.spoiled = true
	}
	f.fault("%s in a capture", why)
	return r
}

func (f *Fake) streamEndCapture(a args) driver.Result {
	s, r := f.stream(a[0])
	if r != driver.Success {
		return r
	}
	c := f.captures[thread()]
	if s == nil || c == nil || c.origin != s {
		f.fault("a capture is ended that this thread did not begin on this stream")
		return driver.StreamCaptureUnmatched
	}
	f.abandonCapture(a)
	if c.spoiled {
		return driver.StreamCaptureInvalidated
	}
	put(a[1], f.add("graph", &graph{c.ops}))
	return driver.Success
}

// abandonCapture ends the thread's capture without a graph.
func (f *Fake) abandonCapture(args) driver.Result {
	if c := f.captures[thread()]; c != nil {
		for _, s := range c.streams {
			s.capture = nil
		}
		delete(f.captures, thread())
	}
	return driver.Success
}

func (f *Fake) graphInstantiate(a args) driver.Result {
	g := get[graph](f, a[1])
	if g == nil {
		return driver.InvalidHandle
	}
	put(a[0], f.add("graph exec", &exec{append([]op(nil), g.ops...)}))
	return driver.Success
}

func (f *Fake) graphLaunch(a args) driver.Result {
	x := get[exec](f, a[0])
	if x == nil {
		return driver.InvalidHandle
	}
	if s, r := f.stream(a[1]); r != driver.Success || s != nil && s.capture != nil {
		return f.spoil("a graph is launched", driver.StreamCaptureUnsupported)
	}
	for i := range x.ops {
		x.ops[i].launch.Graph = true
		if r := f.run(&x.ops[i]); r != driver.Success {
			return r
		}
	}
	return driver.Success
}

func (f *Fake) graphUpload(a args) driver.Result {
	if get[exec](f, a[0]) == nil {
		return driver.InvalidHandle
	}
	_, r := f.stream(a[1])
	return r
}

// graphUpdate takes the parameters of a graph of the same operations.
func (f *Fake) graphUpdate(a args) driver.Result {
	const topology, nodeType = 2, 3
	x, g := get[exec](f, a[0]), get[graph](f, a[1])
	if x == nil || g == nil {
		return driver.InvalidHandle
	}
	if len(x.ops) != len(g.ops) {
		put(a[2], uint32(topology))
		return driver.GraphExecUpdateFailure
	}
	for i := range x.ops {
		if x.ops[i].kind != g.ops[i].kind {
			put(a[2], uint32(nodeType))
			return driver.GraphExecUpdateFailure
		}
	}
	x.ops = append([]op(nil), g.ops...)
	return driver.Success
}

func (f *Fake) graphNodes(a args) driver.Result {
	g := get[graph](f, a[0])
	if g == nil {
		return driver.InvalidHandle
	}
	put(a[2], uint64(len(g.ops)))
	return driver.Success
}

func (f *Fake) graphDestroy(a args) driver.Result     { return f.drop("graph", a[0]) }
func (f *Fake) graphExecDestroy(a args) driver.Result { return f.drop("graph exec", a[0]) }
