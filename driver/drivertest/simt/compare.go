package simt

import (
	"fmt"
	"strings"
)

// comparisons by name; those of float32 that end in u hold for NaN too.
const (
	cmpEQ = iota
	cmpNE
	cmpLT
	cmpLE
	cmpGT
	cmpGE
	cmpEQU
	cmpNEU
	cmpLTU
	cmpLEU
	cmpGTU
	cmpGEU
	cmpNUM
	cmpNAN
)

var comparisons = map[string]int64{"eq": cmpEQ, "ne": cmpNE, "lt": cmpLT, "le": cmpLE, "gt": cmpGT, "ge": cmpGE, "equ": cmpEQU, "neu": cmpNEU,
	"ltu": cmpLTU, "leu": cmpLEU, "gtu": cmpGTU, "geu": cmpGEU, "num": cmpNUM, "nan": cmpNAN, "lo": cmpLT, "ls": cmpLE, "hi": cmpGT, "hs": cmpGE}

// compareOf decodes setp.cmp.type.
func compareOf(parts []string) (spec, bool) {
	if len(parts) != 3 {
		return spec{}, false
	}
	cmp, ok := comparisons[parts[1]]
	kinds := map[string]spec{"s32": {shape: "Prr", do: compareS}, "b32": {shape: "Prr", do: compareU}, "u32": {shape: "Prr", do: compareU},
		"s16": {shape: "Prr", do: compareHalf}, "u16": {shape: "Prr", do: compareU}, "b16": {shape: "Prr", do: compareU},
		"s64": {shape: "Pxx", do: compareWideS}, "u64": {shape: "Pxx", do: compareWideU}, "b64": {shape: "Pxx", do: compareWideU},
		"f32": {shape: "Prr", do: compareFloat}}
	s, known := kinds[parts[2]]
	if !ok || !known || cmp > cmpGE && parts[2] != "f32" {
		return spec{}, false
	}
	decode := shaped(s.shape)
	s.build = func(d *decoder, in *inst, o *op) error {
		o.imm = cmp
		if strings.Contains(in.operands[0], "|") {
			return fmt.Errorf("a second predicate is not played")
		}
		return decode(d, in, o)
	}
	return s, true
}

func compareS(w *warp, o *op, m uint32) {
	a, b := &w.r[o.a], &w.r[o.b]
	var held uint32
	switch o.imm {
	case cmpEQ:
		held = holds2(a, b, func(x, y uint32) bool { return x == y })
	case cmpNE:
		held = holds2(a, b, func(x, y uint32) bool { return x != y })
	case cmpLT:
		held = holds2(a, b, func(x, y uint32) bool { return int32(x) < int32(y) })
	case cmpLE:
		held = holds2(a, b, func(x, y uint32) bool { return int32(x) <= int32(y) })
	case cmpGT:
		held = holds2(a, b, func(x, y uint32) bool { return int32(x) > int32(y) })
	case cmpGE:
		held = holds2(a, b, func(x, y uint32) bool { return int32(x) >= int32(y) })
	}
	w.setBits(o.d, held, m)
}

func compareU(w *warp, o *op, m uint32) {
	a, b := &w.r[o.a], &w.r[o.b]
	var held uint32
	switch o.imm {
	case cmpEQ:
		held = holds2(a, b, func(x, y uint32) bool { return x == y })
	case cmpNE:
		held = holds2(a, b, func(x, y uint32) bool { return x != y })
	case cmpLT:
		held = holds2(a, b, func(x, y uint32) bool { return x < y })
	case cmpLE:
		held = holds2(a, b, func(x, y uint32) bool { return x <= y })
	case cmpGT:
		held = holds2(a, b, func(x, y uint32) bool { return x > y })
	case cmpGE:
		held = holds2(a, b, func(x, y uint32) bool { return x >= y })
	}
	w.setBits(o.d, held, m)
}

// compareHalf is for 16 bits with a sign.
func compareHalf(w *warp, o *op, m uint32) {
	a, b := &w.r[o.a], &w.r[o.b]
	cmp := o.imm
	w.setBits(o.d, holds2(a, b, func(x, y uint32) bool { return ordered(cmp, int64(int16(x)), int64(int16(y))) }), m)
}

// ordered compares any way.
func ordered(cmp, x, y int64) bool {
	switch cmp {
	case cmpEQ:
		return x == y
	case cmpNE:
		return x != y
	case cmpLT:
		return x < y
	case cmpLE:
		return x <= y
	case cmpGT:
		return x > y
	}
	return x >= y
}

func compareWideS(w *warp, o *op, m uint32) {
	cmp := o.imm
	w.setBits(o.d, wideHolds2(&w.x[o.a], &w.x[o.b], func(x, y uint64) bool { return ordered(cmp, int64(x), int64(y)) }), m)
}

func compareWideU(w *warp, o *op, m uint32) {
	cmp := o.imm
	w.setBits(o.d, wideHolds2(&w.x[o.a], &w.x[o.b], func(x, y uint64) bool { return ordered(cmp, int64(x^1<<63), int64(y^1<<63)) }), m)
}

func compareFloat(w *warp, o *op, m uint32) {
	a, b := &w.r[o.a], &w.r[o.b]
	var held uint32
	switch o.imm {
	case cmpEQ, cmpEQU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) == float(y) })
	case cmpNE, cmpNEU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) != float(y) && !isNaN(x) && !isNaN(y) })
	case cmpLT, cmpLTU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) < float(y) })
	case cmpLE, cmpLEU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) <= float(y) })
	case cmpGT, cmpGTU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) > float(y) })
	case cmpGE, cmpGEU:
		held = holds2(a, b, func(x, y uint32) bool { return float(x) >= float(y) })
	case cmpNUM:
		held = all
	}
	switch unordered := holds2(a, b, func(x, y uint32) bool { return isNaN(x) || isNaN(y) }); {
	case o.imm == cmpNUM:
		held &^= unordered
	case o.imm >= cmpEQU:
		held |= unordered
	}
	w.setBits(o.d, held, m)
}
