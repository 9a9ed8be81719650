package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func randomFloats(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// TestTile_EqualsOneRowAtATime multiplies every number of rows of x, with gaps between rows: each result is near the
// float64 one, has the bits that the row gets alone, and the gaps of the output stay as they are.
func TestTile_EqualsOneRowAtATime(t *testing.T) {
	const k, ldx, ldw, untouched = 144, 149, 163, 7.5
	rng := rand.New(rand.NewPCG(5, 6))
	for _, kern := range available() {
		for rows := 1; rows <= 7; rows++ {
			t.Run(fmt.Sprintf("%s/%d", kern.name, rows), func(t *testing.T) {
				ldo := kern.nr + 2
				x, w, out := randomFloats(rng, rows*ldx), randomFloats(rng, kern.nr*ldw), make([]float32, rows*ldo)
				for i := range out {
					out[i] = untouched
				}
				kern.tiles(out, ldo, x, ldx, rows, w, ldw, k)
				for i := range rows {
					alone := make([]float32, kern.nr)
					kern.tiles(alone, kern.nr, x[i*ldx:], ldx, 1, w, ldw, k)
					for j, got := range out[i*ldo : (i+1)*ldo] {
						if j >= kern.nr {
							if got != untouched {
								t.Errorf("the gap after row %d = %v, want %v", i, got, untouched)
							}
							continue
						}
						want := 0.0
						for c := range k {
							want += float64(x[i*ldx+c]) * float64(w[j*ldw+c])
						}
						if !(math.Abs(float64(got)-want) < 1e-4) || got != alone[j] {
							t.Errorf("row %d of x, %d of w: %v, want %v, and alone it is %v", i, j, got, want, alone[j])
						}
					}
				}
			})
		}
	}
}

// TestMix_AddsWeightedRows mixes every number of keys up to two rounds of an unrolled loop, with gaps between rows.
func TestMix_AddsWeightedRows(t *testing.T) {
	const ldp, gap = 13, 5
	rng := rand.New(rand.NewPCG(7, 8))
	for _, kern := range available() {
		for name, f := range map[string]mixFn{"mix": kern.mix, "mix16": kern.mix16} {
			cols := 16
			if name == "mix" {
				cols = kern.mixAt
			}
			for keys := 1; keys <= 9; keys++ {
				ld := cols + gap
				p, v, out := randomFloats(rng, 4*ldp), randomFloats(rng, keys*ld), randomFloats(rng, 4*ld)
				before := append([]float32(nil), out...)
				f(&out[0], ld, &p[0], ldp, &v[0], ld, keys)
				for i, got := range out {
					row, c := i/ld, i%ld
					want := float64(before[i])
					for k := range keys {
						if c < cols {
							want += float64(p[row*ldp+k]) * float64(v[k*ld+c])
						}
					}
					if !(math.Abs(float64(got)-want) < 1e-5) {
						t.Errorf("%s %s of %d keys: row %d column %d = %v, want %v", kern.name, name, keys, row, c, got, want)
					}
				}
			}
		}
	}
}

// near allows 3 ulp, and anything where e^x is hardly a normal number: assembly stops at e^-87.3, Go at 0.
func near(got float32, want float64) bool {
	return math.Abs(float64(got)-want) <= 4e-7*math.Abs(want)+0x1p-125
}

func TestExpSum_IsNearFloat64(t *testing.T) {
	const n, top = 4096, 3
	for _, kern := range available() {
		p, sum := make([]float32, n), 0.0
		for i := range p {
			p[i] = top - float32(i)*100/n
			sum += math.Exp(float64(p[i] - top))
		}
		x := append([]float32(nil), p...)
		if got := kern.expSum(&p[0], n, top); !(math.Abs(float64(got)/sum-1) < 1e-5) {
			t.Errorf("%s: the sum is %v, want %v", kern.name, got, sum)
		}
		for i, got := range p {
			if want := math.Exp(float64(x[i] - top)); !near(got, want) {
				t.Errorf("%s: e^%v = %v, want %v", kern.name, x[i]-top, got, want)
				break
			}
		}
		p[5] = float32(math.NaN())
		if got := kern.expSum(&p[0], vector, top); got == got || p[5] == p[5] || p[4] != p[4] {
			t.Errorf("%s: with a NaN the sum is %v and the values are %v", kern.name, got, p[4:6])
		}
	}
}

func TestGate_IsNearFloat64(t *testing.T) {
	const n = 4096
	rng := rand.New(rand.NewPCG(9, 9))
	for _, kern := range available() {
		gate, up, arg := randomFloats(rng, n), randomFloats(rng, n), make([]float32, n)
		for i := range arg {
			arg[i] = float32(i-n/2) * 170 / n
		}
		got := append([]float32(nil), gate...)
		kern.gate(&got[0], &arg[0], &up[0], n)
		for i, v := range got {
			if want := float64(gate[i]) / (1 + math.Exp(-float64(arg[i]))) * float64(up[i]); !near(v, want) {
				t.Errorf("%s: %v gated by %v, times %v = %v, want %v", kern.name, gate[i], arg[i], up[i], v, want)
				break
			}
		}
	}
}
