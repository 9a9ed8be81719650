package cpu

import (
	"encoding/binary"
	"math"

	"github.com/x448/float16"

	"github.com/weft-llm/weft/tensor"
)

// dequantiser returns the function that reads whole blocks of t, nil for a type that cannot be read. The layouts are
// ggml's (github.com/ggml-org/ggml, src/ggml-common.h); the arithmetic, rounding for rounding, is that of its Python
// package gguf.
func dequantiser(t tensor.DType) func(dst []float32, src []byte) {
	switch t {
	case tensor.F32:
		return dequantiseF32
	case tensor.F16:
		return dequantiseF16
	case tensor.BF16:
		return dequantiseBF16
	case tensor.F8E4M3:
		return dequantiseF8E4M3
	case tensor.Q8_0:
		return dequantiseQ8_0
	case tensor.Q4_0:
		return dequantiseQ4_0
	case tensor.Q4_1:
		return dequantiseQ4_1
	case tensor.Q5_0:
		return dequantiseQ5_0
	case tensor.Q5_1:
		return dequantiseQ5_1
	case tensor.Q2_K:
		return dequantiseQ2_K
	case tensor.Q3_K:
		return dequantiseQ3_K
	case tensor.Q4_K:
		return dequantiseQ4_K
	case tensor.Q5_K:
		return dequantiseQ5_K
	case tensor.Q6_K:
		return dequantiseQ6_K
	case tensor.IQ4_NL:
		return dequantiseIQ4_NL
	case tensor.IQ4_XS:
		return dequantiseIQ4_XS
	}
	return nil
}

func f16(b []byte) float32     { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() }
func f16bits(x float32) uint16 { return float16.Fromfloat32(x).Bits() }
func u32(b []byte) uint32      { return binary.LittleEndian.Uint32(b) }
func signed(b byte) float32    { return float32(int8(b)) }

func dequantiseF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(u32(src[4*i:]))
	}
}

func dequantiseF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = f16(src[2*i:])
	}
}

func dequantiseBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// dequantiseF8E4M3 reads 1 sign, 4 exponent (bias 7) and 3 mantissa bits; 0x7f is NaN and there is no infinity
// (Micikevicius et al. 2022, arXiv:2209.05433).
func dequantiseF8E4M3(dst []float32, src []byte) {
	for i := range dst {
		u := uint32(src[i])
		sign, e, m := u>>7<<31, u>>3&15, u&7
		switch {
		case u&0x7f == 0x7f:
			dst[i] = float32(math.NaN())
		case e == 0:
			dst[i] = math.Float32frombits(sign | math.Float32bits(float32(m)*0x1p-9))
		default:
			dst[i] = math.Float32frombits(sign | (e+120)<<23 | m<<20)
		}
	}
}
