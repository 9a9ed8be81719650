package simt

import (
	"fmt"
	"strings"
)

// shuffles are the exchanges between the lanes of a warp.
var shuffles = map[string]spec{
	"shfl.sync.bfly.b32": shuffle(func(lane, b, _, most int) (int, bool) { return lane ^ b, lane^b <= most }),
	"shfl.sync.idx.b32": shuffle(func(lane, b, segment, most int) (int, bool) {
		j := lane&segment | b&^segment
		return j, j <= most
	}),
	"shfl.sync.up.b32":   shuffle(func(lane, b, _, most int) (int, bool) { return lane - b, lane-b >= most }),
	"shfl.sync.down.b32": shuffle(func(lane, b, _, most int) (int, bool) { return lane + b, lane+b <= most }),

	"vote.sync.any.pred":   {build: buildVote, do: voteAny, control: masked},
	"vote.sync.all.pred":   {build: buildVote, do: voteAll, control: masked},
	"vote.sync.uni.pred":   {build: buildVote, do: voteUniform, control: masked},
	"vote.sync.ballot.b32": {build: buildVote, do: voteBallot, control: masked},

	"match.any.sync.b32": {build: buildReduce, do: matchAny, control: masked},
	"redux.sync.add.s32": {build: buildReduce, do: reduxAdd, control: masked}, "redux.sync.add.u32": {build: buildReduce, do: reduxAdd, control: masked},
	"redux.sync.max.u32": {build: buildReduce, do: reduxMaxU, control: masked}, "redux.sync.min.u32": {build: buildReduce, do: reduxMinU, control: masked},
	"redux.sync.max.s32": {build: buildReduce, do: reduxMaxS, control: masked}, "redux.sync.min.s32": {build: buildReduce, do: reduxMinS, control: masked},
	"redux.sync.or.b32": {build: buildReduce, do: reduxOr, control: masked}, "redux.sync.and.b32": {build: buildReduce, do: reduxAnd, control: masked},
	"elect.sync": {build: buildElect, do: doElect, control: masked},
}

// shuffleFrom says which lane a value comes from, and whether that is within the segment.
type shuffleFrom func(lane, b, segment, most int) (int, bool)

func shuffle(from shuffleFrom) spec {
	return spec{control: masked, build: func(d *decoder, in *inst, o *op) error { return buildShuffle(d, in, o, from) }}
}

// buildShuffle takes "d|p, value, b, c, mask"; the predicate may be missing.
func buildShuffle(d *decoder, in *inst, o *op, from shuffleFrom) (err error) {
	if len(in.operands) != 5 {
		return fmt.Errorf("has %d operands, want 5", len(in.operands))
	}
	o.do, o.extra = doShuffle, from
	to, p, both := strings.Cut(in.operands[0], "|")
	if o.d, err = d.target(to, word); err != nil {
		return err
	}
	if both {
		at, err := d.target(p, pred)
		if err != nil {
			return err
		}
		o.list = []int32{at}
	}
	for i, to := range []*int32{&o.a, &o.b, &o.c, &o.e} {
		if *to, err = d.source(in.operands[1+i], word); err != nil {
			return err
		}
	}
	return nil
}

func doShuffle(w *warp, o *op, m uint32) {
	from := o.extra.(shuffleFrom)
	d, a, b, c := w.dabc(o)
	values, inside := *a, uint32(0)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		if w.r[o.e][i]>>i&1 == 0 {
			w.fault(o, i, Instruction, "the lane is not in its own mask %#x", w.r[o.e][i])
		}
		segment, clamp := int(c[i]>>8&31), int(c[i]&31)
		most := i&segment | clamp&^segment
		j, ok := from(i, int(b[i]&31), segment, most)
		if !ok {
			j = i
		} else {
			inside |= 1 << i
		}
		if m>>j&1 == 0 {
			w.fault(o, i, Instruction, "takes the value of lane %d, which does not take part", j)
		}
		d[i] = values[j]
	}
	if len(o.list) > 0 {
		w.setBits(o.list[0], inside, m)
	}
}

// buildVote takes "d, p, mask".
func buildVote(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 3 {
		return fmt.Errorf("has %d operands, want 3", len(in.operands))
	}
	to := pred
	if strings.Contains(in.name, "ballot") {
		to = word
	}
	if o.d, err = d.target(in.operands[0], to); err != nil {
		return err
	}
	source := in.operands[1]
	if strings.HasPrefix(source, "!") {
		source, o.imm = source[1:], all
	}
	if o.a, err = d.source(source, pred); err != nil {
		return err
	}
	o.e, err = d.source(in.operands[2], word)
	return err
}

// votes are the lanes of m that vote yes.
func (w *warp) votes(o *op, m uint32) uint32 { return (w.p[o.a] ^ uint32(o.imm)) & m }

func (w *warp) verdict(o *op, m uint32, yes bool) {
	held := uint32(0)
	if yes {
		held = all
	}
	w.setBits(o.d, held, m)
}

func voteAny(w *warp, o *op, m uint32) { w.verdict(o, m, w.votes(o, m) != 0) }
func voteAll(w *warp, o *op, m uint32) { w.verdict(o, m, w.votes(o, m) == m) }
func voteUniform(w *warp, o *op, m uint32) {
	v := w.votes(o, m)
	w.verdict(o, m, v == 0 || v == m)
}

func voteBallot(w *warp, o *op, m uint32) { w.spread(o, m, w.votes(o, m)) }

// spread writes v in all lanes of m.
func (w *warp) spread(o *op, m, v uint32) {
	d := &w.r[o.d]
	words1(d, d, m, func(uint32) uint32 { return v })
}

// buildReduce takes "d, value, mask".
func buildReduce(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 3 {
		return fmt.Errorf("has %d operands, want 3", len(in.operands))
	}
	if o.d, err = d.target(in.operands[0], word); err != nil {
		return err
	}
	if o.a, err = d.source(in.operands[1], word); err != nil {
		return err
	}
	o.e, err = d.source(in.operands[2], word)
	return err
}

// redux folds the values of the lanes in m.
func (w *warp) redux(o *op, m uint32, f func(x, y uint32) uint32) {
	v := w.r[o.a][first(m)]
	for i := first(m) + 1; i < lanes; i++ {
		if m>>i&1 != 0 {
			v = f(v, w.r[o.a][i])
		}
	}
	w.spread(o, m, v)
}

func reduxAdd(w *warp, o *op, m uint32) { w.redux(o, m, func(x, y uint32) uint32 { return x + y }) }
func reduxOr(w *warp, o *op, m uint32)  { w.redux(o, m, func(x, y uint32) uint32 { return x | y }) }
func reduxAnd(w *warp, o *op, m uint32) { w.redux(o, m, func(x, y uint32) uint32 { return x & y }) }
func reduxMaxU(w *warp, o *op, m uint32) {
	w.redux(o, m, func(x, y uint32) uint32 { return max(x, y) })
}
func reduxMinU(w *warp, o *op, m uint32) {
	w.redux(o, m, func(x, y uint32) uint32 { return min(x, y) })
}
func reduxMaxS(w *warp, o *op, m uint32) {
	w.redux(o, m, func(x, y uint32) uint32 { return uint32(max(int32(x), int32(y))) })
}
func reduxMinS(w *warp, o *op, m uint32) {
	w.redux(o, m, func(x, y uint32) uint32 { return uint32(min(int32(x), int32(y))) })
}

func matchAny(w *warp, o *op, m uint32) {
	values := w.r[o.a]
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		same := uint32(0)
		for j := range lanes {
			if m>>j&1 != 0 && values[j] == values[i] {
				same |= 1 << j
			}
		}
		w.r[o.d][i] = same
	}
}

// buildElect takes "d|p, mask", where d may be _.
func buildElect(d *decoder, in *inst, o *op) (err error) {
	to, p, both := strings.Cut(in.operands[0], "|")
	if !both || len(in.operands) != 2 {
		return fmt.Errorf("wants d|p and a mask")
	}
	if o.imm = 1; to == "_" {
		o.imm = 0
	} else if o.d, err = d.target(to, word); err != nil {
		return err
	}
	if o.a, err = d.target(p, pred); err != nil {
		return err
	}
	o.e, err = d.source(in.operands[1], word)
	return err
}

func doElect(w *warp, o *op, m uint32) {
	w.setBits(o.a, 1<<first(m), m)
	if o.imm == 1 {
		w.spread(o, m, uint32(first(m)))
	}
}
