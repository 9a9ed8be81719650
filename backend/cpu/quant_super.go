package cpu

import "encoding/binary"

// Super-blocks of 256 values: an f16 scale d (and minimum scale) over groups that have small integer scales. Each is
// unpacked to 8-bit codes, eight to a word, and a scale and minimum for every 16; expand does the arithmetic.

type superBlock struct {
	codes      [32]uint64
	scale, min [16]float32
}

const (
	ones  = 0x0101010101010101
	twos  = 3 * ones
	lows  = 15 * ones
	signs = 128 * ones
)

// lower subtracts n from each code; codes are below 128 and n at most 128.
func lower(codes, n uint64) uint64 { return (codes | signs) - n*ones ^ signs }

func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }

// expandGo sets dst[i] = codes[i]·scale[i/16] - minimum[i/16].
func expandGo(dst []float32, codes []uint64, scale, minimum []float32) {
	for i := range dst {
		c := float32(int8(codes[i/8] >> (i % 8 * 8)))
		dst[i] = float32(c*scale[i/16]) - minimum[i/16]
	}
}

func (s *superBlock) write(dst []float32) { expand(dst[:256], s.codes[:], s.scale[:], s.min[:]) }

// q2_k: 16 × (4-bit scale, 4-bit minimum), 64 bytes of 2-bit values, d, dmin.
func dequantiseQ2_K(dst []float32, src []byte) {
	var s superBlock
	for ; len(dst) > 0; dst, src = dst[256:], src[84:] {
		d, dmin := f16(src[80:]), f16(src[82:])
		for g, b := range src[:16] {
			s.scale[g], s.min[g] = d*float32(b&15), dmin*float32(b>>4)
		}
		for i := range s.codes {
			s.codes[i] = word(src[16:], i/16*4+i%4) >> (i % 16 / 4 * 2) & twos
		}
		s.write(dst)
	}
}

// q3_k: 32 bytes of third bits, 64 bytes of 2-bit values, 16 6-bit scales, d. A clear third bit subtracts 4.
func dequantiseQ3_K(dst []float32, src []byte) {
	var s superBlock
	for ; len(dst) > 0; dst, src = dst[256:], src[110:] {
		scales, d := src[96:108], f16(src[108:])
		for g := range s.scale {
			n := scales[g%8]>>(g/8*4)&15 | scales[8+g%4]>>(g/4*2)&3<<4
			s.scale[g] = d * float32(int(n)-32)
		}
		for i := range s.codes {
			q := word(src[32:], i/16*4+i%4) >> (i % 16 / 4 * 2) & twos
			s.codes[i] = lower(q|word(src, i%4)>>(i/4)&ones<<2, 4)
		}
		s.write(dst)
	}
}

// scales unpacks eight 6-bit scales and minima from 12 bytes, each for 32 values.
func (s *superBlock) scales(b []byte, d, dmin float32) {
	for g := range 4 {
		s.pair(g, d*float32(b[g]&63), dmin*float32(b[g+4]&63))
		s.pair(g+4, d*float32(b[g+8]&15|b[g]>>6<<4), dmin*float32(b[g+8]>>4|b[g+4]>>6<<4))
	}
}

func (s *superBlock) pair(g int, scale, minimum float32) {
	s.scale[2*g], s.scale[2*g+1], s.min[2*g], s.min[2*g+1] = scale, scale, minimum, minimum
}

// q4_k: d, dmin, 12 bytes of scales, 128 bytes of nibbles; 64 values share 32 bytes, low halves first.
func dequantiseQ4_K(dst []float32, src []byte) {
	var s superBlock
	for ; len(dst) > 0; dst, src = dst[256:], src[144:] {
		s.scales(src[4:16], f16(src), f16(src[2:]))
		for i := range 16 {
			q, at := word(src[16:144], i), i/4*8+i%4
			s.codes[at], s.codes[at+4] = q&lows, q>>4&lows
		}
		s.write(dst)
	}
}

// q5_k: as q4_k with 32 bytes of fifth bits before the nibbles, bit g for group g.
func dequantiseQ5_K(dst []float32, src []byte) {
	var s superBlock
	for ; len(dst) > 0; dst, src = dst[256:], src[176:] {
		s.scales(src[4:16], f16(src), f16(src[2:]))
		for i := range 16 {
			q, fifth, at := word(src[48:176], i), word(src[16:48], i%4)>>(i/4*2), i/4*8+i%4
			s.codes[at], s.codes[at+4] = q&lows|fifth&ones<<4, q>>4&lows|fifth>>1&ones<<4
		}
		s.write(dst)
	}
}

// q6_k: 128 bytes of low nibbles, 64 bytes of high pairs, 16 int8 scales, d; 128 values share 64 and 32 bytes.
func dequantiseQ6_K(dst []float32, src []byte) {
	var s superBlock
	for ; len(dst) > 0; dst, src = dst[256:], src[210:] {
		d := f16(src[208:])
		for g, b := range src[192:208] {
			s.scale[g] = d * signed(b)
		}
		for i := range 8 { // 4 words in each half
			at := i/4*16 + i%4
			a, b, high := word(src[:128], i/4*8+i%4), word(src[:128], i/4*8+i%4+4), word(src[128:192], i)
			s.codes[at] = lower(a&lows|high&twos<<4, 32)
			s.codes[at+4] = lower(b&lows|high>>2&twos<<4, 32)
			s.codes[at+8] = lower(a>>4&lows|high>>4&twos<<4, 32)
			s.codes[at+12] = lower(b>>4&lows|high>>6&twos<<4, 32)
		}
		s.write(dst)
	}
}

// iq4_xs: d, 8 × 2 high scale bits, 8 × 4 low scale bits, 128 bytes of nibbles that index levels.
func dequantiseIQ4_XS(dst []float32, src []byte) {
	level := levels()
	for ; len(dst) > 0; dst, src = dst[256:], src[136:] {
		d, high := f16(src), binary.LittleEndian.Uint16(src[2:])
		for g := range 8 {
			s := src[4+g/2]>>(g%2*4)&15 | byte(high>>(2*g)&3)<<4
			scale := d * float32(int(s)-32)
			for j, q := range src[8+g*16:][:16] {
				dst[g*32+j] = scale * level[q&15]
				dst[g*32+j+16] = scale * level[q>>4]
			}
		}
	}
}
