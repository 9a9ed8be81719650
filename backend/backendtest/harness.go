package backendtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// harness runs operations on inputs of its own, all in one step, and compares each with a reference.
type harness struct {
	t   *testing.T
	b   backend.Backend
	m   backend.Memory
	act tensor.DType
	rng *rand.Rand
	ops []op
}

// op is one operation under test. run gets the inputs through in, which gives NaN the first time, so that an element
// that the second run does not write is found.
type op struct {
	name string
	run  func(k backend.Kernels, b *backend.Batch, in func(input) tensor.View) tensor.View
	want reference
	tol  tolerance
}

// input is a view with values, and one of the same shape with NaN.
type input struct {
	clean, poison tensor.View
	data          []float32
	rows, cols    int
}

// reference is what an operation should give, and the magnitude that its error is measured by.
type reference struct {
	want, mag []float64
}

// tolerance bounds |got-want|/mag by activation type; bf16's holds for f16 too, which has more bits.
type tolerance struct {
	f32, bf16 float64
}

func (l tolerance) of(t tensor.DType) float64 {
	if t == tensor.F32 {
		return l.f32
	}
	return l.bf16
}

func open(t *testing.T, o suite) *harness {
	t.Helper()
	b := o.open(t)
	m, ok := b.(backend.Memory)
	if !ok {
		t.Fatalf("%T is no backend.Memory", b)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return &harness{t: t, b: b, m: m, act: b.Info().Activation, rng: rand.New(rand.NewPCG(1, 2))}
}

// normal returns n values of a standard normal distribution times std that bf16 and f16 hold exactly.
func (h *harness) normal(n int, std float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		if x := float32(h.rng.NormFloat64() * std); x <= -0x1p-14 || x >= 0x1p-14 { // below, f16 has fewer bits
			v[i] = toBF16(x)
		}
	}
	return v
}

func (h *harness) input(rows, cols int, std float64) input {
	return h.put(h.normal(rows*cols, std), rows, cols)
}

func (h *harness) put(data []float32, rows, cols int) input {
	nan := make([]float32, len(data))
	for i := range nan {
		nan[i] = float32(math.NaN())
	}
	return input{h.m.Put(data, rows, cols), h.m.Put(nan, rows, cols), data, rows, cols}
}

// must stops the test on an error.
func must[T any](h *harness) func(v T, err error) T {
	return func(v T, err error) T {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
		return v
	}
}

func (h *harness) vector(data []float32) backend.Weight {
	h.t.Helper()
	return must[backend.Weight](h)(h.b.LoadVector(source(tensor.F32, data, len(data))))
}

func (h *harness) linear(data []float32, rows, cols int) backend.Weight {
	h.t.Helper()
	return must[backend.Weight](h)(h.b.LoadLinear(source(tensor.BF16, data, rows, cols)))
}

func (h *harness) add(o op) { h.ops = append(h.ops, o) }

// run plans and runs all operations, twice: on NaN, then on the inputs.
func (h *harness) run() {
	h.t.Helper()
	const vocab = 64
	table := h.linear(h.normal(vocab*64, 1), vocab, 64)
	views := make([]tensor.View, len(h.ops))
	pick := func(i input) tensor.View { return i.poison }
	forward := func(b *backend.Batch) tensor.View {
		x := h.b.Embed(table, b, 1)
		for i, o := range h.ops {
			views[i] = o.run(h.b, b, pick)
			if err := h.b.Err(); err != nil {
				h.t.Fatalf("%s: %v", o.name, err)
			}
		}
		return h.b.Logits(h.b.Last(x, b), table, 1, 0)
	}
	if err := h.b.Plan(backend.Limits{Tokens: 4, Requests: 1, MaxContext: 8, Vocab: vocab}, forward); err != nil {
		h.t.Fatal(err)
	}
	if err := h.b.AllocKV(backend.KVSpec{Layers: 1, KVHeads: 1, HeadDim: 64, Slots: 8}); err != nil {
		h.t.Fatal(err)
	}
	step := &backend.Step{IDs: []int32{3, 1, 2}, Pos: []int32{0, 1, 2}, Slots: []int32{1, 2, 3}, Rows: []int32{0},
		Start: []int32{0, 3}, Context: []int32{3}, Last: []int32{2}, Owner: []int32{0}, Sampling: []backend.Sampling{greedy()}}
	h.step(step, forward)
	pick = func(i input) tensor.View { return i.clean }
	h.step(step, forward)
	for i, o := range h.ops {
		h.compare(o.name, views[i], o.want, o.tol)
	}
}

// step runs s and returns its result.
func (h *harness) step(s *backend.Step, forward func(*backend.Batch) tensor.View) backend.Result {
	h.t.Helper()
	var r backend.Result
	batch, err := h.b.Begin(s)
	if err == nil {
		err = h.b.Run(batch, forward)
	}
	if err == nil {
		err = h.b.Collect(batch, &r)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// compare reports the worst element of v.
func (h *harness) compare(name string, v tensor.View, r reference, tol tolerance) {
	h.t.Helper()
	got, err := h.m.Get(v)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	if len(got) < len(r.want) {
		h.t.Fatalf("%s: %d values, want %d", name, len(got), len(r.want))
	}
	worst, at := 0.0, -1
	for i, want := range r.want {
		e := math.Abs(float64(got[i])-want) / (r.mag[i] + 1e-30)
		if float64(got[i]) == want || h.act == tensor.F16 && math.Abs(float64(got[i])-want) <= 0x1p-25 { // half of f16's smallest step
			e = 0
		}
		if !(e <= worst) {
			worst, at = e, i
			if e != e {
				break
			}
		}
	}
	if limit := tol.of(h.act); !(worst <= limit) {
		h.t.Errorf("%s: element %d = %v, want %v: error %.3g of magnitude %.3g, tolerance %.3g", name, at, got[at], r.want[at], worst, r.mag[at], limit)
	}
}

func greedy() backend.Sampling { return backend.Sampling{TopP: 1, Repetition: 1, Logprobs: -1} }

func label(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// source encodes data as t.
func source(t tensor.DType, data []float32, dims ...int) backend.Source {
	return backend.Source{Name: label("%s%v", t, dims), Type: t, Dim: dims, Data: encode(t, data)}
}
