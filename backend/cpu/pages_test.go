package cpu

import (
	"bytes"
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

func TestLoadLinear_CopiesAndDropsAllOfTheSource(t *testing.T) {
	b := New(Options{Threads: 2})
	defer b.Close()
	s := matrixSource(16384)
	dropped := 0
	s.Drop = func(part []byte) {
		if &part[0] != &s.Data[dropped] {
			t.Errorf("Drop got another part than the one from byte %d on", dropped)
		}
		dropped += len(part)
	}
	got := loaded(t, b, s)
	if &got[0] == &s.Data[0] || !bytes.Equal(got, s.Data) {
		t.Errorf("the weight is not a copy of its source")
	}
	if dropped != len(s.Data) {
		t.Errorf("%d bytes were dropped, want %d", dropped, len(s.Data))
	}
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
	var chunks [][]byte
	p := largePages{chunk: func(n int64) []byte {
		m := make([]byte, n+cacheLine)
		m = m[-uintptr(unsafe.Pointer(&m[0]))%cacheLine:][:n]
		chunks = append(chunks, m)
		return m
	}}
	taken := 0
	for i, n := range []int64{1, 63, 64, 65, 0, 40 << 20, 30 << 20, chunkBytes + 1, 100, chunkBytes} {
		m := p.take(n)
		if int64(len(m)) != n {
			t.Fatalf("take(%d) = %d bytes", n, len(m))
		}
		for j := range m {
			if m[j] != 0 {
				t.Fatalf("take(%d) shares a byte with part %d", n, m[j])
			}
			m[j] = byte(i + 1)
		}
		if n > 0 && uintptr(unsafe.Pointer(&m[0]))%cacheLine != 0 {
			t.Errorf("take(%d) does not begin a line", n)
		}
		taken += len(m)
	}
	if len(chunks) != 4 {
		t.Errorf("%d bytes came from %d chunks, want 4", taken, len(chunks))
	}
}
