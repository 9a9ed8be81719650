package cpu

import "github.com/weft-llm/weft/tensor"

// kernels are the inner loops for one instruction set. k counts floats and is a positive multiple of 16; distances
// between rows (ld…) are in floats, of weights in bytes.
type kernels struct {
	name   string
	nr     int                 // weight rows of a tile
	tile   [maxTile + 1]tileFn // by rows of x; nil where there is none
	mix    mixFn               // four rows by mixCols columns
	mixAt  int                 // columns that mix does at a time
	mix16  mixFn               // the same for 16 columns
	expSum func(p *float32, n int, top float32) float32
	gate   func(gate, arg, up *float32, n int)
	max    func(p *float32, n int) float32        // NaN when one is; n a positive multiple of 32, of index too
	index  func(p *float32, n int, v float32) int // the first place of v, else n
	deq    map[tensor.DType]func(dst []float32, src []byte)
	dots   map[tensor.DType]dotFn
}

const (
	maxTile  = 4 // rows of x in a tile at most
	vector   = 16
	rowsOnce = 4 // weight rows of a dotFn
)

// tileFn sets out[i*ldo+j] = x[i]·w[j] for its number of x rows and nr weight rows.
type tileFn func(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

// mixFn adds Σ p[i*ldp+key]·v[key*ldv+c] to out[i*ldo+c] for four rows i.
type mixFn func(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)

// dotFn sets out[i] = x·w[i] for four weight rows, dequantised in registers.
type dotFn func(out, x *float32, w *byte, ldw, k int)

// plain returns the kernels in Go, which run anywhere.
func plain() *kernels {
	k := &kernels{name: "go", nr: 4, mix: mixGo, mixAt: 16, mix16: mixGo, expSum: expSumGo, gate: gateGo, max: maxGo, index: indexGo}
	k.tile[1] = tileGo
	return k
}

// tiles sets out[i*ldo+j] = x[i]·w[j] for rows of x and nr weight rows.
func (k *kernels) tiles(out []float32, ldo int, x []float32, ldx, rows int, w []float32, ldw, n int) {
	for i := 0; i < rows; {
		r := min(maxTile, rows-i)
		for k.tile[r] == nil {
			r--
		}
		k.tile[r](&out[i*ldo], ldo, &x[i*ldx], ldx, &w[0], ldw, n)
		i += r
	}
}

// dequantise returns the function that reads t, or nil.
func (k *kernels) dequantise(t tensor.DType) func(dst []float32, src []byte) {
	f := dequantiser(t)
	fast := k.deq[t]
	if fast == nil {
		return f
	}
	if t.Quantised() {
		return fast
	}
	return func(dst []float32, src []byte) {
		if n := len(dst) &^ (vector - 1); n > 0 {
			fast(dst[:n], src)
			dst, src = dst[n:], src[t.Bytes(n):]
		}
		f(dst, src)
	}
}
