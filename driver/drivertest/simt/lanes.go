package simt

import "math/bits"

const lanes = 32

// all is the mask of a whole warp.
const all = 0xffffffff

// vec holds 32 bits for each lane, wide 64. Values of 16 bits are zero above them.
type (
	vec  = [lanes]uint32
	wide = [lanes]uint64
)

// first is the lowest lane of m.
func first(m uint32) int { return bits.TrailingZeros32(m) }

func onesCount(m uint32) int { return bits.OnesCount32(m) }

// The helpers below are small enough to be inlined together with the function that they get.

func words1(d, a *vec, m uint32, f func(x uint32) uint32) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i])
		}
	}
}

func words2(d, a, b *vec, m uint32, f func(x, y uint32) uint32) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i], b[i])
		}
	}
}

func words3(d, a, b, c *vec, m uint32, f func(x, y, z uint32) uint32) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i], b[i], c[i])
		}
	}
}

func wides1(d, a *wide, m uint32, f func(x uint64) uint64) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i])
		}
	}
}

func wides2(d, a, b *wide, m uint32, f func(x, y uint64) uint64) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i], b[i])
		}
	}
}

// shifts2 is for shifts of 64 bits by 32.
func shifts2(d, a *wide, b *vec, m uint32, f func(x uint64, n uint32) uint64) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i], b[i])
		}
	}
}

// widen1 and widen2 make 64 bits of 32, narrow1 32 bits of 64.
func widen1(d *wide, a *vec, m uint32, f func(x uint32) uint64) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i])
		}
	}
}

func widen2(d *wide, a, b *vec, m uint32, f func(x, y uint32) uint64) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i], b[i])
		}
	}
}

func narrow1(d *vec, a *wide, m uint32, f func(x uint64) uint32) {
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = f(a[i])
		}
	}
}

// holds2 is the mask of the lanes for which f holds.
func holds2(a, b *vec, f func(x, y uint32) bool) (held uint32) {
	for i := range a {
		if f(a[i], b[i]) {
			held |= 1 << i
		}
	}
	return held
}

func wideHolds2(a, b *wide, f func(x, y uint64) bool) (held uint32) {
	for i := range a {
		if f(a[i], b[i]) {
			held |= 1 << i
		}
	}
	return held
}

// setBits writes a predicate in the lanes of m.
func (w *warp) setBits(slot int32, held, m uint32) { w.p[slot] = w.p[slot]&^m | held&m }

// da, dab and dabc are the 32-bit registers of o.
func (w *warp) da(o *op) (d, a *vec) { return &w.r[o.d], &w.r[o.a] }

func (w *warp) dab(o *op) (d, a, b *vec) { return &w.r[o.d], &w.r[o.a], &w.r[o.b] }

func (w *warp) dabc(o *op) (d, a, b, c *vec) { return &w.r[o.d], &w.r[o.a], &w.r[o.b], &w.r[o.c] }

func (w *warp) wideDAB(o *op) (d, a, b *wide) { return &w.x[o.d], &w.x[o.a], &w.x[o.b] }
