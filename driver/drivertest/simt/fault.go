package simt

import (
	"fmt"
	"strings"
)

// Kind says what a Fault is about.
type Kind int

const (
	Instruction Kind = iota // an instruction got what it cannot take, or is not played
	Address                 // memory that is not there
	Misaligned              // an address that is no multiple of the access
	Deadlock                // nobody can go on, or nobody ends
)

// Fault is why a launch ended before its kernel did.
type Fault struct {
	Kind Kind
	Text string
}

func (f *Fault) Error() string { return f.Text }

// fault ends the launch: lane of w met it at o.
func (w *warp) fault(o *op, lane int, kind Kind, format string, a ...any) {
	t := w.thread(lane)
	panic(&Fault{kind, fmt.Sprintf("kernel %s, PTX line %d (%s), thread %v of block %v: ", w.block.grid.code.kernel.name, o.line, short(o.text), t, w.block.at) +
		fmt.Sprintf(format, a...)})
}

// short is an instruction in one line.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 80 {
		text = text[:77] + "..."
	}
	return text
}

func coordinates(at [3]int) string { return fmt.Sprint(at) }

// stuck says where every warp stands.
func (g *grid) stuck(why string) *Fault {
	var out strings.Builder
	fmt.Fprintf(&out, "kernel %s: %s", g.code.kernel.name, why)
	shown := 0
	for _, w := range g.warps {
		for i := range w.groups {
			if shown++; shown > 40 {
				out.WriteString("\n\tand more")
				return &Fault{Deadlock, out.String()}
			}
			s := &w.groups[i]
			o := &g.code.ops[s.pc]
			if s.wait.behind() {
				o = &g.code.ops[s.pc-1]
			}
			fmt.Fprintf(&out, "\n\tblock %v warp %d lanes %08x at line %d (%s): %s", w.block.at, w.index, s.mask, o.line, short(o.text), s.wait.kind)
			if s.wait.kind == forMbarrier {
				out.WriteString(w.phase(s.wait.op, first(s.mask)))
			}
		}
	}
	return &Fault{Deadlock, out.String()}
}
