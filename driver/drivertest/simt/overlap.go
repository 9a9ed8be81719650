package simt

// Dependent launches: a kernel that is launched to overlap may start before the one ahead of it has ended, as soon as
// that one allowed it. Here it starts behind, but may not touch what the other wrote before griddepcontrol.wait.

// Span is a range of addresses, from the first to behind the last.
type Span struct{ From, To uint64 }

var overlapping = map[string]spec{
	"griddepcontrol.wait":              {do: doGridWait, shape: ""},
	"griddepcontrol.launch_dependents": {do: doGridTrigger, shape: ""},
}

func doGridWait(w *warp, _ *op, m uint32) {
	w.waited |= m
	w.block.grid.waited = true
}

func doGridTrigger(w *warp, _ *op, _ uint32) { w.block.grid.launch.Allowed = true }

// early fails lane's access when the kernel ahead wrote there and was not waited for.
func (w *warp) early(o *op, lane int, address uint64, n int) {
	if w.waited>>lane&1 != 0 {
		return
	}
	for _, s := range w.block.grid.launch.Ahead {
		if address < s.To && address+uint64(n) > s.From {
			w.fault(o, lane, Instruction, "%d bytes at %#x, where the kernel ahead may still write: griddepcontrol.wait comes later or never", n, address)
		}
	}
}

// note extends what an instruction wrote.
func (r *region) note(address uint64, n int) {
	if r.wrote.To == 0 || address < r.wrote.From {
		r.wrote.From = address
	}
	r.wrote.To = max(r.wrote.To, address+uint64(n))
}

// ending tells what was written, and refuses a kernel that overlaps and waits for nobody: the one behind it would take
// what comes before them both for done.
func (g *grid) ending(l *Launch) {
	l.Allowed, l.Wrote = g.launch.Allowed, g.wrote
	for i := range g.regions {
		if s := g.regions[i].wrote; s.To > 0 {
			l.Wrote = append(l.Wrote, s)
		}
	}
	if l.Overlap && !g.waited {
		g.fail(&Fault{Instruction, "kernel " + g.code.kernel.name + " is launched to overlap and never waits for the kernels ahead: griddepcontrol.wait is missing"})
	}
}
