package weft_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/model/weights"
)

// eager is the CPU, but the engine launches step N+1 before it collects N, as on a GPU.
type eager struct{ *cpu.Backend }

func (b eager) Info() backend.Info {
	info := b.Backend.Info()
	info.Async = true
	return info
}

func openEager() (backend.Backend, error) { return eager{cpu.New(cpu.Options{})}, nil }

// prompts are token ids that share prefixes.
func prompts(n int) [][]int32 {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([][]int32, n)
	for i := range out {
		for _, c := range []byte(strings.Repeat("the shared beginning ", r.IntN(3)) + fmt.Sprintf("%d and %d", r.IntN(4), i)) {
			out[i] = append(out[i], int32(c))
		}
	}
	return out
}

// greedyIDs runs all prompts at once and returns each one's tokens.
func greedyIDs(t *testing.T, m *weft.Model, texts [][]int32) [][]int32 {
	t.Helper()
	gens := make([]*engine.Generation, len(texts))
	for i, ids := range texts {
		var err error
		if gens[i], err = m.Engine().Submit(greedyRequest(ids, 8+i%40)); err != nil {
			t.Fatal(err)
		}
	}
	out := make([][]int32, len(texts))
	for i, g := range gens {
		var err error
		if out[i], err = collect(g); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	return out
}

func greedyRequest(ids []int32, n int) engine.Request {
	return engine.Request{Prompt: ids, MaxTokens: n, Sampling: engine.Sampling{TopP: 1, Repetition: 1}, Logprobs: -1}
}

func collect(g *engine.Generation) (ids []int32, err error) {
	for {
		tokens, err := g.Next(context.Background(), nil)
		for _, tok := range tokens {
			ids = append(ids, tok.ID)
		}
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
	}
}

// TestModes_GreedyOutputIsTheSameInAll: pauses, the prefix cache, overlap, batches and chunks change no token, with the
// model's real arithmetic.
func TestModes_GreedyOutputIsTheSameInAll(t *testing.T) {
	texts := prompts(256)
	alone := open(t, weft.Options{Engine: engine.Options{MaxRequests: 1, NoCache: true}})
	want := greedyIDs(t, alone, texts)
	for _, c := range []struct {
		name    string
		o       engine.Options
		overlap bool
		pauses  bool
	}{
		{"plain", engine.Options{MaxRequests: 16}, false, false},
		{"overlap", engine.Options{MaxRequests: 16, KVTokens: 2000}, true, false},
		{"no cache", engine.Options{MaxRequests: 16, NoCache: true}, false, false},
		{"overlap, no cache", engine.Options{MaxRequests: 16, KVTokens: 2000, NoCache: true}, true, false},
		{"paused every 3 steps", engine.Options{MaxRequests: 16, PauseEvery: 3}, false, true},
		{"paused, overlap", engine.Options{MaxRequests: 16, KVTokens: 2000, PauseEvery: 3}, true, true},
		{"paused, no cache", engine.Options{MaxRequests: 16, PauseEvery: 7, NoCache: true}, false, true},
		{"paused, overlap, no cache, small steps", engine.Options{MaxRequests: 8, KVTokens: 2000, PauseEvery: 7, NoCache: true, StepTokens: 16}, true, true},
		{"too little room, overlap", engine.Options{MaxRequests: 8, KVTokens: 250, Expect: 1, StepTokens: 24}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := weft.Options{Engine: c.o}
			if c.overlap {
				o.Backend = openEager
			}
			m := open(t, o)
			for i, got := range greedyIDs(t, m, texts) {
				if !slices.Equal(got, want[i]) {
					t.Errorf("request %d: %v, alone it is %v", i, got, want[i])
				}
			}
			if n := m.Engine().Stats().Paused; n == 0 && c.pauses {
				t.Error("no request was paused")
			}
		})
	}
}

// poisoned is a tiny Llama in which the embedding of token is all NaN. Its head is another matrix.
func poisoned(t *testing.T, token int) string {
	t.Helper()
	dir := golden.Copy(t, "llama")
	path := filepath.Join(dir, "model.safetensors")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := weights.ParseSafetensors(path, b)
	if err != nil {
		t.Fatal(err)
	}
	table := all["model.embed_tokens.weight"]
	row := table.Rows(token, token+1).Data
	at := bytes.Index(b, row)
	if at < 0 || bytes.Contains(b[at+1:], row) {
		t.Fatal("cannot find the token's embedding in the file")
	}
	for i := range len(row) {
		b[at+i] = 0xFF // NaN in every float type
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestNaN_EndsItsOwnRequestOnly: the mates of a request whose hidden states are NaN get the same tokens as ever, and
// nobody finds its prefix later.
func TestNaN_EndsItsOwnRequestOnly(t *testing.T) {
	const bad = 150
	prompt := func(i int) []int32 {
		ids := []int32{10, 11, 12, 13, 14, 15, 16, 17}
		for j := range ids {
			ids[j] += int32(i * j % 7)
		}
		return ids
	}
	m := openPath(t, poisoned(t, bad), weft.Options{Backend: openEager, Engine: engine.Options{MaxRequests: 16, StepTokens: 24, KVTokens: 2000}})
	var want [12][]int32
	for i := range want {
		g, err := m.Engine().Submit(greedyRequest(prompt(i), 40))
		if err != nil {
			t.Fatal(err)
		}
		if want[i], err = collect(g); err != nil {
			t.Fatal(err)
		}
	}
	var good []*engine.Generation
	var ill []*engine.Generation
	for i := range want {
		sick := append(prompt(i), bad, 1, 2, 3)
		for _, r := range []engine.Request{greedyRequest(prompt(i), 40), greedyRequest(sick, 40)} {
			g, err := m.Engine().Submit(r)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Prompt) == len(sick) {
				ill = append(ill, g)
			} else {
				good = append(good, g)
			}
		}
	}
	for i, g := range good {
		if got, err := collect(g); err != nil || !slices.Equal(got, want[i]) {
			t.Errorf("request %d among sick ones: %v, %v, want %v", i, got, err, want[i])
		}
	}
	for i, g := range ill {
		if got, err := collect(g); !errors.Is(err, engine.ErrNumeric) || len(got) > 0 {
			t.Errorf("sick request %d: %v, %v, want ErrNumeric", i, got, err)
		}
	}
	g, err := m.Engine().Submit(greedyRequest(append(prompt(0), bad, 1, 2, 3, 4), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(g); !errors.Is(err, engine.ErrNumeric) || g.Cached() > len(prompt(0)) {
		t.Errorf("a later request finds %d tokens of a sick one, %v", g.Cached(), err)
	}
}
