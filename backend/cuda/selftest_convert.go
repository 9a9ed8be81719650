package cuda

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// conversions decodes random blocks of each type on both sides.
func (t *selfTest) conversions() {
	for typ := tensor.F32; typ <= tensor.IQ4_XS; typ++ {
		if ptx.CanConvert(typ) {
			t.report("convert_"+typ.String(), errors.Join(t.convert(typ, ptx.Plain), t.convert(typ, ptx.Up)))
		}
	}
	t.report("random_normal", t.normals())
}

func (t *selfTest) convert(typ tensor.DType, pair ptx.Pair) error {
	const rows, cols = 16, 256
	raw := make([]byte, typ.Bytes(rows*cols))
	for i := range raw {
		raw[i] = byte(t.rng.Uint32())
	}
	tameFloats(typ, raw)
	dst := t.poisoned(tensor.BF16, 2*rows, cols)
	want := make([]float64, rows*cols)
	for i := range want {
		want[i] = decoded(typ, raw, i)
	}
	to := ptx.Place{Dst: dst.View, Cols: cols, Pair: pair}
	err := t.b.k.Convert(t.b.stream, to, t.upload(raw), typ, 0, rows*cols)
	for r := range rows {
		at := r
		if pair == ptx.Up {
			at = r/8*16 + 8 + r%8
		}
		err = errors.Join(err, t.expect(dst.Rows(at, at+1), want[r*cols:][:cols], magnitudes(want[r*cols:][:cols]), roundBF16))
	}
	if err != nil {
		return fmt.Errorf("pair %d: %w", pair, err)
	}
	return nil
}

// magnitudes allows a value the error of a sum of parts of up to the row's largest in f32.
func magnitudes(v []float64) []float64 {
	top := 0.0
	for _, x := range v {
		top = max(top, math.Abs(x))
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Abs(x) + top*1e-4
	}
	return out
}

// tameFloats replaces the floats in random blocks: random bits would be infinite now and then.
func tameFloats(typ tensor.DType, raw []byte) {
	half := uint16(0x2c66) // 0.06874
	for b := 0; b < len(raw); b += typ.Size() {
		block := raw[b:][:typ.Size()]
		switch typ {
		case tensor.F32:
			block[3] = 0x3f | block[3]&0x80
		case tensor.F16:
			block[1] &= 0xbf // below 2
		case tensor.BF16:
			block[1] = 0x3f | block[1]&0x80
		case tensor.Q6_K:
			binary.LittleEndian.PutUint16(block[208:], half)
		case tensor.Q4_1, tensor.Q4_K:
			binary.LittleEndian.PutUint16(block, half)
			binary.LittleEndian.PutUint16(block[2:], half+77)
		default:
			binary.LittleEndian.PutUint16(block, half)
		}
	}
}

// decoded is element i by the format's definition (ggml-org/ggml, ggml-common.h).
func decoded(typ tensor.DType, raw []byte, i int) float64 {
	b, at := raw[i/typ.Block()*typ.Size():], i%typ.Block()
	nibble := func(q []byte, at int) float64 { return float64(q[at%16] >> (at / 16 * 4) & 15) }
	switch typ {
	case tensor.F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case tensor.BF16:
		return float64(fromBF16(binary.LittleEndian.Uint16(b)))
	case tensor.F16:
		return float16(b)
	case tensor.Q8_0:
		return float16(b) * float64(int8(b[2+at]))
	case tensor.Q4_0:
		return float16(b) * (nibble(b[2:], at) - 8)
	case tensor.Q4_1:
		return float16(b)*nibble(b[4:], at) + float16(b[2:])
	case tensor.Q4_K:
		scale, low := superScale(b[4:16], at/32)
		q := b[16+at/64*32+at%32] >> (at / 32 % 2 * 4) & 15
		return float16(b)*scale*float64(q) - float16(b[2:])*low
	case tensor.Q6_K:
		half, l := at/128, at%128
		q := b[64*half+l%64] >> (l / 64 * 4) & 15
		high := b[128+32*half+l%32] >> (l / 32 * 2) & 3
		return float16(b[208:]) * float64(int8(b[192+at/16])) * float64(int(q|high<<4)-32)
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

// float16 reads a finite half.
func float16(b []byte) float64 {
	h := binary.LittleEndian.Uint16(b)
	e, m := int(h>>10&31), float64(h&1023)
	v := math.Ldexp(1+m/1024, e-15)
	if e == 0 {
		v = math.Ldexp(m/1024, -14)
	}
	if h&0x8000 != 0 {
		return -v
	}
	return v
}

// normals compares made-up values with the same arithmetic on the host.
func (t *selfTest) normals() error {
	const n, seed, std = 1000, 7, 0.5
	dst := t.poisoned(tensor.F32, n)
	want := make([]float64, n)
	for i := range want {
		z := uint64(seed) + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		u := (float64(z>>32) + 0.5) / (1 << 32)
		want[i] = std * math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*float64(uint32(z))/(1<<32))
	}
	err := t.b.k.Random(t.b.stream, ptx.Place{Dst: dst.View, Cols: n}, n, seed, std)
	magnitude := make([]float64, n)
	for i := range magnitude {
		magnitude[i] = math.Abs(want[i]) + 1e-2
	}
	return errors.Join(err, t.expect(dst.View, want, magnitude, 1e-3))
}
