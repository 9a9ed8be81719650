package cuda

import (
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
			t.report("convert_"+typ.String(), errors.Join(t.convert(typ, ptx.Plain), t.convert(typ, ptx.Up), t.convertWide(typ)))
		}
	}
	t.report("random_normal", t.normals())
}

// blocks makes n elements of typ and what they stand for, exactly.
func (t *selfTest) blocks(typ tensor.DType, n int) (raw []byte, values []float64) {
	raw = make([]byte, typ.Bytes(n))
	for i := range raw {
		raw[i] = byte(t.rng.Uint32())
	}
	tameFloats(typ, raw)
	values = make([]float64, n)
	for i := range values {
		values[i] = decoded(typ, raw[i/typ.Block()*typ.Size():][:typ.Size()], i%typ.Block())
	}
	return raw, values
}

// convert reads a matrix. Its values are exact but for one rounding to f32, where an offset is added, and one to bf16.
func (t *selfTest) convert(typ tensor.DType, pair ptx.Pair) error {
	const rows, cols = 16, 256
	raw, want := t.blocks(typ, rows*cols)
	for i, v := range want {
		want[i] = float64(t.rounded(float32(v)))
	}
	dst := t.poisoned(t.elem(), 2*rows, cols)
	to := ptx.Place{Dst: dst.View, Cols: cols, Pair: pair}
	err := t.b.k.Convert(t.b.stream, to, t.upload(raw), typ, 0, rows*cols)
	for r := range rows {
		at := r
		if pair == ptx.Up {
			at = r/8*16 + 8 + r%8
		}
		err = errors.Join(err, t.expect(dst.Rows(at, at+1), want[r*cols:][:cols], nil, 0))
	}
	if err != nil {
		return fmt.Errorf("pair %d: %w", pair, err)
	}
	return nil
}

// convertWide reads a vector to f32, behind elements that it must leave alone.
func (t *selfTest) convertWide(typ tensor.DType) error {
	const n, at = 512, 3
	raw, want := t.blocks(typ, n)
	for i, v := range want {
		want[i] = float64(float32(v))
	}
	dst := t.put(tensor.F32, make([]float32, at+n), at+n)
	to := ptx.Place{Dst: dst.View, Cols: n, Row: at}
	err := t.b.k.Convert(t.b.stream, to, t.upload(raw), typ, 0, n)
	return errors.Join(err, t.expect(dst.View, append(make([]float64, at), want...), nil, 0))
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
