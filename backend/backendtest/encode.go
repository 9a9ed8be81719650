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

// toF16 rounds x of a magnitude between 2^-14 and 65504 to f16; what is smaller becomes zero.
func toF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign := uint16(u >> 16 & 0x8000)
	u &= 0x7fffffff
	if u < 0x38800000 {
		return sign
	}
	return sign | uint16((u-0x38000000+0xfff+u>>13&1)>>13)
}

// fromF16 reads a normal f16 or zero.
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
	if t == tensor.BF16 {
		return float64(toBF16(float32(x)))
	}
	return x
}
