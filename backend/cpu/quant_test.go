package cpu

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/weft-llm/weft/tensor"
)

// typeNamed returns the type with the name, as tensor spells it.
func typeNamed(t *testing.T, name string) tensor.DType {
	for d := tensor.F32; d <= tensor.IQ4_XS; d++ {
		if d.String() == name {
			return d
		}
	}
	t.Fatalf("no type %q", name)
	return 0
}

// TestDequantise_EqualsGGUFBitForBit reads testdata/dequantise.golden, which dequantise.py made with the gguf package.
func TestDequantise_EqualsGGUFBitForBit(t *testing.T) {
	f, err := os.Open("testdata/dequantise.golden")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		field := strings.Fields(lines.Text())
		typ := typeNamed(t, field[0])
		blocks, _ := hex.DecodeString(field[1])
		want, _ := hex.DecodeString(field[2])
		for _, k := range available() {
			got := make([]float32, len(want)/4)
			k.dequantise(typ)(got, blocks)
			for i, v := range got {
				if w := binary.LittleEndian.Uint32(want[4*i:]); math.Float32bits(v) != w {
					t.Errorf("%s %s: value %d = %v, want %v", k.name, typ, i, v, math.Float32frombits(w))
					break
				}
			}
		}
	}
}

// dotCase is four rows of random blocks, and what their product with x should be.
type dotCase struct {
	kern *kernels
	typ  tensor.DType
	got  [rowsOnce]float32
	x    []float32
	data []byte
}

// eachDot calls check with one call of every fused product, of rows of one to six blocks.
func eachDot(t *testing.T, check func(t *testing.T, c *dotCase)) {
	for _, kern := range available() {
		for typ, dot := range kern.dots {
			t.Run(kern.name+"/"+typ.String(), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, uint64(typ)))
				for blocks := 1; blocks <= 6; blocks++ {
					k := blocks * max(vector, typ.Block())
					c := &dotCase{kern: kern, typ: typ, x: make([]float32, k), data: randomBlocks(rng, typ, rowsOnce*k)}
					for i := range c.x {
						c.x[i] = float32(rng.NormFloat64())
					}
					dot(&c.got[0], &c.x[0], &c.data[0], int(typ.Bytes(k)), k)
					check(t, c)
				}
			})
		}
	}
}

// TestDot_EqualsDequantiseThenTile holds the fused products to the two-step ones, bit for bit: a decode step's row is
// then the same as a prefill's.
func TestDot_EqualsDequantiseThenTile(t *testing.T) {
	eachDot(t, func(t *testing.T, c *dotCase) {
		k, ld := len(c.x), int(c.typ.Bytes(len(c.x)))
		row, want := make([]float32, c.kern.nr*k), make([]float32, c.kern.nr)
		for r, got := range c.got {
			c.kern.dequantise(c.typ)(row[:k], c.data[r*ld:(r+1)*ld])
			c.kern.tiles(want, c.kern.nr, c.x, k, 1, row, k, k)
			if got != want[0] {
				t.Errorf("row %d of %d columns = %v, want %v", r, k, got, want[0])
			}
		}
	})
}

// TestDot_AgreesWithTheSumInFloat64 bounds the error of k roundings, each of at most half an ulp of the sum of sizes.
func TestDot_AgreesWithTheSumInFloat64(t *testing.T) {
	eachDot(t, func(t *testing.T, c *dotCase) {
		k, ld := len(c.x), int(c.typ.Bytes(len(c.x)))
		row := make([]float32, k)
		for r, got := range c.got {
			dequantiser(c.typ)(row, c.data[r*ld:(r+1)*ld])
			want, size := 0.0, 0.0
			for i, w := range row {
				p := float64(w) * float64(c.x[i])
				want, size = want+p, size+math.Abs(p)
			}
			if d := math.Abs(float64(got) - want); !(d <= float64(k)*0x1p-24*size) {
				t.Errorf("row %d of %d columns = %v, want %v", r, k, got, want)
			}
		}
	})
}

// TestDequantise_F8E4M3 checks the corners of the format: zero, subnormals, one, the largest, signs and NaN.
func TestDequantise_F8E4M3(t *testing.T) {
	got := make([]float32, 8)
	dequantiseF8E4M3(got, []byte{0x00, 0x01, 0x07, 0x08, 0x38, 0x7e, 0xb9, 0xff})
	for i, want := range []float32{0, 0x1p-9, 7 * 0x1p-9, 0x1p-6, 1, 448, -1.125} {
		if got[i] != want {
			t.Errorf("value %d = %v, want %v", i, got[i], want)
		}
	}
	if got[7] == got[7] {
		t.Errorf("0xff = %v, want NaN", got[7])
	}
}

// TestExpand_AgreesWithGo compares the assembly with Go, bit for bit, on codes of all values.
func TestExpand_AgreesWithGo(t *testing.T) {
	var s superBlock
	for i := range s.codes {
		s.codes[i] = uint64(i)*8*ones + 0x0706050403020100
	}
	for i := range s.scale {
		s.scale[i], s.min[i] = float32(i)*0.37+0.01, float32(i)*-0.11
	}
	var got, want [256]float32
	expand(got[:], s.codes[:], s.scale[:], s.min[:])
	expandGo(want[:], s.codes[:], s.scale[:], s.min[:])
	if got != want {
		t.Errorf("expand = %v, want %v", got, want)
	}
}
