package simt

import "container/heap"

// flight is something that ends by itself: a copy by the copy engine, words on their way to other blocks.
type flight struct {
	due  int64 // tick
	to   *block
	land func()
}

// launchFlight has land called at some later tick. It writes into to, which must not end before.
func (g *grid) launchFlight(to *block, land func()) {
	delay := 1 + g.rng.Int64N(64)
	if g.rng.IntN(4) == 0 {
		delay += 2000 // not before nearly everybody waits for it
	}
	heap.Push(&g.flights, flight{g.tick + delay, to, land})
}

// land ends the flights that are due, and says whether there were any.
func (g *grid) land(tick int64) (any bool) {
	for len(g.flights) > 0 && g.flights[0].due <= tick {
		f := heap.Pop(&g.flights).(flight)
		if f.to.ended {
			g.fail(g.late(f.to))
		}
		f.land()
		g.moved()
		any = true
	}
	return any
}

func (g *grid) late(b *block) *Fault {
	f := g.stuck("block " + coordinates(b.at) + " has ended while copies into its shared memory are under way: it has to wait for them")
	f.Kind = Address
	return f
}

// abandoned fails the launch when something is still on its way to a cluster that has ended.
func (g *grid) abandoned(c *cluster) {
	for _, f := range g.flights {
		if f.to.cluster == c {
			g.fail(g.late(f.to))
		}
	}
}

// flights is a heap, the next first.
type flights []flight

func (f flights) Len() int           { return len(f) }
func (f flights) Less(i, j int) bool { return f[i].due < f[j].due }
func (f flights) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)        { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	last := len(*f) - 1
	x := (*f)[last]
	*f = (*f)[:last]
	return x
}
