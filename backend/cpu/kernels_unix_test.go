//go:build unix

package cpu

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/weft-llm/weft/tensor"
)

// guarded returns n bytes that end where memory that faults begins.
func guarded(t *testing.T, n int) []byte {
	page := os.Getpagesize()
	whole := (n + page - 1) / page * page
	m, err := syscall.Mmap(-1, 0, whole+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	if err := syscall.Mprotect(m[whole:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return m[whole-n : whole]
}

func guardedFloats(t *testing.T, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&guarded(t, 4*n)[0])), n)
}

// TestKernels_StayWithinTheirRows lays every operand against memory that faults.
func TestKernels_StayWithinTheirRows(t *testing.T) {
	const k, keys = 512, 7
	rng := rand.New(rand.NewPCG(2, 2))
	for _, kern := range available() {
		x, y := guardedFloats(t, k), guardedFloats(t, rowsOnce)
		for typ, dot := range kern.dots {
			w := guarded(t, len(randomBlocks(rng, typ, rowsOnce*k)))
			copy(w, randomBlocks(rng, typ, rowsOnce*k))
			dot(&y[0], &x[0], &w[0], len(w)/rowsOnce, k)
		}
		for typ := tensor.F32; typ <= tensor.IQ4_XS; typ++ {
			if f := kern.dequantise(typ); f != nil {
				f(x, guarded(t, int(typ.Bytes(k))))
			}
		}
		for rows := 1; rows <= maxTile; rows++ {
			kern.tiles(guardedFloats(t, rows*kern.nr), kern.nr, guardedFloats(t, rows*k), k, rows, guardedFloats(t, kern.nr*k), k, k)
		}
		out, p, v := guardedFloats(t, 4*kern.mixAt), guardedFloats(t, 4*keys), guardedFloats(t, keys*kern.mixAt)
		kern.mix(&out[0], kern.mixAt, &p[0], keys, &v[0], kern.mixAt, keys)
		out, v = guardedFloats(t, 4*16), guardedFloats(t, keys*16)
		kern.mix16(&out[0], 16, &p[0], keys, &v[0], 16, keys)
		kern.expSum(&x[k-vector], vector, 1)
		kern.gate(&x[k-vector], &x[k-vector], &x[k-vector], vector)
		kern.max(&x[k-2*vector], 2*vector)
		kern.index(&x[k-2*vector], 2*vector, 7e30)
	}
}
