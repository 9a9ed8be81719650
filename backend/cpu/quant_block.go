package cpu

// Blocks of 32 values with an f16 scale d, and in the _1 types an f16 minimum m. Nibble j holds value j in its low
// half and value j+16 in its high half.

// q8_0: d, 32 × int8.
func dequantiseQ8_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[34:] {
		d := f16(src)
		for j, q := range src[2:34] {
			dst[j] = signed(q) * d
		}
	}
}

// q4_0: d, 16 bytes of nibbles.
func dequantiseQ4_0(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[18:] {
		d := f16(src)
		for j, q := range src[2:18] {
			dst[j] = d * float32(int(q&15)-8)
			dst[j+16] = d * float32(int(q>>4)-8)
		}
	}
}

// q4_1: d, m, 16 bytes of nibbles.
func dequantiseQ4_1(dst []float32, src []byte) {
	for ; len(dst) > 0; dst, src = dst[32:], src[20:] {
		d, m := f16(src), f16(src[2:])
		for j, q := range src[4:20] {
			dst[j] = float32(d*float32(q&15)) + m
			dst[j+16] = float32(d*float32(q>>4)) + m
		}
	}
}

// fives unpacks the 5-bit codes of a block: nibbles qs under the bits of fifth.
func fives(codes *[4]uint64, qs []byte, fifth uint32) {
	for i := range codes {
		bits := uint64(fifth>>(8*i)&255) * ones & 0x8040201008040201 // bit j in byte j
		codes[i] = word(qs, i%2)>>(i/2*4)&lows | (bits+127*ones)>>7&ones<<4
	}
}

// q5_0: d, 32 fifth bits, 16 bytes of nibbles.
func dequantiseQ5_0(dst []float32, src []byte) {
	var codes [4]uint64
	var zero [2]float32
	for ; len(dst) > 0; dst, src = dst[32:], src[22:] {
		d := f16(src)
		fives(&codes, src[6:22], u32(src[2:]))
		for i, c := range codes {
			codes[i] = lower(c, 16)
		}
		expand(dst[:32], codes[:], []float32{d, d}, zero[:])
	}
}

// q5_1: d, m, 32 fifth bits, 16 bytes of nibbles.
func dequantiseQ5_1(dst []float32, src []byte) {
	var codes [4]uint64
	for ; len(dst) > 0; dst, src = dst[32:], src[24:] {
		d, m := f16(src), -f16(src[2:])
		fives(&codes, src[8:24], u32(src[4:]))
		expand(dst[:32], codes[:], []float32{d, d}, []float32{m, m})
	}
}

// levels are the 16 values of the iq4 types.
func levels() *[16]float32 {
	return &[16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}
}

// iq4_nl: d, 16 bytes of nibbles that index levels.
func dequantiseIQ4_NL(dst []float32, src []byte) {
	level := levels()
	for ; len(dst) > 0; dst, src = dst[32:], src[18:] {
		d := f16(src)
		for j, q := range src[2:18] {
			dst[j] = d * level[q&15]
			dst[j+16] = d * level[q>>4]
		}
	}
}
