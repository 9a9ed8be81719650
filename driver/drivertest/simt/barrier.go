package simt

import (
	"fmt"
	"strings"
)

// barriers are those of the block by number, of the warp and of the cluster.
var barriers = map[string]spec{
	"bar.sync": {build: buildBarrier, do: doBarrier, control: syncing}, "barrier.sync": {build: buildBarrier, do: doBarrier, control: syncing},
	"barrier.sync.aligned": {build: buildBarrier, do: doBarrier, control: syncing}, "bar.arrive": {build: buildBarrier, do: doArrive, control: aligned},
	"bar.red.or.pred": {build: buildReduction, control: syncing}, "bar.red.and.pred": {build: buildReduction, control: syncing}, "bar.red.popc.u32": {build: buildReduction, control: syncing},
	"bar.warp.sync":                  {build: buildWarpBarrier, do: doNothing, control: masked},
	"barrier.cluster.arrive":         {do: doClusterArrive, control: waits, shape: ""},
	"barrier.cluster.arrive.relaxed": {do: doClusterArrive, control: waits, shape: ""}, "barrier.cluster.arrive.release": {do: doClusterArrive, control: waits, shape: ""},
	"barrier.cluster.arrive.aligned": {do: doClusterArrive, control: syncing, shape: ""}, "barrier.cluster.arrive.relaxed.aligned": {do: doClusterArrive, control: syncing, shape: ""},
	"barrier.cluster.wait": {do: doClusterWait, control: waits, shape: ""}, "barrier.cluster.wait.acquire": {do: doClusterWait, control: waits, shape: ""},
	"barrier.cluster.wait.aligned": {do: doClusterWait, control: syncing, shape: ""},
}

// barrier is one of a block's sixteen.
type barrier struct {
	count   int // of threads, 0 for all of the block
	arrived int
	turn    uint32
	asking  []asking // of bar.red
}

// asking is a warp that gets the result of a reduction.
type asking struct {
	w     *warp
	o     *op
	m     uint32
	value uint32
}

func buildBarrier(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) < 1 || len(in.operands) > 2 {
		return fmt.Errorf("has %d operands, want a number and perhaps a count", len(in.operands))
	}
	if o.a, err = d.source(in.operands[0], word); err != nil || len(in.operands) == 1 {
		return err
	}
	o.imm = 1
	o.b, err = d.source(in.operands[1], word)
	return err
}

// arrive counts w at the barrier of o.
func (w *warp) arrive(o *op, m uint32) (*barrier, int) {
	lane := first(m)
	id, count := int(w.r[o.a][lane]), 0
	if o.imm == 1 {
		count = int(w.r[o.b][lane])
	}
	if id >= len(w.block.barriers) || count%lanes != 0 {
		w.fault(o, lane, Instruction, "barrier %d of %d threads: there are 16, for whole warps", id, count)
	}
	b := &w.block.barriers[id]
	if b.arrived > 0 && b.count != count {
		w.fault(o, lane, Instruction, "barrier %d is used for %d threads and for %d at once", id, b.count, count)
	}
	b.count = count
	b.arrived += lanes
	return b, id
}

func doBarrier(w *warp, o *op, m uint32) {
	b, id := w.arrive(o, m)
	w.waitFor(wait{kind: forBarrier, turn: b.turn, until: int64(id)})
	b.check(w.block)
}

func doArrive(w *warp, o *op, m uint32) {
	b, _ := w.arrive(o, m)
	b.check(w.block)
}

// check lets the waiting pass when enough have arrived.
func (b *barrier) check(of *block) {
	need := b.count
	if need == 0 {
		need = of.threads()
	}
	if b.arrived < need || b.arrived == 0 {
		return
	}
	b.arrived = 0
	b.turn++
	of.grid.moved()
	b.answer()
}

func buildReduction(d *decoder, in *inst, o *op) (err error) {
	n := len(in.operands)
	if n < 3 || n > 4 {
		return fmt.Errorf("has %d operands, want 3 or 4", n)
	}
	o.do, o.extra = doReduction, strings.Split(in.name, ".")[2]
	to := pred
	if o.extra == "popc" {
		to = word
	}
	if o.d, err = d.target(in.operands[0], to); err != nil {
		return err
	}
	if o.a, err = d.source(in.operands[1], word); err != nil {
		return err
	}
	if n == 4 {
		o.imm = 1
		if o.b, err = d.source(in.operands[2], word); err != nil {
			return err
		}
	}
	o.c, err = d.source(in.operands[n-1], pred)
	return err
}

func doReduction(w *warp, o *op, m uint32) {
	b, id := w.arrive(o, m)
	b.asking = append(b.asking, asking{w, o, m, w.p[o.c] & m})
	w.waitFor(wait{kind: forBarrier, turn: b.turn, until: int64(id)})
	b.check(w.block)
}

// answer gives the result of a reduction to who takes part.
func (b *barrier) answer() {
	n, and := 0, true
	for _, a := range b.asking {
		n += onesCount(a.value)
		and = and && a.value == a.m
	}
	for _, a := range b.asking {
		held := uint32(0)
		switch kind := a.o.extra.(string); {
		case kind == "popc":
			for i := range lanes {
				a.w.r[a.o.d][i] = uint32(n)
			}
			continue
		case kind == "or" && n > 0, kind == "and" && and:
			held = all
		}
		a.w.setBits(a.o.d, held, a.m)
	}
	b.asking = b.asking[:0]
}

func buildWarpBarrier(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 1 {
		return fmt.Errorf("has %d operands, want a mask", len(in.operands))
	}
	o.e, err = d.source(in.operands[0], word)
	return err
}

func doClusterArrive(w *warp, _ *op, m uint32) {
	c := w.block.cluster
	for i := range lanes {
		if m>>i&1 != 0 {
			w.clusterTurn[i] = c.turn
		}
	}
	c.arrived += onesCount(m)
	c.check()
}

func doClusterWait(w *warp, _ *op, m uint32) {
	w.waitFor(wait{kind: forCluster})
}
