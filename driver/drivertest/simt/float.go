package simt

import "math"

// floats are the operations on f32, and what there is on f64. None fuses, none flushes small values without .ftz.
var floats = map[string]spec{
	"add.f32": {shape: "Rrr", do: addFloat}, "add.rn.f32": {shape: "Rrr", do: addFloat}, "sub.f32": {shape: "Rrr", do: subFloat}, "sub.rn.f32": {shape: "Rrr", do: subFloat},
	"mul.f32": {shape: "Rrr", do: mulFloat}, "mul.rn.f32": {shape: "Rrr", do: mulFloat}, "fma.rn.f32": {shape: "Rrrr", do: fmaFloat},
	"div.rn.f32": {shape: "Rrr", do: divFloat}, "div.approx.f32": {shape: "Rrr", do: divApprox},
	"rcp.rn.f32": {shape: "Rr", do: rcpFloat}, "rcp.approx.ftz.f32": {shape: "Rr", do: rcpFloat}, "sqrt.rn.f32": {shape: "Rr", do: sqrtFloat},
	"rsqrt.approx.f32": {shape: "Rr", do: rsqrtFloat}, "lg2.approx.f32": {shape: "Rr", do: log2Float},
	"ex2.approx.f32": {shape: "Rr", do: exp2Float}, "ex2.approx.ftz.f32": {shape: "Rr", do: exp2Flushed},
	"neg.f32": {shape: "Rr", do: negFloat}, "abs.f32": {shape: "Rr", do: absFloat}, "min.f32": {shape: "Rrr", do: minFloat}, "max.f32": {shape: "Rrr", do: maxFloat},
	"max.NaN.f32": {shape: "Rrr", do: maxOrNaN},
	"mul.rn.f64":  {shape: "Xxx", do: mulDouble}, "add.rn.f64": {shape: "Xxx", do: addDouble},
}

const canonicalNaN = 0x7fffffff

// bitsOf is the bits of x, of NaN those that GPUs give.
func bitsOf(x float32) uint32 {
	if x != x {
		return canonicalNaN
	}
	return math.Float32bits(x)
}

func float(x uint32) float32 { return math.Float32frombits(x) }

func addFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return bitsOf(float(x) + float(y)) })
}

func subFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return bitsOf(float(x) - float(y)) })
}

func mulFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return bitsOf(float(x) * float(y)) })
}

func divFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 { return bitsOf(float(x) / float(y)) })
}

// divApprox gives 0 for divisors beyond 2^126, as the manual says.
func divApprox(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		q := float(x) / float(y)
		if e := y & 0x7fffffff; e > 0x7e800000 && e < 0x7f800000 {
			q *= 0 // NaN where x is infinite
		}
		return bitsOf(q)
	})
}

// fmaFloat adds in float64, where the product is exact, and rounds again: wrong only where the first rounding ends on a
// tie of the second, or the result is tiny, which fused handles.
func fmaFloat(w *warp, o *op, m uint32) {
	d, a, b, c := w.dabc(o)
	for i := range d {
		if m>>i&1 == 0 {
			continue
		}
		p, z := float64(float(a[i]))*float64(float(b[i])), float64(float(c[i]))
		s := p + z
		if u := math.Float64bits(s); u&(1<<29-1) == 1<<28 || u>>52&0x7ff < 1023-126 {
			s = toOdd(s, p, z)
		}
		d[i] = bitsOf(float32(s))
	}
}

// toOdd is s = p + z with its last bit made odd where s is not exact, so that rounding it again is right.
func toOdd(s, p, z float64) float64 {
	t := s - p
	off := (p - (s - t)) + (z - t)
	u := math.Float64bits(s)
	if off == 0 || off != off || u&1 != 0 || s == 0 {
		return s
	}
	if (off > 0) == (s > 0) {
		return math.Float64frombits(u + 1)
	}
	return math.Float64frombits(u - 1)
}

func rcpFloat(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(1 / float(x)) })
}

func sqrtFloat(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(float32(math.Sqrt(float64(float(x))))) })
}

func rsqrtFloat(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(float32(1 / math.Sqrt(float64(float(x))))) })
}

func log2Float(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(float32(math.Log2(float64(float(x))))) })
}

func exp2Float(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(exp2(float(x))) })
}

func exp2Flushed(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return flushed(bitsOf(exp2(float(flushed(x))))) })
}

// flushed is x, or a zero of its sign where x is subnormal.
func flushed(x uint32) uint32 {
	if x&0x7f800000 == 0 {
		return x & 0x80000000
	}
	return x
}

// exp2 is 2^x to less than a unit in the last place of f32.
func exp2(x float32) float32 {
	if !(x > -160 && x < 140) {
		return float32(math.Exp2(float64(x)))
	}
	n := math.Floor(float64(x) + 0.5)
	t := (float64(x) - n) * math.Ln2
	p := 1 + t*(1+t*(1./2+t*(1./6+t*(1./24+t*(1./120+t*(1./720+t*(1./5040+t/40320)))))))
	return float32(p * math.Float64frombits(uint64(1023+int64(n))<<52))
}

func negFloat(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return x ^ 0x80000000 })
}

func absFloat(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return x & 0x7fffffff })
}

// minFloat and maxFloat pass over a NaN, and -0 is below +0.

func minFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if isNaN(x) || !isNaN(y) && lessFloat(y, x) {
			x = y
		}
		return bitsOf(float(x))
	})
}

func maxFloat(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if isNaN(x) || !isNaN(y) && lessFloat(x, y) {
			x = y
		}
		return bitsOf(float(x))
	})
}

// maxOrNaN does not.
func maxOrNaN(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	words2(d, a, b, m, func(x, y uint32) uint32 {
		if isNaN(y) || !isNaN(x) && lessFloat(x, y) {
			x = y
		}
		return bitsOf(float(x))
	})
}

func isNaN(x uint32) bool { return x&0x7fffffff > 0x7f800000 }

// lessFloat orders numbers by their bits.
func lessFloat(x, y uint32) bool { return order(x) < order(y) }

func order(x uint32) int32 { return int32(x) ^ int32(x)>>31&0x7fffffff }

func mulDouble(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		return math.Float64bits(math.Float64frombits(x) * math.Float64frombits(y))
	})
}

func addDouble(w *warp, o *op, m uint32) {
	d, a, b := w.wideDAB(o)
	wides2(d, a, b, m, func(x, y uint64) uint64 {
		return math.Float64bits(math.Float64frombits(x) + math.Float64frombits(y))
	})
}
