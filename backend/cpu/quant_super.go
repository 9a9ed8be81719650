package cpu

import "encoding/binary"

// Super-blocks of 256 values: an f16 scale d (and minimum scale) over groups that have small integer scales.

// q2_k: 16 × (4-bit scale, 4-bit minimum), 64 bytes of 2-bit values, d, dmin.
func dequantiseQ2_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[84:] {
		scales, qs, d, dmin := src[:16], src[16:80], f16(src[80:]), f16(src[82:])
		for i := range 256 {
			s := scales[i/16]
			q := qs[i/128*32+i%32] >> (i % 128 / 32 * 2) & 3
			dst[i] = float32(float32(d*float32(s&15))*float32(q)) - float32(dmin*float32(s>>4))
		}
	}
}

// q3_k: 32 bytes of third bits, 64 bytes of 2-bit values, 16 6-bit scales, d. A clear third bit subtracts 4.
func dequantiseQ3_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[110:] {
		high, qs, scales, d := src[:32], src[32:96], src[96:108], f16(src[108:])
		for i := range 256 {
			g := i / 16
			s := scales[g%8]>>(g/8*4)&15 | scales[8+g%4]>>(g/4*2)&3<<4
			q := int(qs[i/128*32+i%32]>>(i%128/32*2)&3) - 4 + int(high[i%32]>>(i/32)&1)<<2
			dst[i] = float32(d*float32(int(s)-32)) * float32(q)
		}
	}
}

// scaleMin unpacks the g-th of eight 6-bit scales and minima from 12 bytes.
func scaleMin(s []byte, g int) (scale, minimum float32) {
	if g < 4 {
		return float32(s[g] & 63), float32(s[g+4] & 63)
	}
	return float32(s[g+4]&15 | s[g-4]>>6<<4), float32(s[g+4]>>4 | s[g]>>6<<4)
}

// q4_k: d, dmin, 12 bytes of scales, 128 bytes of nibbles; 64 values share 32 bytes, low halves first.
func dequantiseQ4_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[144:] {
		d, dmin := f16(src), f16(src[2:])
		for g := range 8 {
			scale, minimum := scaleMin(src[4:16], g)
			scale, minimum = d*scale, dmin*minimum
			for j, q := range src[16+g/2*32:][:32] {
				dst[g*32+j] = float32(scale*float32(nibble(q, g%2))) - minimum
			}
		}
	}
}

// q5_k: as q4_k with 32 bytes of fifth bits before the nibbles, bit g for group g.
func dequantiseQ5_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[176:] {
		d, dmin, fifth := f16(src), f16(src[2:]), src[16:48]
		for g := range 8 {
			scale, minimum := scaleMin(src[4:16], g)
			scale, minimum = d*scale, dmin*minimum
			for j, q := range src[48+g/2*32:][:32] {
				dst[g*32+j] = float32(scale*float32(nibble(q, g%2)|fifth[j]>>g&1<<4)) - minimum
			}
		}
	}
}

// q6_k: 128 bytes of low nibbles, 64 bytes of high pairs, 16 int8 scales, d; 128 values share 64 and 32 bytes.
func dequantiseQ6_K(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[256:], src[210:] {
		low, high, scales, d := src[:128], src[128:192], src[192:208], f16(src[208:])
		for i := range 256 {
			half, quarter, j := i/128, i%128/32, i%32
			q := nibble(low[half*64+quarter%2*32+j], quarter/2) | high[half*32+j]>>(quarter*2)&3<<4
			dst[i] = float32(d*signed(scales[i/16])) * float32(int(q)-32)
		}
	}
}

// iq4_xs: d, 8 × 2 high scale bits, 8 × 4 low scale bits, 128 bytes of nibbles that index levels.
func dequantiseIQ4_XS(dst []float32, src []byte) {
	level := levels()
	for ; len(dst) > 0; dst, src = dst[256:], src[136:] {
		d, high := f16(src), binary.LittleEndian.Uint16(src[2:])
		for g := range 8 {
			s := nibble(src[4+g/2], g%2) | byte(high>>(2*g)&3)<<4
			scale := d * float32(int(s)-32)
			for j, q := range src[8+g*16:][:16] {
				dst[g*32+j] = scale * level[q&15]
				dst[g*32+j+16] = scale * level[q>>4]
			}
		}
	}
}
