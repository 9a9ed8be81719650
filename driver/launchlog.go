package driver

import (
	"fmt"
	"strings"
	"sync"
)

// What is remembered of launches, for the report after a fault: the driver does not say which kernel it was.
const (
	launchesKept  = 64
	launchArgKept = 128 // bytes of a kernel's arguments
)

// launchLog remembers the last launches of a context. Adding one allocates nothing.
type launchLog struct {
	mu       sync.Mutex
	ring     [launchesKept]launchEntry
	n        uint64    // launches so far
	captured *[]string // not nil: launches are captured, and go here
}

type launchEntry struct {
	f      *Function // nil: a graph
	x      *Exec
	launch Launch
	size   int // of all arguments
	args   [launchArgKept]byte
}

// kernel remembers that f is launched.
func (g *launchLog) kernel(f *Function, l *Launch, a *Args) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.captured != nil {
		*g.captured = append(*g.captured, f.describe(l))
		return
	}
	e := &g.ring[g.n%launchesKept]
	e.f, e.x, e.launch, e.size = f, nil, *l, len(a.buf)
	copy(e.args[:], a.buf)
	g.n++
}

// graph remembers that x is launched.
func (g *launchLog) graph(x *Exec) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := &g.ring[g.n%launchesKept]
	e.f, e.x = nil, x
	g.n++
}

// update gives x the kernels of g.
func (l *launchLog) update(x *Exec, g *Graph) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x.kernels = g.kernels
}

// capture collects the kernels of a graph in list until it is called with nil.
func (g *launchLog) capture(list *[]string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.captured = list
}

// LaunchRecord is a launch that a context was asked for: of a kernel, or of a graph.
type LaunchRecord struct {
	N      uint64   // counted from 1
	Kernel string   // with its grid, block and shared memory; "" for a graph
	Args   []byte   // the kernel's arguments as PTX lays them out, cut to 128 bytes
	Size   int      // bytes of all arguments
	Graph  []string // the graph's kernels, in the order of their capture
}

// Launches returns the last launches, oldest first. It may be called from any goroutine, also when the GPU no longer
// answers. A kernel that failed is one of those that were launched since the last sync that succeeded.
func (c *Context) Launches() []LaunchRecord {
	g := &c.launches
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []LaunchRecord
	for n := g.n - min(g.n, launchesKept); n < g.n; n++ {
		e := &g.ring[n%launchesKept]
		r := LaunchRecord{N: n + 1}
		if e.f == nil {
			r.Graph = e.x.kernels
		} else {
			r.Kernel, r.Size = e.f.describe(&e.launch), e.size
			r.Args = append(r.Args, e.args[:min(e.size, launchArgKept)]...)
		}
		out = append(out, r)
	}
	return out
}

// String is one line: a kernel with its arguments in words of eight bytes, or a graph with how often it runs each kernel.
func (r LaunchRecord) String() string {
	var b strings.Builder
	if r.Kernel == "" {
		fmt.Fprintf(&b, "graph of %d kernels", len(r.Graph))
		count := map[string]int{}
		for _, k := range r.Graph {
			count[k]++
		}
		for _, k := range r.Graph {
			if count[k] > 0 {
				fmt.Fprintf(&b, "; %d× %s", count[k], k)
				count[k] = 0
			}
		}
		return b.String()
	}
	b.WriteString(r.Kernel)
	b.WriteString(" args")
	for i := 0; i < len(r.Args); i += 8 {
		b.WriteByte(' ')
		for j := min(i+8, len(r.Args)) - 1; j >= i; j-- { // as numbers: the highest byte first
			fmt.Fprintf(&b, "%02x", r.Args[j])
		}
	}
	if r.Size > len(r.Args) {
		fmt.Fprintf(&b, " … of %d bytes", r.Size)
	}
	return b.String()
}
