package cuda

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// wideHead is a head of four stages of K, which kernels for few tokens want, over embeddings alone.
const wideHead = 256

// startHead plans a model that is a head alone.
func startHead(t *testing.T, b *Backend) func(*backend.Batch) tensor.View {
	t.Helper()
	source := func(seed uint64) backend.Source {
		return backend.Source{Name: "dummy", Type: tensor.BF16, Dim: []int{testVocab, wideHead}, Seed: seed, Std: 0.5}
	}
	embed, err := b.LoadLinear(source(1))
	if err != nil {
		t.Fatal(err)
	}
	w, err := b.LoadLinear(source(2))
	if err != nil {
		t.Fatal(err)
	}
	forward := func(batch *backend.Batch) tensor.View {
		return b.Logits(b.Last(b.Embed(embed, batch, 1), batch), w, 1, 0)
	}
	if err := b.Plan(backend.Limits{Tokens: 16, Requests: testRequests, MaxContext: testContext, Cached: 4, Vocab: testVocab}, forward); err != nil {
		t.Fatal(err)
	}
	if err := b.AllocKV(backend.KVSpec{Layers: 1, KVHeads: testKV, HeadDim: testDim, Slots: 64}); err != nil {
		t.Fatal(err)
	}
	return forward
}

// runStep runs s to its end.
func runStep(t *testing.T, b *Backend, s *backend.Step, forward func(*backend.Batch) tensor.View) []int32 {
	t.Helper()
	var r backend.Result
	batch, err := b.Begin(s)
	if err == nil {
		err = b.Run(batch, forward)
	}
	if err == nil {
		err = b.Collect(batch, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(r.IDs)
}

// TestRun_KeepsNoLogitsWhereAllSamplesAreGreedy gives the kernels behind the embedding, with graphs and without.
func TestRun_KeepsNoLogitsWhereAllSamplesAreGreedy(t *testing.T) {
	mask := func(s *backend.Step) { s.Masks, s.Sampling[1].Mask = make([]uint32, (testVocab+31)/32), 1 }
	for _, c := range []struct {
		name  string
		gpu   drivertest.Config
		o     Options
		ask   func(*backend.Step)
		alone bool
	}{
		{"greedy", drivertest.Config{}, Options{}, func(*backend.Step) {}, true},
		{"temperature", drivertest.Config{}, Options{}, func(s *backend.Step) { s.Sampling[2].Temperature = 1 }, false},
		{"top-k", drivertest.Config{}, Options{}, func(s *backend.Step) { s.Sampling[2].Temperature, s.Sampling[2].TopK = 1, 5 }, false},
		{"a log-probability", drivertest.Config{}, Options{}, func(s *backend.Step) { s.Sampling[0].Logprobs = 0 }, false},
		{"a penalty", drivertest.Config{}, Options{}, func(s *backend.Step) { s.Sampling[0].Presence = 1 }, false},
		{"a mask", drivertest.Config{}, Options{}, mask, false},
		{"one by one", drivertest.Config{}, Options{Single: true}, func(*backend.Step) {}, false},
		{"deterministic", drivertest.Config{}, Options{Deterministic: true}, func(*backend.Step) {}, false},
		{"f16", drivertest.Config{}, Options{Elem: tensor.F16}, func(*backend.Step) {}, false},
		{"sm_80", drivertest.Config{Major: 8}, Options{}, func(*backend.Step) {}, false},
		{"a kernel that keeps all", drivertest.Config{}, Options{Force: map[string]string{"linear": "gemm_m64"}}, func(*backend.Step) {}, false},
	} {
		for _, graphs := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s graphs %t", c.name, graphs), func(t *testing.T) {
				onThread(t)
				fake := drivertest.New(c.gpu)
				lib, err := fake.Library()
				if err != nil {
					t.Fatal(err)
				}
				c.o.NoGraphs = !graphs
				b, err := OpenWith(lib, 0, c.o)
				if err != nil {
					t.Fatal(err)
				}
				forward := startHead(t, b)
				before := len(fake.Launches())
				s := decodeStep(3, 5)
				c.ask(s)
				runStep(t, b, s, forward)
				var names []string
				for _, l := range fake.Launches()[before:] {
					names = append(names, l.Kernel)
				}
				last := names[len(names)-1]
				if i := len(names) - 2; c.alone && (last != "sample_best" || !strings.HasSuffix(names[i], "_argmax")) {
					t.Errorf("kernels %q, want the last two to take the largest", names)
				}
				if i := slices.Index(names, "sample_draw"); !c.alone && (i < 1 || last == "sample_best") {
					t.Errorf("kernels %q, want logits and sample_draw", names)
				}
				if err := b.Close(); err != nil {
					t.Errorf("Close() = %v", err)
				}
				fake.Check(t)
			})
		}
	}
}

// TestRun_GreedyStepsGiveTheTokensOfThoseThatSample_GPU compares with steps that ask for log-probabilities, and so have logits in
// memory. Temperatures below the least are greedy.
func TestRun_GreedyStepsGiveTheTokensOfThoseThatSample_GPU(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		var ids [2][][]int32
		for i := range ids {
			b := opener(d, Options{})(t)
			forward := startHead(t, b)
			for pos := range int32(8) {
				s := decodeStep(3, pos+1)
				for j := range s.Sampling {
					if pos == 0 {
						s.IDs[j] = int32(7 + j)
					}
					r := &s.Sampling[j]
					r.Temperature, r.Logprobs = float32(j)*1e-6, int32(i-1)
				}
				if samples := i == 1; (classOfStep(s) == ptx.NeedLogprobs) != samples {
					t.Fatalf("class %d of a step that samples: %t", classOfStep(s), samples)
				}
				ids[i] = append(ids[i], runStep(t, b, s, forward))
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}
		if fmt.Sprint(ids[0]) != fmt.Sprint(ids[1]) {
			t.Errorf("tokens %v of steps without logits, want %v", ids[0], ids[1])
		}
	})
}

func classOfStep(s *backend.Step) samplingClass {
	class, _ := classOf(s.Sampling)
	return class
}

// TestLogits_OtherThanThoseReturnedAreInMemory_GPU: forward makes two products of the shape of logits and returns one.
func TestLogits_OtherThanThoseReturnedAreInMemory_GPU(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		b := opener(d, Options{NoGraphs: true})(t)
		defer b.Close()
		head := startHead(t, b)
		var first, second tensor.View
		s := decodeStep(3, 5)
		for j := range s.IDs {
			s.IDs[j] = int32(9 + j)
		}
		for _, back := range []int{0, 1} {
			ids := runStep(t, b, s, func(batch *backend.Batch) tensor.View {
				first, second = head(batch), head(batch)
				return []tensor.View{first, second}[back]
			})
			other, err := b.Get([]tensor.View{second, first}[back])
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range ids {
				row := other[i*testVocab:][:testVocab]
				if best := slices.Index(row, slices.Max(row)); id != int32(best) {
					t.Errorf("logits %d of 2 returned: row %d has id %d, the other's best is %d", back, i, id, best)
				}
			}
		}
	})
}
