package simt

import (
	"fmt"
	"strings"
)

// copying is cp.async: copies from global to shared memory that land when they are waited for, and no sooner.
var copying = map[string]spec{
	"cp.async.cg.shared.global.L2::128B": {build: buildCopy, do: startCopy}, "cp.async.cg.shared.global": {build: buildCopy, do: startCopy},
	"cp.async.cg.shared.global.L2::cache_hint.L2::128B": {build: buildHinted, do: startCopy},
	"cp.async.ca.shared.global":                         {build: buildCopy, do: startCopy}, "cp.async.ca.shared.global.L2::128B": {build: buildCopy, do: startCopy},
	"cp.async.commit_group": {do: commitCopies, shape: ""}, "cp.async.wait_group": {build: buildCount, do: waitCopies}, "cp.async.wait_all": {do: waitAllCopies, shape: ""},
	"cp.async.mbarrier.arrive.noinc.shared::cta.b64": {build: buildNoinc, do: arriveBehindCopies}, "cp.async.mbarrier.arrive.noinc.shared.b64": {build: buildNoinc, do: arriveBehindCopies},
}

// copies are those of a warp that have not landed, oldest first.
type copies struct {
	list      []asyncCopy
	committed [lanes]int32 // groups so far
}

// asyncCopy is one instruction's copies of the lanes in mask.
type asyncCopy struct {
	op     *op
	mask   uint32
	group  [lanes]int32 // which it belongs to
	to     vec
	from   wide
	bytes  [lanes]int32 // that are read; the rest is zero
	filled int
}

func (c *copies) clear() {
	c.list = c.list[:0]
	c.committed = [lanes]int32{}
}

// buildCopy takes "[to], [from], size" and perhaps the bytes that are read, or a predicate of lanes that read none.
func buildCopy(d *decoder, in *inst, o *op) (err error) {
	n := len(in.operands)
	if n < 3 || n > 4 {
		return fmt.Errorf("has %d operands, want 3 or 4", n)
	}
	to, from := op{}, op{}
	if err = d.where(in.operands[0], &to); err != nil {
		return err
	}
	if err = d.where(in.operands[1], &from); err != nil {
		return err
	}
	if to.wide || !from.wide || to.imm != 0 {
		return fmt.Errorf("wants a 32-bit address to copy to and one of 64 bits to copy from")
	}
	size, ok := parseNumber(in.operands[2])
	if !ok || size != 16 && (size != 4 && size != 8 || strings.Contains(in.name, ".cg.")) {
		return fmt.Errorf("cannot copy %s bytes", in.operands[2])
	}
	o.a, o.b, o.imm, o.extra = to.a, from.a, from.imm, int(size)
	read := in.operands[2]
	o.e = neverSlot
	if n == 4 {
		if r, ok := d.register(in.operands[3]); ok && r.class == pred {
			o.e = r.at
		} else {
			read = in.operands[3]
		}
	}
	o.c, err = d.source(read, word)
	return err
}

// buildHinted takes the same and a hint for the L2, which changes nothing here.
func buildHinted(d *decoder, in *inst, o *op) error {
	plain := *in
	plain.operands = in.operands[:max(0, len(in.operands)-1)]
	return buildCopy(d, &plain, o)
}

func startCopy(w *warp, o *op, m uint32) {
	n := len(w.copies.list)
	if n < cap(w.copies.list) {
		w.copies.list = w.copies.list[:n+1]
	} else {
		w.copies.list = append(w.copies.list, asyncCopy{})
	}
	c := &w.copies.list[n]
	c.op, c.mask, c.filled, c.group, c.to = o, m, o.extra.(int), w.copies.committed, w.r[o.a]
	for i := range lanes {
		c.from[i] = w.x[o.b][i] + uint64(o.imm)
		if c.bytes[i] = int32(w.r[o.c][i]); w.p[o.e]>>i&1 != 0 {
			c.bytes[i] = 0
		}
		if m>>i&1 != 0 && (c.bytes[i] < 0 || int(c.bytes[i]) > c.filled) {
			w.fault(o, i, Instruction, "reads %d bytes and writes %d", c.bytes[i], c.filled)
		}
		if m>>i&1 != 0 {
			w.early(o, i, c.from[i], int(c.bytes[i]))
		}
	}
}

// land does the copies of the lanes in m that belong to a group before first.
func (w *warp) landCopies(m uint32, first func(lane int) int32) {
	left := w.copies.list[:0]
	for i := range w.copies.list {
		c := &w.copies.list[i]
		for lane := range lanes {
			if m>>lane&1 != 0 && c.mask>>lane&1 != 0 && c.group[lane] < first(lane) {
				w.landCopy(c, lane)
				c.mask &^= 1 << lane
			}
		}
		if c.mask != 0 {
			if len(left) != i {
				left = append(left, *c)
			} else {
				left = left[:i+1]
			}
		}
	}
	w.copies.list = left
}

func (w *warp) landCopy(c *asyncCopy, lane int) {
	o := c.op
	to := w.shared(o, lane, uint64(c.to[lane]), c.filled)
	if uint64(c.to[lane])%uint64(c.filled) != 0 || c.from[lane]%uint64(c.filled) != 0 && c.bytes[lane] > 0 {
		w.fault(o, lane, Misaligned, "a copy of %d bytes from %#x to %#x", c.filled, c.from[lane], c.to[lane])
	}
	n := int(c.bytes[lane])
	if n > 0 {
		copy(to, w.global(o, lane, c.from[lane], n))
	}
	clear(to[n:])
}

func commitCopies(w *warp, _ *op, m uint32) {
	for i := range lanes {
		w.copies.committed[i] += int32(m >> i & 1)
	}
}

func buildCount(_ *decoder, in *inst, o *op) error {
	if len(in.operands) != 1 {
		return fmt.Errorf("has %d operands, want a count", len(in.operands))
	}
	n, ok := parseNumber(in.operands[0])
	if !ok {
		return fmt.Errorf("%s is no count", in.operands[0])
	}
	o.imm = int64(n)
	return nil
}

func waitCopies(w *warp, o *op, m uint32) {
	w.landCopies(m, func(lane int) int32 { return w.copies.committed[lane] - int32(o.imm) })
}

func waitAllCopies(w *warp, _ *op, m uint32) {
	w.landCopies(m, func(int) int32 { return 1<<31 - 1 })
}

func buildNoinc(d *decoder, in *inst, o *op) error {
	if len(in.operands) != 1 {
		return fmt.Errorf("has %d operands, want an address", len(in.operands))
	}
	return d.where(in.operands[0], o)
}
