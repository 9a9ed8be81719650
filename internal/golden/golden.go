// Package golden holds tiny random models with the logits that transformers computes for them, and compares a backend's
// forward pass with these. tools/golden/make.py makes the models.
package golden

import (
	"embed"
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

//go:embed all:testdata
var files embed.FS

// Open opens the backend under test, skipping the test when there is none.
type Open func(t *testing.T) backend.Backend

// reference is what transformers computed, in float32, without a cache.
type reference struct {
	prompt, tokens []int32
	logits         [][]float32 // at every position of prompt and tokens but the last
	gaps           []float32   // between the best and the second logit, where tokens were chosen
}

// sequence is prompt and output.
func (r *reference) sequence() []int32 { return append(append([]int32(nil), r.prompt...), r.tokens...) }

// Names lists the models.
func Names(t *testing.T) []string {
	entries, err := fs.ReadDir(files, "testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Copy writes model name to a directory of the test's and returns what weights.Open takes.
func Copy(t testing.TB, name string) string {
	t.Helper()
	sub, err := fs.Sub(files, "testdata/models/"+name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, sub); err != nil {
		t.Fatal(err)
	}
	if gguf := filepath.Join(dir, "model.gguf"); exists(gguf) {
		return gguf
	}
	// The reference lies elsewhere than the model, whose directory should be as real ones are.
	if err := os.Remove(filepath.Join(dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readReference reads a model's golden.safetensors.
func readReference(t *testing.T, name string) *reference {
	t.Helper()
	b, err := files.ReadFile("testdata/models/" + name + "/golden.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	all, err := weights.ParseSafetensors(name+"/golden.safetensors", b)
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{prompt: ints(all["prompt"]), tokens: ints(all["tokens"]), gaps: floats(all["gaps"])}
	flat, v := floats(all["logits"]), all["logits"].Dim[1]
	for ; len(flat) > 0; flat = flat[v:] {
		r.logits = append(r.logits, flat[:v])
	}
	return r
}

func ints(s backend.Source) []int32 {
	out := make([]int32, len(s.Data)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(s.Data[4*i:]))
	}
	return out
}

func floats(s backend.Source) []float32 {
	out := make([]float32, len(s.Data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(s.Data[4*i:]))
	}
	return out
}

// load opens and loads a model, and prepares the backend for steps of up to requests requests and tokens tokens.
func load(t *testing.T, open Open, path string, maxContext int, l backend.Limits) (*model.Decoder, *session) {
	t.Helper()
	c, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) // after the backend, which may compute on the mapped file
	b := open(t)
	t.Cleanup(func() { b.Close() })
	m, err := model.Load(c, b, model.LoadOptions{MaxContext: maxContext})
	if err != nil {
		t.Fatal(err)
	}
	l.MaxContext, l.Vocab = m.MaxContext(), m.Vocab()
	s := &session{t: t, b: b, m: m, context: l.MaxContext}
	if err := b.Plan(l, s.forward); err != nil {
		t.Fatal(err)
	}
	if err := b.AllocKV(m.KVSpec(1 + l.Requests*l.MaxContext)); err != nil {
		t.Fatal(err)
	}
	return m, s
}

// session plays the engine's part for a backend.
type session struct {
	t       *testing.T
	b       backend.Backend
	m       *model.Decoder
	context int
	logits  tensor.View // of the last step that called forward
	called  bool
	result  backend.Result
}

func (s *session) forward(b *backend.Batch) tensor.View {
	s.logits, s.called = s.m.Forward(s.b, b), true
	return s.logits
}

// part is what one request computes in a step: tokens ids from position from on.
type part struct {
	row, from int
	ids       []int32
}

// slot scatters a request's tokens over the cache, so that nothing works by their being adjacent. 0 is left out.
func (s *session) slot(row, pos int) int32 { return int32(1 + row*s.context + (pos*5+3)%s.context) }

// step computes parts, the one-token ones first, and picks the largest logit after each part's last token. It returns
// the ids, their log-probabilities and, unless the backend replayed a recorded step, the logits.
func (s *session) step(parts ...part) (ids []int32, logprobs []float32, logits [][]float32) {
	s.t.Helper()
	st := s.describe(parts)
	batch, err := s.b.Begin(st)
	if err != nil {
		s.t.Fatal(err)
	}
	s.called = false
	if err := s.b.Run(batch, s.forward); err != nil {
		s.t.Fatal(err)
	}
	n := len(st.Last)
	s.result.IDs, s.result.Logprobs = make([]int32, n), make([]float32, n)
	s.result.TopIDs, s.result.TopLogprobs = make([]int32, n*backend.MaxTopLogprobs), make([]float32, n*backend.MaxTopLogprobs)
	if err := s.b.Collect(batch, &s.result); err != nil {
		s.t.Fatal(err)
	}
	if s.called {
		logits = s.read(n)
	}
	return s.result.IDs[:n], s.result.Logprobs[:n], logits
}

func (s *session) describe(parts []part) *backend.Step {
	st := &backend.Step{Start: []int32{0}}
	for i, p := range parts {
		for j, id := range p.ids {
			st.IDs, st.Pos = append(st.IDs, id), append(st.Pos, int32(p.from+j))
			st.Slots = append(st.Slots, s.slot(p.row, p.from+j))
		}
		st.Last, st.Owner = append(st.Last, int32(len(st.IDs)-1)), append(st.Owner, int32(i))
		st.Sampling = append(st.Sampling, backend.Sampling{TopP: 1, Repetition: 1, Prompt: int32(s.context)})
		st.Rows, st.Start = append(st.Rows, int32(p.row)), append(st.Start, int32(len(st.IDs)))
		st.Context = append(st.Context, int32(p.from+len(p.ids)))
		if len(p.ids) == 1 && st.Decodes == i {
			st.Decodes++
		}
	}
	return st
}

func (s *session) read(n int) [][]float32 {
	flat, err := s.b.(backend.Memory).Get(s.logits)
	if err != nil {
		s.t.Fatal(err)
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = flat[i*s.m.Vocab() : (i+1)*s.m.Vocab()]
	}
	return out
}
