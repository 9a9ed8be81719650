package backendtest

import (
	"encoding/binary"
	"math"

	"github.com/weft-llm/weft/tensor"
)

// encode rounds data to a plain type.
func encode(t tensor.DType, data []float32) []byte {
	var out []byte
	for _, v := range data {
		switch t {
		case tensor.F32:
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		case tensor.BF16:
			out = binary.LittleEndian.AppendUint16(out, uint16(math.Float32bits(toBF16(v))>>16))
		case tensor.F16:
			out = binary.LittleEndian.AppendUint16(out, toF16(v))
		default:
			panic("BUG: encode " + t.String())
		}
	}
	return out
}

// toBF16 rounds x to the nearest value of bf16, ties to even.
func toBF16(x float32) float32 {
	u := math.Float32bits(x)
	return math.Float32frombits((u + 0x7fff + u>>16&1) &^ 0xffff)
}

// toF16 rounds x of a magnitude of at most 65504 to f16.
func toF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign := uint16(u >> 16 & 0x8000)
	u &= 0x7fffffff
	if u < 0x38800000 { // steps of 2^-24, as those of f32 are from 0.5 on
		return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-0x3f000000)
	}
	return sign | uint16((u-0x38000000+0xfff+u>>13&1)>>13)
}

// fromF16 reads a finite f16.
func fromF16(h uint16) float64 {
	e, m := int(h>>10&31), float64(h&1023)
	v := math.Ldexp(1+m/1024, e-15)
	if e == 0 {
		v = math.Ldexp(m/1024, -14)
	}
	if h&0x8000 != 0 {
		v = -v
	}
	return v
}

// rounded returns x as an activation of type t holds it.
func rounded(t tensor.DType, x float64) float64 {
	switch t {
	case tensor.BF16:
		return float64(toBF16(float32(x)))
	case tensor.F16:
		return fromF16(toF16(float32(x)))
	}
	return x
}
