package simt

// warp is 32 threads. Those that are at the same instruction are a group.
type warp struct {
	block  *block
	index  int // in the block
	r      []vec
	x      []wide
	p      []uint32
	alive  uint32
	waited uint32 // lanes behind griddepcontrol.wait
	groups []group
	now    int // the group that runs

	clusterTurn [lanes]uint32 // of cluster.turn when the lane arrived
	copies      copies
	stores      stores
	products    products
}

// group is the lanes at one instruction.
type group struct {
	pc   int32
	mask uint32
	wait wait
}

// wait is what a group cannot go on without.
type wait struct {
	kind  waitKind
	op    *op
	turn  uint32
	until int64
}

type waitKind byte

const (
	ready       waitKind = iota
	resting              // until the warp's next turn
	sleeping             // until a tick
	forLanes             // the other lanes of the warp
	forBarrier           // a barrier of the block
	forCluster           // the barrier of the cluster
	forMbarrier          // a phase of a barrier in shared memory
)

// behind is true of waits that stand behind their instruction.
func (w *wait) behind() bool {
	return w.kind == resting || w.kind == sleeping || w.kind == forBarrier || w.kind == forCluster
}

func (k waitKind) String() string {
	return [...]string{"could go on", "spins", "sleeps", "waits for other lanes of its warp", "waits at a barrier of the block", "waits at the barrier of the cluster", "waits for a phase of a barrier in shared memory"}[k]
}

// thread is the index of a lane's thread in its block.
func (w *warp) thread(lane int) [3]int {
	i, b := w.index*lanes+lane, w.block.grid.launch.Block
	return [3]int{i % b[0], i / b[0] % b[1], i / b[0] / b[1]}
}

// start makes the warp new.
func (w *warp) start() {
	w.groups = append(w.groups[:0], group{mask: w.alive})
	w.now, w.waited = 0, 0
	w.copies.clear()
	w.stores.clear()
	w.products.clear(w)
}

// run does up to n instructions and says whether it did any.
func (w *warp) run(n int) bool {
	code := w.block.grid.code.ops
	ran := false
	for i := range w.groups {
		if w.groups[i].wait.kind == resting {
			w.groups[i].wait = wait{}
		}
	}
	for turn := n; n > 0; {
		if !w.pick(turn-n > turn/2) {
			break
		}
		ran = true
		n -= w.runGroup(code, n)
		if w.alive == 0 {
			w.block.grid.moved()
			break
		}
	}
	return ran
}

// runGroup runs the picked group until it parts, meets another, waits, ends, or did n instructions.
func (w *warp) runGroup(code []op, n int) int {
	g := &w.groups[w.now]
	meet := w.meeting(g.pc)
	pc := g.pc
	for did := 0; did < n; {
		o := &code[pc]
		m := g.mask & (w.p[o.guard] ^ o.flip)
		did++
		if w.products.busy > 0 && m != 0 {
			w.products.check(w, o)
		}
		if o.control == plain {
			if m != 0 {
				o.do(w, o, m)
			}
			if pc++; pc == meet {
				g.pc = pc
				w.merge()
				return did
			}
			continue
		}
		g.pc = pc
		if !w.step(g, o, m) {
			return did
		}
		if g.pc == meet || len(w.groups) > 1 && g.pc != pc+1 {
			w.merge()
			return did
		}
		pc = g.pc
	}
	g.pc = pc
	return n
}

// step does an instruction that is not plain; false says that the group cannot go straight on.
func (w *warp) step(g *group, o *op, m uint32) bool {
	switch o.control {
	case branch:
		return w.branch(g, o, m)
	case exit:
		if m == g.mask {
			w.end(g.mask)
			return false
		}
		g.pc++
		if m != 0 {
			w.end(m)
			return false
		}
		return true
	}
	if m == 0 {
		g.pc++
		return true
	}
	if need := w.needs(o); m&need != need {
		g.wait = wait{kind: forLanes}
		w.merge()
		return false
	}
	g.pc++
	o.do(w, o, m)
	g = &w.groups[w.now]
	return g.wait.kind == ready && o.control != waits && o.control != syncing
}

// needs is the lanes that have to do o together.
func (w *warp) needs(o *op) uint32 {
	switch o.control {
	case aligned, syncing:
		return w.alive
	case masked:
		return w.r[o.e][first(w.groups[w.now].mask)] & w.alive
	}
	return 0
}

func (w *warp) branch(g *group, o *op, m uint32) bool {
	switch m {
	case 0:
		g.pc++
		return true
	case g.mask:
		g.pc = o.target
		return true
	}
	g.mask &^= m
	g.pc++
	w.groups = append(w.groups, group{pc: o.target, mask: m})
	w.merge()
	return false
}

// end takes lanes out of the warp. Those that waited for them look again.
func (w *warp) end(m uint32) {
	w.alive &^= m
	left := w.groups[:0]
	for _, g := range w.groups {
		if g.wait.kind == forLanes {
			g.wait = wait{}
		}
		if g.mask &^= m; g.mask != 0 {
			left = append(left, g)
		}
	}
	w.groups = left
	w.block.left(w)
}

// merge joins groups that can run and are at the same instruction.
func (w *warp) merge() {
	for i := 0; i < len(w.groups); i++ {
		for j := i + 1; j < len(w.groups); j++ {
			a, b := &w.groups[i], &w.groups[j]
			if a.pc != b.pc || !a.wait.loose() || !b.wait.loose() {
				continue
			}
			a.mask |= b.mask
			a.wait = wait{}
			w.groups = append(w.groups[:j], w.groups[j+1:]...)
			j--
		}
	}
}

// loose is true of what ends when more lanes come.
func (w *wait) loose() bool { return w.kind == ready || w.kind == forLanes }

// meeting is the next instruction behind pc at which another group stands.
func (w *warp) meeting(pc int32) int32 {
	least := int32(1<<31 - 1)
	if len(w.groups) == 1 {
		return least
	}
	for i := range w.groups {
		if g := &w.groups[i]; i != w.now && g.pc > pc && g.pc < least && g.wait.loose() {
			least = g.pc
		}
	}
	return least
}

// pick chooses the group that runs: the one furthest behind, or, when other is set, one that did not run last, so that lanes
// that spin hold nobody up for ever.
func (w *warp) pick(other bool) bool {
	best := -1
	for i := range w.groups {
		g := &w.groups[i]
		if g.wait.kind != ready && !w.wake(g) {
			continue
		}
		switch {
		case best < 0:
			best = i
		case other && len(w.groups) > 1 && w.block.grid.rng.IntN(2) == 0:
			best = i
		case g.pc < w.groups[best].pc:
			best = i
		}
	}
	if best < 0 {
		return false
	}
	w.now = best
	return true
}

// wake ends a wait that is over.
func (w *warp) wake(g *group) bool {
	over := false
	switch g.wait.kind {
	case sleeping:
		over = w.block.grid.tick >= g.wait.until
	case forBarrier:
		over = w.block.barriers[g.wait.until].turn != g.wait.turn
	case forCluster:
		over = w.block.cluster.passed(w, g.mask)
	case forMbarrier:
		over = w.phaseEnded(g)
	}
	if over {
		g.wait = wait{}
	}
	return over
}

// waitFor ends the running group's turn with a wait.
func (w *warp) waitFor(x wait) { w.groups[w.now].wait = x }
