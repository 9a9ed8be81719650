package cuda

import (
	"encoding/binary"
	"math"

	"github.com/weft-llm/weft/tensor"
)

// tameFloats replaces the floats in random blocks: random bits would be infinite now and then.
func tameFloats(typ tensor.DType, raw []byte) {
	for ; len(raw) > 0; raw = raw[typ.Size():] {
		switch typ {
		case tensor.F32, tensor.BF16:
			raw[typ.Size()-1] = 0x3f | raw[typ.Size()-1]&0x80
		case tensor.F16:
			raw[1] &= 0xbf // below 2
		case tensor.F8E4M3:
			if raw[0]&0x7f == 0x7f { // NaN
				raw[0]--
			}
		default:
			scale, minimum := scalesAt(typ)
			binary.LittleEndian.PutUint16(raw[scale:], 0x2c66) // 0.06874
			if minimum >= 0 {
				binary.LittleEndian.PutUint16(raw[minimum:], 0x2cb3)
			}
		}
	}
}

// scalesAt tells where the halves of a block are; -1 for no minimum.
func scalesAt(typ tensor.DType) (scale, minimum int) {
	switch typ {
	case tensor.Q4_1, tensor.Q5_1, tensor.Q4_K, tensor.Q5_K:
		return 0, 2
	case tensor.Q2_K:
		return 80, 82
	case tensor.Q3_K:
		return 108, -1
	case tensor.Q6_K:
		return 208, -1
	}
	return 0, -1
}

// decoded is element i of block b by the format's definition (ggml-org/ggml, ggml-common.h).
func decoded(typ tensor.DType, b []byte, i int) float64 {
	switch typ {
	case tensor.F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case tensor.BF16:
		return float64(widen(typ, binary.LittleEndian.Uint16(b)))
	case tensor.F16:
		return float16(b)
	case tensor.F8E4M3:
		return float8(b[0])
	}
	at, low := scalesAt(typ)
	d, m := float16(b[at:]), 0.0
	if low >= 0 {
		m = float16(b[low:])
	}
	if typ.Block() == 32 {
		return d*smallCode(typ, b, i) + m
	}
	scale, least, code := superCode(typ, b, i)
	return d*scale*code - m*least
}

// smallCode is code i of a block of 32.
func smallCode(typ tensor.DType, b []byte, i int) float64 {
	if typ == tensor.Q8_0 {
		return float64(int8(b[2+i]))
	}
	nibbles := b[len(b)-16:]
	q := int(nibbles[i%16] >> (i / 16 * 4) & 15)
	switch typ {
	case tensor.Q4_0:
		return float64(q - 8)
	case tensor.Q5_0, tensor.Q5_1:
		q |= int(binary.LittleEndian.Uint32(b[len(b)-20:])>>i&1) << 4
		if typ == tensor.Q5_0 {
			q -= 16
		}
	case tensor.IQ4_NL:
		return iq4Values[q]
	}
	return float64(q)
}

var iq4Values = [16]float64{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// superCode is code i of a super-block with its group's scale and minimum.
func superCode(typ tensor.DType, b []byte, i int) (scale, least, code float64) {
	half, in := i/128, i%128
	pair := func(q []byte) byte { return q[32*half+in%32] >> (in / 32 * 2) & 3 }
	switch typ {
	case tensor.Q2_K:
		return float64(b[i/16] & 15), float64(b[i/16] >> 4), float64(pair(b[16:]))
	case tensor.Q3_K:
		g := i / 16
		s := b[96+g%8]>>(g/8*4)&15 | b[104+g%4]>>(g/4*2)&3<<4
		return float64(int(s) - 32), 0, float64(int(pair(b[32:])|b[i%32]>>(i/32)&1<<2) - 4)
	case tensor.Q4_K, tensor.Q5_K:
		scale, least = superScale(b[4:16], i/32)
		q := b[len(b)-128+i/64*32+i%32] >> (i / 32 % 2 * 4) & 15
		if typ == tensor.Q5_K {
			q |= b[16+i%32] >> (i / 32) & 1 << 4
		}
		return scale, least, float64(q)
	case tensor.Q6_K:
		q := b[64*half+in%64] >> (in / 64 * 4) & 15
		return float64(int8(b[192+i/16])), 0, float64(int(q|pair(b[128:])<<4) - 32)
	case tensor.IQ4_XS:
		g := i / 32
		s := b[4+g/2]>>(g%2*4)&15 | byte(binary.LittleEndian.Uint16(b[2:])>>(2*g)&3)<<4
		return float64(int(s) - 32), 0, iq4Values[b[8+16*g+i%16]>>(i%32/16*4)&15]
	}
	panic("BUG: no decoder of " + typ.String())
}

// superScale unpacks pair j of the eight 6-bit scales and minima of a super-block.
func superScale(s []byte, j int) (scale, low float64) {
	if j < 4 {
		return float64(s[j] & 63), float64(s[j+4] & 63)
	}
	return float64(s[j+4]&15 | s[j-4]>>6<<4), float64(s[j+4]>>4 | s[j]>>6<<4)
}

// float8 reads an e4m3 that is a number.
func float8(u byte) float64 {
	e, m := int(u>>3&15), float64(u&7)
	v := math.Ldexp(8+m, e-10)
	if e == 0 {
		v = math.Ldexp(m, -9)
	}
	if u&0x80 != 0 {
		return -v
	}
	return v
}

func float16(b []byte) float64 { return float64(fromF16(binary.LittleEndian.Uint16(b))) }
