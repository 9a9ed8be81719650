package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// matrixSource is [rows,256] of random q4_1 blocks.
func matrixSource(rows int) backend.Source {
	rng := rand.New(rand.NewPCG(uint64(rows), 5))
	return backend.Source{Name: "w", Type: tensor.Q4_1, Dim: []int{rows, 256}, Data: randomBlocks(rng, tensor.Q4_1, rows*256)}
}

func loaded(t *testing.T, b *Backend, s backend.Source) []byte {
	t.Helper()
	w, err := b.LoadLinear(s)
	if err != nil {
		t.Fatal(err)
	}
	return w.(*weight).parts[0].data
}

func TestLoadLinear_RefersToTheSourceWhenMemoryIsShort(t *testing.T) {
	b := New(Options{Threads: 2})
	defer b.Close()
	b.weights.chunk = func(int64) []byte { return nil }
	s := matrixSource(40)
	s.Drop = func([]byte) { t.Error("a source that the weight refers to was dropped") }
	if got := loaded(t, b, s); &got[0] != &s.Data[0] {
		t.Errorf("the weight does not refer to its source")
	}
	s.Data, s.Type, s.Dim = nil, tensor.F32, []int{3, 16}
	if got := loaded(t, b, s); len(got) != 192 {
		t.Errorf("48 random values take %d bytes, want 192", len(got))
	}
}

// TestLargePages_CutsDisjointLinesOfFewChunks takes sizes around those of a line and of a chunk.
func TestLargePages_CutsDisjointLinesOfFewChunks(t *testing.T) {
	b := New(Options{Threads: 1})
	defer b.Close()
	chunks := 0
	p := largePages{chunk: func(n int64) []byte {
		chunks++
		m, err := b.reserveBytes(n)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}}
	var parts [][]byte
	for _, n := range []int64{1, 63, 64, 65, 0, 40 << 20, 30 << 20, chunkBytes + 1, 100, chunkBytes} {
		m := p.take(n)
		if int64(len(m)) != n || n > 0 && uintptr(unsafe.Pointer(&m[0]))%cacheLine != 0 {
			t.Fatalf("take(%d) = %d bytes at %p, want a line's start", n, len(m), m)
		}
		for i, other := range parts {
			if n > 0 && len(other) > 0 && overlap(m, other) {
				t.Errorf("take(%d) shares bytes with part %d", n, i)
			}
		}
		parts = append(parts, m)
	}
	if chunks != 4 {
		t.Errorf("the parts came from %d chunks, want 4", chunks)
	}
}

func overlap(a, b []byte) bool {
	lo, at := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return lo < at+uintptr(len(b)) && at < lo+uintptr(len(a))
}
