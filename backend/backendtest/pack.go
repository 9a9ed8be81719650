package backendtest

import (
	"encoding/binary"

	"github.com/weft-llm/weft/tensor"
)

// packer makes a random block of a quantised type from the codes it should hold: the value of element i is
// scale(i)·code(i) - min(i). The layouts are ggml's (github.com/ggml-org/ggml, src/ggml-common.h).
type packer struct {
	typ  tensor.DType
	pack func(h *harness) ([]byte, []float32)
}

var packers = []packer{
	{tensor.Q8_0, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 256, -128)
		return b.bytes(b.d, b.low()), b.values()
	}},
	{tensor.Q4_0, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 16, -8)
		return b.bytes(b.d, halves(b.code, 16)), b.values()
	}},
	{tensor.Q4_1, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 16, 0)
		b.minimum = func(int) float32 { return -b.m }
		return b.bytes(b.d, b.m, halves(b.code, 16)), b.values()
	}},
	{tensor.Q5_0, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 32, -16)
		return b.bytes(b.d, planes(b.code, 4, 32), halves(b.code, 16)), b.values()
	}},
	{tensor.Q5_1, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 32, 0)
		b.minimum = func(int) float32 { return -b.m }
		return b.bytes(b.d, b.m, planes(b.code, 4, 32), halves(b.code, 16)), b.values()
	}},
	{tensor.Q2_K, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 4, 0)
		scale, minimum := h.codes(16, 16), h.codes(16, 16)
		b.groups(16, scale, minimum, 0)
		both := make([]byte, 16)
		for i := range both {
			both[i] = scale[i] | minimum[i]<<4
		}
		return b.bytes(both, strips(b.code, 2, 128, 32), b.d, b.m), b.values()
	}},
	{tensor.Q3_K, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 8, -4)
		scale := h.codes(16, 64)
		b.groups(16, scale, nil, -32)
		packed := make([]byte, 12)
		for i, s := range scale {
			packed[i%8] |= s & 15 << (i / 8 * 4)
			packed[8+i%4] |= s >> 4 << (i / 4 * 2)
		}
		high := make([]byte, 32)
		for i, c := range b.code {
			high[i%32] |= c >> 2 << (i / 32)
		}
		return b.bytes(high, strips(b.code, 2, 128, 32), packed, b.d), b.values()
	}},
	{tensor.Q4_K, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 16, 0)
		scales := b.sixBits(h)
		return b.bytes(b.d, b.m, scales, strips(b.code, 4, 64, 32)), b.values()
	}},
	{tensor.Q5_K, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 32, 0)
		scales := b.sixBits(h)
		fifth := make([]byte, 32)
		for i, c := range b.code {
			fifth[i%32] |= c >> 4 << (i / 32)
		}
		return b.bytes(b.d, b.m, scales, fifth, strips(b.code, 4, 64, 32)), b.values()
	}},
	{tensor.Q6_K, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 64, -32)
		scale := h.codes(16, 256)
		b.groups(16, scale, nil, -128)
		signed := make([]byte, 16)
		for i, s := range scale {
			signed[i] = s - 128
		}
		high := make([]byte, 256)
		for i, c := range b.code {
			high[i] = c >> 4
		}
		return b.bytes(strips(b.code, 4, 128, 64), strips(high, 2, 128, 32), signed, b.d), b.values()
	}},
	{tensor.IQ4_NL, func(h *harness) ([]byte, []float32) {
		b := h.block(32, 16, 0)
		b.level = levels
		return b.bytes(b.d, halves(b.code, 16)), b.values()
	}},
	{tensor.IQ4_XS, func(h *harness) ([]byte, []float32) {
		b := h.block(256, 16, 0)
		b.level = levels
		scale := h.codes(8, 64)
		b.groups(32, scale, nil, -32)
		low, high := make([]byte, 4), make([]byte, 2)
		for i, s := range scale {
			low[i/2] |= s & 15 << (i % 2 * 4)
			high[i/4] |= s >> 4 << (i % 4 * 2)
		}
		var nibbles []byte
		for g := range 8 {
			nibbles = append(nibbles, halves(b.code[g*32:(g+1)*32], 16)...)
		}
		return b.bytes(b.d, high, low, nibbles), b.values()
	}},
}

var levels = []float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// block is a block's codes and scales.
type block struct {
	code           []byte
	offset         int
	level          []float32
	d, m           float32 // values of f16
	scale, minimum func(i int) float32
}

// block returns n random codes below limit, which stand for offset less.
func (h *harness) block(n, limit, offset int) *block {
	b := &block{code: h.codes(n, limit), offset: offset}
	b.d = float32(fromF16(toF16(0.001 + 0.01*h.rng.Float32())))
	b.m = float32(fromF16(toF16(-0.002 - 0.05*h.rng.Float32())))
	b.scale = func(int) float32 { return b.d }
	b.minimum = func(int) float32 { return 0 }
	return b
}

func (h *harness) codes(n, limit int) []byte {
	c := make([]byte, n)
	for i := range c {
		c[i] = byte(h.rng.IntN(limit))
	}
	return c
}

// groups gives every size elements a scale and, if any, a minimum.
func (b *block) groups(size int, scale, minimum []byte, offset int) {
	b.scale = func(i int) float32 { return b.d * float32(int(scale[i/size])+offset) }
	if minimum != nil {
		b.minimum = func(i int) float32 { return b.m * float32(minimum[i/size]) }
	}
}

// sixBits makes and packs the scales of the q4_k and q5_k types.
func (b *block) sixBits(h *harness) []byte {
	scale, minimum := h.codes(8, 64), h.codes(8, 64)
	b.groups(32, scale, minimum, 0)
	p := make([]byte, 12)
	for i := range 4 {
		p[i] = scale[i] | scale[i+4]>>4<<6
		p[i+4] = minimum[i] | minimum[i+4]>>4<<6
		p[i+8] = scale[i+4]&15 | minimum[i+4]<<4
	}
	return p
}

// values returns what the block stands for, in the rounding of the gguf package.
func (b *block) values() []float32 {
	v := make([]float32, len(b.code))
	for i, c := range b.code {
		x := float32(int(c) + b.offset)
		if b.level != nil {
			x = b.level[c]
		}
		v[i] = float32(b.scale(i)*x) - b.minimum(i)
	}
	return v
}

// low returns the codes less the offset as bytes.
func (b *block) low() []byte {
	out := make([]byte, len(b.code))
	for i, c := range b.code {
		out[i] = byte(int(c) + b.offset)
	}
	return out
}

// bytes joins f16 scales and bytes.
func (b *block) bytes(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch p := p.(type) {
		case float32:
			out = binary.LittleEndian.AppendUint16(out, toF16(p))
		case []byte:
			out = append(out, p...)
		}
	}
	return out
}

// halves puts code i in the low half and code i+n in the high half of byte i.
func halves(code []byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = code[i]&15 | code[i+n]<<4
	}
	return out
}

// planes returns bit `from` of each of n codes, eight to a byte.
func planes(code []byte, from, n int) []byte {
	out := make([]byte, n/8)
	for i := range n {
		out[i/8] |= code[i] >> from & 1 << (i % 8)
	}
	return out
}

// strips packs codes of some bits: of each run of span codes, strips of n share n bytes, the first in the low bits.
func strips(code []byte, bits, span, n int) []byte {
	var out []byte
	for ; len(code) > 0; code = code[span:] {
		part := make([]byte, n)
		for i, c := range code[:span] {
			part[i%n] |= c & (1<<bits - 1) << (i / n * bits)
		}
		out = append(out, part...)
	}
	return out
}
