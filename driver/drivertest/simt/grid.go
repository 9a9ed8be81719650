package simt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// Launch is one run of a kernel. Zero dimensions count as one.
type Launch struct {
	Kernel               string
	Grid, Block, Cluster [3]int
	Shared               int    // dynamic bytes
	Args                 []byte // the parameter block
	Memory               Memory
	Seed                 uint64 // picks the schedule
	Steps                int64  // instructions of warps before the launch counts as endless; 0: 2^32

	Overlap bool   // it may start before the kernel ahead has ended
	Ahead   []Span // what that one wrote, where it allowed the next to start

	// Run sets what the kernel wrote, whether it allowed the next to start before its end: hastily, before it had waited itself,
	// and about how many instructions of warps it took.
	Wrote          []Span
	Allowed, Hasty bool
	Took           int64
}

// grid is a launch under way.
type grid struct {
	launch   *Launch
	code     *program
	rng      *rand.Rand
	regions  []region // by instruction
	order    []int    // clusters in the order of their start
	running  []*cluster
	warps    []*warp // of those
	resident int     // clusters that run at once at most
	flights  flights
	tick     int64
	steps    int64
	waited   bool // somebody has waited for the kernels ahead
	wrote    []Span
	merged   int   // spans when they were merged last
	still    int64 // ticks in which nothing but spinning was seen
}

// Run runs l to its end. An error is a *Fault, or says why the kernel cannot be decoded.
func (m *Module) Run(l *Launch) (err error) {
	k := m.kernels[l.Kernel]
	if k == nil {
		return &Fault{Instruction, fmt.Sprintf("kernel %s is not in the module", l.Kernel)}
	}
	code, err := k.program()
	if err != nil {
		return err
	}
	if len(l.Args) < k.bytes {
		return &Fault{Instruction, fmt.Sprintf("kernel %s takes %d bytes of parameters, got %d", l.Kernel, k.bytes, len(l.Args))}
	}
	g := newGrid(l, code)
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*Fault)
			if !ok {
				panic(r)
			}
			err = f
		}
	}()
	g.run()
	g.ending(l)
	return nil
}

func newGrid(l *Launch, code *program) *grid {
	own := *l
	own.Allowed, own.Hasty = false, false
	for _, d := range []*[3]int{&own.Grid, &own.Block, &own.Cluster} {
		for i := range d {
			d[i] = max(d[i], 1)
		}
	}
	if own.Steps == 0 {
		own.Steps = 1 << 32
	}
	g := &grid{launch: &own, code: code, rng: rand.New(rand.NewPCG(own.Seed, 0x73696d74)), regions: make([]region, len(code.ops)), resident: 2}
	g.order = g.rng.Perm(product(own.Grid) / product(own.Cluster))
	return g
}

func product(d [3]int) int { return d[0] * d[1] * d[2] }

func (g *grid) run() {
	for g.admit(); len(g.running) > 0; g.admit() {
		went := false
		g.rng.Shuffle(len(g.warps), func(i, j int) { g.warps[i], g.warps[j] = g.warps[j], g.warps[i] })
		for _, w := range g.warps {
			g.tick++
			went = g.land(g.tick) || went
			if w.alive == 0 {
				continue
			}
			n := 8 << g.rng.IntN(9)
			if w.run(n) {
				went = true
				g.steps += int64(n)
			}
		}
		g.retire()
		if !went {
			g.skip()
		}
		if g.still++; g.still%64 == 0 && len(g.order) > 0 { // perhaps they look for what blocks write that have not started
			g.resident++
		}
		if g.steps > g.launch.Steps || g.still > 1<<15 {
			panic(g.stuck("does not end"))
		}
	}
}

// moved notes that something happened that others may wait for.
func (g *grid) moved() { g.still = 0 }

func (g *grid) fail(f *Fault) { panic(f) }

// skip passes the time to whatever comes next by itself.
func (g *grid) skip() {
	next := int64(-1)
	if len(g.flights) > 0 {
		next = g.flights[0].due
	}
	for _, w := range g.warps {
		for i := range w.groups {
			if s := &w.groups[i].wait; s.kind == sleeping && (next < 0 || s.until < next) {
				next = s.until
			}
		}
	}
	switch {
	case next >= 0:
		g.tick = max(g.tick, next)
		g.land(g.tick)
	case len(g.order) > 0: // perhaps they wait for blocks that have not started
		g.resident++
	case len(g.running) > 0:
		panic(g.stuck("nobody can go on"))
	}
}

// admit starts clusters while there is room.
func (g *grid) admit() {
	for len(g.order) > 0 && len(g.running) < g.resident {
		g.begin(g.order[0])
		g.order = g.order[1:]
		g.moved()
	}
}

// begin starts the cluster of a number.
func (g *grid) begin(number int) {
	l := g.launch
	var across [3]int // clusters in each direction
	for i := range across {
		across[i] = l.Grid[i] / l.Cluster[i]
	}
	at := [3]int{number % across[0], number / across[0] % across[1], number / across[0] / across[1]}
	c := &cluster{alive: product(l.Cluster)}
	for rank := range c.alive {
		in := [3]int{rank % l.Cluster[0], rank / l.Cluster[0] % l.Cluster[1], rank / l.Cluster[0] / l.Cluster[1]}
		b := g.newBlock()
		b.cluster, b.rank = c, rank
		for i := range b.at {
			b.at[i] = at[i]*l.Cluster[i] + in[i]
		}
		c.blocks = append(c.blocks, b)
		g.warps = append(g.warps, b.warps...)
	}
	g.running = append(g.running, c)
}

var (
	spoiled = func() (v vec) {
		for i := range v {
			v[i] = all
		}
		return v
	}()
	spoiledWide = func() (v wide) {
		for i := range v {
			v[i] = 1<<64 - 1
		}
		return v
	}()
)

// poison is what shared memory holds at first.
var poison = bytes.Repeat([]byte{0xff}, 1<<12)

// newBlock takes the memory of one that ended, or new memory. Registers and shared memory are NaN.
func (g *grid) newBlock() *block {
	b := g.code.spare.take(product(g.launch.Block), g.launch.Shared)
	if b == nil {
		b = g.makeBlock()
	}
	b.grid = g
	for i := 0; i < len(b.shared); i += copy(b.shared[i:], poison) {
	}
	threads := product(g.launch.Block)
	b.alive, b.ended, b.barriers = len(b.warps), false, [16]barrier{}
	clear(b.phases)
	clear(b.stores)
	for i, w := range b.warps {
		w.alive = all
		if left := threads - i*lanes; left < lanes {
			w.alive = 1<<left - 1
		}
		w.spoil()
		w.start()
	}
	return b
}

func (g *grid) makeBlock() *block {
	base := g.code.static
	if g.code.dynamicAlign > 0 {
		base = roundUp(base, g.code.dynamicAlign)
	}
	n := base - sharedBase + g.launch.Shared
	b := &block{dynamic: g.launch.Shared, shared: make([]byte, n), stores: make([]uint32, (n+cellBytes-1)/cellBytes), phases: map[uint64]*mbarrier{}}
	threads := product(g.launch.Block)
	b.size = threads
	for i := range (threads + lanes - 1) / lanes {
		w := &warp{block: b, index: i, r: make([]vec, g.code.counts[word]), x: make([]wide, g.code.counts[dword]), p: make([]uint32, g.code.counts[pred])}
		w.p[alwaysSlot] = all
		b.warps = append(b.warps, w)
	}
	return b
}

// spoil sets all bits of the registers, so that what nobody wrote is NaN, and then those that stand for constants.
func (w *warp) spoil() {
	for i := range w.r {
		w.r[i] = spoiled
	}
	for i := range w.x {
		w.x[i] = spoiledWide
	}
	for _, c := range w.block.grid.code.constants {
		w.set(c)
	}
}

// set gives all lanes of a slot one value.
func (w *warp) set(c constant) {
	for i := range lanes {
		switch c.slot.class {
		case word:
			w.r[c.slot.at][i] = uint32(c.value)
		case dword:
			w.x[c.slot.at][i] = c.value
		}
	}
}

// retire takes out clusters whose blocks have all ended.
func (g *grid) retire() {
	left := g.running[:0]
	for _, c := range g.running {
		if c.alive > 0 {
			left = append(left, c)
			continue
		}
		g.abandoned(c)
		g.code.spare.give(c.blocks)
		g.moved()
	}
	if len(left) == len(g.running) {
		return
	}
	g.running = left
	g.warps = g.warps[:0]
	for _, c := range g.running {
		for _, b := range c.blocks {
			g.warps = append(g.warps, b.warps...)
		}
	}
}
