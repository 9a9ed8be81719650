package simt

import "fmt"

// flow is branches, ends, and what needs nothing done when every access is seen at once.
var flow = map[string]spec{
	"bra": {build: buildBranch, control: branch}, "bra.uni": {build: buildBranch, control: branch},
	"ret": {do: doNothing, control: exit, shape: ""}, "exit": {do: doNothing, control: exit, shape: ""},
	"trap":      {do: doTrap, control: waits, shape: ""},
	"membar.gl": {do: doNothing, shape: ""}, "membar.cta": {do: doNothing, shape: ""}, "membar.sys": {do: doNothing, shape: ""},
	"fence.acq_rel.gpu": {do: doNothing, shape: ""}, "fence.sc.gpu": {do: doNothing, shape: ""}, "fence.acq_rel.cta": {do: doNothing, shape: ""}, "fence.acq_rel.cluster": {do: doNothing, shape: ""},
	"fence.proxy.async.shared::cta": {do: doNothing, shape: ""}, "fence.proxy.async": {do: doNothing, shape: ""}, "fence.mbarrier_init.release.cluster": {do: doNothing, shape: ""},
	"nanosleep.u32": {shape: "r", do: doSleep, control: waits},
}

func buildBranch(d *decoder, in *inst, o *op) error {
	if len(in.operands) != 1 {
		return fmt.Errorf("has %d operands, want a label", len(in.operands))
	}
	d.pending = append(d.pending, jump{len(d.out.ops), in.operands[0], d.scope})
	return nil
}

func doTrap(w *warp, o *op, _ uint32) { w.fault(o, 0, Instruction, "the kernel traps") }

// doSleep rests for a few turns. Who sleeps may wait for a block that has not started: one more may.
func doSleep(w *warp, _ *op, _ uint32) {
	g := w.block.grid
	w.waitFor(wait{kind: sleeping, until: g.tick + 1 + g.rng.Int64N(16)})
	if g.resident < 256 && g.rng.IntN(4) == 0 {
		g.resident++
	}
}
