package simt

import (
	"fmt"
	"strings"
)

// moves choose and copy.
var moves = map[string]spec{
	"mov.b16": {build: buildMove}, "mov.u16": {build: buildMove}, "mov.s16": {build: buildMove}, "mov.f32": {build: buildMove}, "mov.b32": {build: buildMove}, "mov.u32": {build: buildMove}, "mov.s32": {build: buildMove},
	"mov.b64": {build: buildMove}, "mov.u64": {build: buildMove}, "mov.s64": {build: buildMove}, "mov.f64": {build: buildMove},
	"selp.b32": {shape: "Rrrp", do: selectWord}, "selp.u32": {shape: "Rrrp", do: selectWord}, "selp.s32": {shape: "Rrrp", do: selectWord}, "selp.f32": {shape: "Rrrp", do: selectWord},
	"selp.u16": {shape: "Rrrp", do: selectHalf}, "selp.b16": {shape: "Rrrp", do: selectHalf}, "selp.b64": {shape: "Xxxp", do: selectWide}, "selp.u64": {shape: "Xxxp", do: selectWide}, "selp.s64": {shape: "Xxxp", do: selectWide},
	"mov.pred": {shape: "Pp", do: movePred}, "and.pred": {shape: "Ppp", do: andPred}, "or.pred": {shape: "Ppp", do: orPred},
	"xor.pred": {shape: "Ppp", do: xorPred}, "not.pred": {shape: "Pp", do: notPred},
	"cvta.to.global.u64": {shape: "Xx", do: moveWide}, "cvta.global.u64": {shape: "Xx", do: moveWide}, "cvta.param.u64": {shape: "Xx", do: moveWide},
	"cvta.shared.u64": {shape: "Xx", do: toGeneric}, "cvta.to.shared.u64": {shape: "Xx", do: fromGeneric},
}

// buildMove takes a plain move, one from a special register, and those that pack and unpack halves.
func buildMove(d *decoder, in *inst, o *op) error {
	if len(in.operands) != 2 {
		return fmt.Errorf("has %d operands, want 2", len(in.operands))
	}
	to, from := in.operands[0], in.operands[1]
	c := classOf(in.name[4:])
	switch {
	case strings.HasPrefix(to, "{"):
		return buildUnpack(d, c, o, to, from)
	case strings.HasPrefix(from, "{"):
		return buildPack(d, c, o, to, from)
	case strings.HasPrefix(from, "%"):
		if read, ok := specials[from]; ok {
			o.extra, o.do = read, moveSpecial
			if c == dword {
				o.do = moveSpecialWide
			}
			var err error
			o.d, err = d.target(to, c)
			return err
		}
	}
	shape := "Rr"
	if o.do = moveWord; c == dword {
		shape, o.do = "Xx", moveWide
	}
	if in.name[len(in.name)-2:] == "16" {
		o.do = moveHalf
	}
	return shaped(shape)(d, in, o)
}

// members are the registers of "{a,b}".
func (d *decoder) members(text string, c class, write bool) (out []int32, err error) {
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return nil, fmt.Errorf("%s is no vector", text)
	}
	for _, name := range strings.Split(text[1:len(text)-1], ",") {
		var at int32
		if name = strings.TrimSpace(name); write {
			at, err = d.target(name, c)
		} else {
			at, err = d.source(name, c)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, nil
}

func buildUnpack(d *decoder, c class, o *op, to, from string) (err error) {
	if o.list, err = d.members(to, word, true); err != nil {
		return err
	}
	o.a, err = d.source(from, c)
	switch {
	case c == dword && len(o.list) == 2:
		o.do = unpackWide
	case c == word && len(o.list) == 2:
		o.do = unpackWord
	default:
		err = fmt.Errorf("moves of %s are not played", to)
	}
	return err
}

func buildPack(d *decoder, c class, o *op, to, from string) (err error) {
	if o.list, err = d.members(from, word, false); err != nil {
		return err
	}
	o.d, err = d.target(to, c)
	switch {
	case c == dword && len(o.list) == 2:
		o.do = packWide
	case c == word && len(o.list) == 2:
		o.do = packWord
	default:
		err = fmt.Errorf("moves of %s are not played", from)
	}
	return err
}

func moveWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	if m == all {
		*d = *a
		return
	}
	words1(d, a, m, func(x uint32) uint32 { return x })
}

func moveHalf(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return x & 0xffff })
}

func moveWide(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.a], m, func(x uint64) uint64 { return x })
}

func toGeneric(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.a], m, func(x uint64) uint64 { return x + genericShared })
}

func fromGeneric(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.a], m, func(x uint64) uint64 { return x - genericShared })
}

func unpackWide(w *warp, o *op, m uint32) {
	a, lo, hi := &w.x[o.a], &w.r[o.list[0]], &w.r[o.list[1]]
	for i := range a {
		if m>>i&1 != 0 {
			lo[i], hi[i] = uint32(a[i]), uint32(a[i]>>32)
		}
	}
}

func unpackWord(w *warp, o *op, m uint32) {
	a, lo, hi := &w.r[o.a], &w.r[o.list[0]], &w.r[o.list[1]]
	for i := range a {
		if m>>i&1 != 0 {
			lo[i], hi[i] = a[i]&0xffff, a[i]>>16
		}
	}
}

func packWide(w *warp, o *op, m uint32) {
	widen2(&w.x[o.d], &w.r[o.list[0]], &w.r[o.list[1]], m, func(lo, hi uint32) uint64 { return uint64(hi)<<32 | uint64(lo) })
}

func packWord(w *warp, o *op, m uint32) {
	words2(&w.r[o.d], &w.r[o.list[0]], &w.r[o.list[1]], m, func(lo, hi uint32) uint32 { return hi<<16 | lo&0xffff })
}

func selectWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	p := w.p[o.c]
	for i := range d {
		if m>>i&1 != 0 {
			v := b[i]
			if p>>i&1 != 0 {
				v = a[i]
			}
			d[i] = v
		}
	}
}

func selectHalf(w *warp, o *op, m uint32) {
	selectWord(w, o, m)
	d := &w.r[o.d]
	words1(d, d, m, func(x uint32) uint32 { return x & 0xffff })
}

func selectWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	p := w.p[o.c]
	for i := range d {
		if m>>i&1 != 0 {
			v := b[i]
			if p>>i&1 != 0 {
				v = a[i]
			}
			d[i] = v
		}
	}
}

func movePred(w *warp, o *op, m uint32) { w.setBits(o.d, w.p[o.a], m) }
func notPred(w *warp, o *op, m uint32)  { w.setBits(o.d, ^w.p[o.a], m) }
func andPred(w *warp, o *op, m uint32)  { w.setBits(o.d, w.p[o.a]&w.p[o.b], m) }
func orPred(w *warp, o *op, m uint32)   { w.setBits(o.d, w.p[o.a]|w.p[o.b], m) }
func xorPred(w *warp, o *op, m uint32)  { w.setBits(o.d, w.p[o.a]^w.p[o.b], m) }
