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

// TestDot_EqualsDequantiseThenTile holds the fused products to the two-step ones, bit for bit: a decode step's row is
// then the same as a prefill's.
func TestDot_EqualsDequantiseThenTile(t *testing.T) {
	const k = 1536
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, k)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for _, kern := range available() {
		for typ, dot := range kern.dots {
			data := randomBlocks(rng, typ, rowsOnce*k)
			ld := int(typ.Bytes(k))
			var got [rowsOnce]float32
			dot(&got[0], &x[0], &data[0], ld, k)
			tiles := (rowsOnce + kern.nr - 1) / kern.nr
			rows := make([]float32, tiles*kern.nr*k)
			for r := range rowsOnce {
				kern.dequantise(typ)(rows[r*k:(r+1)*k], data[r*ld:])
			}
			want := make([]float32, tiles*kern.nr)
			for i := range tiles {
				kern.tiles(want[i*kern.nr:], kern.nr, x, k, 1, rows[i*kern.nr*k:], k, k)
			}
			for r, v := range got {
				if v != want[r] {
					t.Errorf("%s %s: row %d = %v, want %v", kern.name, typ, r, v, want[r])
				}
			}
		}
	}
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
