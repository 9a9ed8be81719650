package simt

import "math/bits"

// longs are integers of 64 bits.
var longs = map[string]spec{
	"add.s64": {shape: "Xxx", do: addWide}, "add.u64": {shape: "Xxx", do: addWide}, "sub.s64": {shape: "Xxx", do: subWide}, "sub.u64": {shape: "Xxx", do: subWide},
	"mul.lo.s64": {shape: "Xxx", do: mulWide}, "mul.lo.u64": {shape: "Xxx", do: mulWide},
	"div.s64": {shape: "Xxx", do: divWideS}, "div.u64": {shape: "Xxx", do: divWideU},
	"rem.s64": {shape: "Xxx", do: remWideS}, "rem.u64": {shape: "Xxx", do: remWideU},
	"min.s64": {shape: "Xxx", do: minWideS}, "max.s64": {shape: "Xxx", do: maxWideS},
	"min.u64": {shape: "Xxx", do: minWideU}, "max.u64": {shape: "Xxx", do: maxWideU},
	"neg.s64": {shape: "Xx", do: negWide}, "and.b64": {shape: "Xxx", do: andWide}, "or.b64": {shape: "Xxx", do: orWide},
	"xor.b64": {shape: "Xxx", do: xorWide}, "not.b64": {shape: "Xx", do: notWide},
	"shl.b64": {shape: "Xxr", do: shlWide}, "shr.u64": {shape: "Xxr", do: shrWideU}, "shr.b64": {shape: "Xxr", do: shrWideU}, "shr.s64": {shape: "Xxr", do: shrWideS},
	"clz.b64": {shape: "Rx", do: clzWide}, "popc.b64": {shape: "Rx", do: popcWide}, "bfi.b64": {shape: "Xxxrr", do: bfiWide},
}

func addWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	if m == all {
		for i := range d {
			d[i] = a[i] + b[i]
		}
		return
	}
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x + y })
}

func subWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x - y })
}

func mulWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x * y })
}

func divWideS(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		if y == 0 {
			return ^uint64(0)
		}
		return uint64(int64(x) / int64(y))
	})
}

func divWideU(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		if y == 0 {
			return ^uint64(0)
		}
		return x / y
	})
}

func remWideS(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		if y == 0 {
			return x
		}
		return uint64(int64(x) % int64(y))
	})
}

func remWideU(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		if y == 0 {
			return x
		}
		return x % y
	})
}

func minWideS(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return uint64(min(int64(x), int64(y))) })
}

func maxWideS(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return uint64(max(int64(x), int64(y))) })
}

func minWideU(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return min(x, y) })
}

func maxWideU(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return max(x, y) })
}

func negWide(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.a], m, func(x uint64) uint64 { return -x })
}

func andWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x & y })
}

func orWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x | y })
}

func xorWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 { return x ^ y })
}

func notWide(w *warp, o *op, m uint32) {
	wides1(&w.x[o.d], &w.x[o.a], m, func(x uint64) uint64 { return ^x })
}

func shlWide(w *warp, o *op, m uint32) {
	shifts2(&w.x[o.d], &w.x[o.a], &w.r[o.b], m, func(x uint64, n uint32) uint64 { return x << n })
}

func shrWideU(w *warp, o *op, m uint32) {
	shifts2(&w.x[o.d], &w.x[o.a], &w.r[o.b], m, func(x uint64, n uint32) uint64 { return x >> n })
}

func shrWideS(w *warp, o *op, m uint32) {
	shifts2(&w.x[o.d], &w.x[o.a], &w.r[o.b], m, func(x uint64, n uint32) uint64 { return uint64(int64(x) >> n) })
}

func clzWide(w *warp, o *op, m uint32) {
	narrow1(&w.r[o.d], &w.x[o.a], m, func(x uint64) uint32 { return uint32(bits.LeadingZeros64(x)) })
}

func popcWide(w *warp, o *op, m uint32) {
	narrow1(&w.r[o.d], &w.x[o.a], m, func(x uint64) uint32 { return uint32(bits.OnesCount64(x)) })
}

func bfiWide(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	c, e := &w.r[o.c], &w.r[o.e]
	for i := range d {
		if m>>i&1 != 0 {
			f := field(c[i], e[i])
			d[i] = a[i]<<(c[i]&0xff)&f | b[i]&^f
		}
	}
}
