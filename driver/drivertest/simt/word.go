package simt

import "math/bits"

// integers are those of 16 and 32 bits.
var integers = map[string]spec{
	"add.s32": {shape: "Rrr", do: addWord}, "add.u32": {shape: "Rrr", do: addWord},
	"sub.s32": {shape: "Rrr", do: subWord}, "sub.u32": {shape: "Rrr", do: subWord},
	"mul.lo.s32": {shape: "Rrr", do: mulWord}, "mul.lo.u32": {shape: "Rrr", do: mulWord},
	"mul.hi.u32": {shape: "Rrr", do: mulHighU}, "mul.hi.s32": {shape: "Rrr", do: mulHighS},
	"mul.wide.s32": {shape: "Xrr", do: mulWideS}, "mul.wide.u32": {shape: "Xrr", do: mulWideU},
	"mul.wide.u16": {shape: "Rrr", do: mulHalves}, "mad.lo.s32": {shape: "Rrrr", do: madWord}, "mad.lo.u32": {shape: "Rrrr", do: madWord},
	"div.s32": {shape: "Rrr", do: divS}, "div.u32": {shape: "Rrr", do: divU},
	"rem.s32": {shape: "Rrr", do: remS}, "rem.u32": {shape: "Rrr", do: remU},
	"min.s32": {shape: "Rrr", do: minS}, "max.s32": {shape: "Rrr", do: maxS},
	"min.u32": {shape: "Rrr", do: minU}, "max.u32": {shape: "Rrr", do: maxU},
	"neg.s32": {shape: "Rr", do: negWord}, "neg.s16": {shape: "Rr", do: negHalf}, "abs.s32": {shape: "Rr", do: absWord},
	"and.b32": {shape: "Rrr", do: andWord}, "and.b16": {shape: "Rrr", do: andWord}, "or.b32": {shape: "Rrr", do: orWord},
	"or.b16": {shape: "Rrr", do: orHalf}, "xor.b32": {shape: "Rrr", do: xorWord}, "not.b32": {shape: "Rr", do: notWord},
	"shl.b32": {shape: "Rrr", do: shlWord}, "shr.u32": {shape: "Rrr", do: shrU}, "shr.b32": {shape: "Rrr", do: shrU},
	"shr.s32": {shape: "Rrr", do: shrS}, "shr.u16": {shape: "Rrr", do: shrU},
	"clz.b32": {shape: "Rr", do: clzWord}, "popc.b32": {shape: "Rr", do: popcWord}, "brev.b32": {shape: "Rr", do: brevWord},
	"bfind.u32": {shape: "Rr", do: bfindU}, "bfind.shiftamt.u32": {shape: "Rr", do: bfindShift},
	"prmt.b32": {shape: "Rrrr", do: prmt}, "bfi.b32": {shape: "Rrrrr", do: bfiWord}, "bfe.u32": {shape: "Rrrr", do: bfeU}, "bfe.s32": {shape: "Rrrr", do: bfeS},
}

func addWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	if m == all {
		for i := range d {
			d[i] = a[i] + b[i]
		}
		return
	}
	words2(d, a, b, m, func(x, y uint32) uint32 { return x + y })
}

func subWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x - y })
}

// mulHalves takes the lower halves: a negative constant has 16 bits too.
func mulHalves(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x & 0xffff * (y & 0xffff) })
}

func mulWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x * y })
}

func madWord(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	words3(d, a, b, c, m, func(x, y, z uint32) uint32 { return x*y + z })
}

func mulHighU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return uint32(uint64(x) * uint64(y) >> 32) })
}

func mulHighS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return uint32(int64(int32(x)) * int64(int32(y)) >> 32) })
}

func mulWideU(w *warp, o *op, m uint32) {
	widen2(&w.x[o.d], &w.r[o.a], &w.r[o.b], m, func(x, y uint32) uint64 { return uint64(x) * uint64(y) })
}

func mulWideS(w *warp, o *op, m uint32) {
	widen2(&w.x[o.d], &w.r[o.a], &w.r[o.b], m, func(x, y uint32) uint64 { return uint64(int64(int32(x)) * int64(int32(y))) })
}

// Divisions by zero give all ones, which is what GPUs do; the manual leaves it open.

func divS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if y == 0 {
			return all
		}
		return uint32(int32(x) / int32(y))
	})
}

func divU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if y == 0 {
			return all
		}
		return x / y
	})
}

func remS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if y == 0 {
			return x
		}
		return uint32(int32(x) % int32(y))
	})
}

func remU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if y == 0 {
			return x
		}
		return x % y
	})
}

func minS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return uint32(min(int32(x), int32(y))) })
}

func maxS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return uint32(max(int32(x), int32(y))) })
}

func minU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return min(x, y) })
}

func maxU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return max(x, y) })
}

func negWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return -x })
}

func negHalf(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return -x & 0xffff })
}

func absWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return uint32(max(int32(x), -int32(x))) })
}

func andWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	if m == all {
		for i := range d {
			d[i] = a[i] & b[i]
		}
		return
	}
	words2(d, a, b, m, func(x, y uint32) uint32 { return x & y })
}

func orWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x | y })
}

func orHalf(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return (x | y) & 0xffff })
}

func xorWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x ^ y })
}

func notWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return ^x })
}

// Shifts by the width and more shift everything out.

func shlWord(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	if m == all {
		for i := range d {
			d[i] = a[i] << b[i]
		}
		return
	}
	words2(d, a, b, m, func(x, y uint32) uint32 { return x << y })
}

func shrU(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return x >> y })
}

func shrS(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return uint32(int32(x) >> y) })
}

func clzWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return uint32(bits.LeadingZeros32(x)) })
}

func popcWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return uint32(bits.OnesCount32(x)) })
}

func brevWord(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, bits.Reverse32)
}

// bfindU is the highest set bit, all ones without one; bfindShift how far it is from the top.
func bfindU(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return uint32(bits.Len32(x) - 1) })
}

func bfindShift(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 {
		if x == 0 {
			return all
		}
		return uint32(bits.LeadingZeros32(x))
	})
}

// prmt picks four of the eight bytes of b:a by the four-bit fields of c; the top bit of a field spreads the byte's sign.
func prmt(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	words3(d, a, b, c, m, func(x, y, sel uint32) (out uint32) {
		from := uint64(y)<<32 | uint64(x)
		for i := range 4 {
			field := sel >> (4 * i) & 15
			v := byte(from >> (8 * (field & 7)))
			if field&8 != 0 {
				v = byte(int8(v) >> 7)
			}
			out |= uint32(v) << (8 * i)
		}
		return out
	})
}

// field is the mask of length bits from position on, both of which count modulo 256.
func field(position, length uint32) uint64 {
	position, length = position&0xff, length&0xff
	ones := ^uint64(0)
	if length < 64 {
		ones = 1<<length - 1
	}
	return ones << position
}

func bfiWord(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	e := &w.r[o.e]
	for i := range d {
		if m>>i&1 != 0 {
			f := uint32(field(c[i], e[i]))
			d[i] = a[i]<<(c[i]&0xff)&f | b[i]&^f
		}
	}
}

func bfeU(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	words3(d, a, b, c, m, func(x, at, n uint32) uint32 { return x >> (at & 0xff) & uint32(field(0, n)) })
}

func bfeS(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	words3(d, a, b, c, m, func(x, at, n uint32) uint32 {
		at, n = at&0xff, n&0xff
		if n == 0 {
			return 0
		}
		if top := min(at+n-1, 31); int32(x<<(31-top)) < 0 {
			return uint32(int32(x)>>at)&uint32(field(0, n)) | ^uint32(field(0, n))
		}
		return x >> at & uint32(field(0, n))
	})
}
