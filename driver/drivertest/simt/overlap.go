package simt

import (
	"cmp"
	"slices"
	"sort"
)

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

func doGridTrigger(w *warp, _ *op, m uint32) {
	l := w.block.grid.launch
	l.Allowed = true
	if w.waited&m != m {
		l.Hasty = true
	}
}

// early fails lane's access when the kernel ahead wrote there and was not waited for. A copy of no bytes, which fills with zeros,
// may be of anywhere.
func (w *warp) early(o *op, lane int, address uint64, n int) {
	if w.waited>>lane&1 != 0 || n == 0 {
		return
	}
	ahead := w.block.grid.launch.Ahead
	i := sort.Search(len(ahead), func(i int) bool { return address < ahead[i].To })
	if i < len(ahead) && address+uint64(n) > ahead[i].From {
		w.fault(o, lane, Instruction, "%d bytes at %#x, where the kernel ahead may still write: griddepcontrol.wait comes later or never", n, address)
	}
}

// Merge sorts spans and joins those that touch. Beyond so many it joins all: what is between is then taken for written.
func Merge(spans []Span) []Span {
	const most = 1 << 14
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	if n := len(out); n > most {
		out[0].To = out[n-1].To
		return out[:1]
	}
	return out
}

// note extends what an instruction wrote, or begins anew behind a gap.
func (g *grid) note(r *region, address uint64, n int) {
	to := address + uint64(n)
	if r.wrote.To > 0 && (address > r.wrote.To || to < r.wrote.From) {
		g.keep(r.wrote)
		r.wrote = Span{}
	}
	if r.wrote.To == 0 {
		r.wrote.From = address
	}
	r.wrote.From, r.wrote.To = min(r.wrote.From, address), max(r.wrote.To, to)
}

// keep adds to what the grid wrote.
func (g *grid) keep(s Span) {
	if s.To == 0 {
		return
	}
	if g.wrote = append(g.wrote, s); len(g.wrote) > g.merged+1<<16 {
		g.wrote = Merge(g.wrote)
		g.merged = len(g.wrote)
	}
}

// ending tells what was written, and refuses a kernel that overlaps and waits for nobody: the one behind it would take
// what comes before them both for done.
func (g *grid) ending(l *Launch) {
	l.Allowed, l.Hasty, l.Took = g.launch.Allowed, g.launch.Hasty, g.steps
	for i := range g.regions {
		g.keep(g.regions[i].wrote)
	}
	l.Wrote = Merge(g.wrote)
	if l.Overlap && !g.waited {
		g.fail(&Fault{Instruction, "kernel " + g.code.kernel.name + " is launched to overlap and never waits for the kernels ahead: griddepcontrol.wait is missing"})
	}
}
