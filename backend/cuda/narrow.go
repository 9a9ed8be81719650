package cuda

import (
	"math"

	"github.com/weft-llm/weft/tensor"
)

// narrow rounds v to t, which is BF16 or F16: to the nearest, ties to even.
func narrow(t tensor.DType, v float32) uint16 {
	if t == tensor.F16 {
		return toF16(v)
	}
	return toBF16(v)
}

// widen is the value that narrow gave.
func widen(t tensor.DType, u uint16) float32 {
	if t == tensor.F16 {
		return fromF16(u)
	}
	return math.Float32frombits(uint32(u) << 16)
}

// toBF16 keeps a NaN one.
func toBF16(v float32) uint16 {
	u := math.Float32bits(v)
	if v != v {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// toF16 makes infinite what lies beyond 65504 by half a step and more.
func toF16(v float32) uint16 {
	u := math.Float32bits(v)
	sign := uint16(u >> 16 & 0x8000)
	u &^= 1 << 31
	switch {
	case v != v:
		return sign | 0x7e00
	case u >= 0x477ff000:
		return sign | 0x7c00
	case u >= 0x38800000: // 2^-14: normal
		return sign | uint16((u-0x38000000+0xfff+u>>13&1)>>13)
	}
	// The steps below 2^-14 are of 2^-24, as those of f32 are from 0.5 on.
	return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-0x3f000000)
}

func fromF16(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	v := math.Ldexp(1+fraction/1024, exponent-15)
	switch {
	case exponent == 31 && fraction > 0:
		v = math.NaN()
	case exponent == 31:
		v = math.Inf(1)
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return float32(v)
}
