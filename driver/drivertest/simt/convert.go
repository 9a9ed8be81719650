package simt

import (
	"math"
	"strings"
)

// conversions are those that are hot or odd; convertOf has the others.
var conversions = map[string]spec{
	"cvt.s64.s32": {shape: "Xr", do: signExtend}, "cvt.u64.u32": {shape: "Xr", do: zeroExtend}, "cvt.u32.u64": {shape: "Rx", do: truncate},
	"cvt.s32.s64": {shape: "Rx", do: truncate}, "cvt.u32.s64": {shape: "Rx", do: truncate},
	"cvt.rn.bf16x2.f32": {shape: "Rrr", do: packBF16}, "cvt.rn.f16x2.f32": {shape: "Rrr", do: packF16},
	"cvt.rn.bf16.f32": {shape: "Rr", do: toBF16s}, "cvt.rn.f16.f32": {shape: "Rr", do: toF16s}, "cvt.f32.f16": {shape: "Rr", do: fromF16s}, "cvt.f32.bf16": {shape: "Rr", do: fromBF16s},
}

func signExtend(w *warp, o *op, m uint32) {
	widen1(&w.x[o.d], &w.r[o.a], m, func(x uint32) uint64 { return uint64(int32(x)) })
}

func zeroExtend(w *warp, o *op, m uint32) {
	widen1(&w.x[o.d], &w.r[o.a], m, func(x uint32) uint64 { return uint64(x) })
}

func truncate(w *warp, o *op, m uint32) {
	narrow1(&w.r[o.d], &w.x[o.a], m, func(x uint64) uint32 { return uint32(x) })
}

// packBF16 and packF16 put the first source into the upper half.

func packBF16(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = toBF16(a[i])<<16 | toBF16(b[i])
		}
	}
}

func packF16(w *warp, o *op, m uint32) {
	d, a, b := w.dab(o)
	for i := range d {
		if m>>i&1 != 0 {
			d[i] = toF16(a[i])<<16 | toF16(b[i])
		}
	}
}

func toBF16s(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, toBF16)
}

func toF16s(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, toF16)
}

func fromF16s(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(fromF16(x)) })
}

func fromBF16s(w *warp, o *op, m uint32) {
	d, a := w.da(o)
	words1(d, a, m, func(x uint32) uint32 { return bitsOf(float(x << 16)) })
}

// toBF16 rounds to nearest even.
func toBF16(x uint32) uint32 {
	if isNaN(x) {
		return 0x7fff
	}
	return (x + 0x7fff + x>>16&1) >> 16
}

// toF16 rounds to nearest even, by adding in float32 what pushes the bits below the last one out.
func toF16(x uint32) uint32 {
	sign, a := x>>16&0x8000, x&0x7fffffff
	switch {
	case a > 0x7f800000:
		return 0x7fff
	case a >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case a < 0x38800000: // below the smallest normal number
		return sign | math.Float32bits(float(a)+0.5)&0x7ff
	}
	return sign | (a-0x38000000+0xfff+a>>13&1)>>13
}

func fromF16(x uint32) float32 {
	sign, a := x<<16&0x80000000, x&0x7fff
	switch {
	case a >= 0x7c00:
		return float(sign | a<<13 | 0x7f800000)
	case a < 0x400:
		return float(sign | math.Float32bits(float32(a)*0x1p-24))
	}
	return float(sign | a<<13 + 0x38000000)
}

// number is a value on its way from one type to another.
type number struct {
	i     int64 // or uint64
	f     float64
	float bool
}

// convertOf decodes cvt[.round][.ftz][.sat].to.from.
func convertOf(parts []string) (spec, bool) {
	if len(parts) < 3 {
		return spec{}, false
	}
	to, from := parts[len(parts)-2], parts[len(parts)-1]
	read, write := readers[from], writers[to]
	if read == nil || write == nil {
		return spec{}, false
	}
	round := math.RoundToEven
	for _, word := range parts[1 : len(parts)-2] {
		if round = rounds[word]; round == nil {
			return spec{}, false
		}
	}
	if to[0] == 'f' && from[0] == 'f' && to >= from && len(parts) == 3 {
		round = nil
	}
	shape := map[bool]string{true: "X", false: "R"}[strings.HasSuffix(to, "64")] + map[bool]string{true: "x", false: "r"}[strings.HasSuffix(from, "64")]
	s := spec{shape: shape, do: convertAny}
	decode := shaped(shape)
	c := &conversion{read, write, round, shape[0] == 'X', shape[1] == 'x', to}
	s.build = func(d *decoder, in *inst, o *op) error { o.extra = c; return decode(d, in, o) }
	return s, true
}

var rounds = map[string]func(float64) float64{"rn": math.RoundToEven, "rni": math.RoundToEven, "rzi": math.Trunc, "rmi": math.Floor, "rpi": math.Ceil}

type conversion struct {
	read             func(uint64) number
	write            func(number) uint64
	round            func(float64) float64 // what a float becomes before it is written as an integer or a whole float
	wideTo, wideFrom bool
	to               string
}

func convertAny(w *warp, o *op, m uint32) {
	c := o.extra.(*conversion)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		var v uint64
		if c.wideFrom {
			v = w.x[o.a][i]
		} else {
			v = uint64(w.r[o.a][i])
		}
		v = c.convert(v)
		if c.wideTo {
			w.x[o.d][i] = v
		} else {
			w.r[o.d][i] = uint32(v)
		}
	}
}

func (c *conversion) convert(v uint64) uint64 {
	n := c.read(v)
	if n.float && c.round != nil && (c.to[0] != 'f' || c.wideTo == c.wideFrom) {
		n.f = c.round(n.f)
	}
	return c.write(n)
}

func integer(v int64) number { return number{i: v} }

var readers = map[string]func(uint64) number{
	"u8": func(v uint64) number { return integer(int64(uint8(v))) }, "s8": func(v uint64) number { return integer(int64(int8(v))) },
	"u16": func(v uint64) number { return integer(int64(uint16(v))) }, "s16": func(v uint64) number { return integer(int64(int16(v))) },
	"u32": func(v uint64) number { return integer(int64(uint32(v))) }, "s32": func(v uint64) number { return integer(int64(int32(v))) },
	"u64": func(v uint64) number { return number{i: int64(v), f: float64(v)} }, "s64": func(v uint64) number { return integer(int64(v)) },
	"f32": func(v uint64) number { return number{f: float64(float(uint32(v))), float: true} },
	"f64": func(v uint64) number { return number{f: math.Float64frombits(v), float: true} },
}

var writers = map[string]func(number) uint64{
	"u8": whole(0, 1<<8-1, 0xff), "s8": whole(-1<<7, 1<<7-1, 0xffffffff), "u16": whole(0, 1<<16-1, 0xffff), "s16": whole(-1<<15, 1<<15-1, 0xffff),
	"u32": whole(0, 1<<32-1, 0xffffffff), "s32": whole(-1<<31, 1<<31-1, 0xffffffff), "u64": unsigned, "s64": whole(-1<<63, 1<<63-1, ^uint64(0)),
	"f32": func(n number) uint64 {
		switch {
		case n.float:
			return uint64(bitsOf(float32(n.f)))
		case n.i < 0 && n.f > 0:
			return uint64(bitsOf(float32(uint64(n.i))))
		}
		return uint64(bitsOf(float32(n.i)))
	},
	"f64": func(n number) uint64 {
		if n.float || n.f != 0 {
			return math.Float64bits(n.f)
		}
		return math.Float64bits(float64(n.i))
	},
}

// whole writes integers: floats end at the type's limits, and NaN is zero; integers are cut.
func whole(low, high float64, mask uint64) func(number) uint64 {
	return func(n number) uint64 {
		switch {
		case !n.float:
			return uint64(n.i) & mask
		case n.f != n.f:
			return 0
		case n.f >= high:
			return uint64(int64(math.Min(high, 0x1.fffffffffffffp62))) & mask
		case n.f <= low:
			return uint64(int64(low)) & mask
		}
		return uint64(int64(n.f)) & mask
	}
}

func unsigned(n number) uint64 {
	switch {
	case !n.float:
		return uint64(n.i)
	case !(n.f > 0):
		return 0
	case n.f >= 0x1p64:
		return ^uint64(0)
	}
	return uint64(n.f)
}
