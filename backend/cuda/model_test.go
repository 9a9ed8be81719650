package cuda

import (
	"errors"
	"runtime"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// The smallest model that uses every operation.
const (
	testHidden, testInter, testVocab = 64, 96, 200
	testHeads, testKV, testDim       = 2, 1, 64
	testRequests, testContext        = 3, 32
)

// tiny is that model with dummy weights, but for a norm that comes from data.
type tiny struct {
	b                    *Backend
	embed, norm          backend.Weight
	qkv, o, gateUp, down backend.Weight
	attention            backend.Attention
}

func loadSmall(b *Backend) (*tiny, error) {
	m := &tiny{b: b}
	dummy := func(rows, cols int) backend.Source {
		return backend.Source{Name: "dummy", Type: tensor.BF16, Dim: []int{rows, cols}, Seed: 1, Std: 0.1}
	}
	ones := make([]float32, testHidden)
	for i := range ones {
		ones[i] = 1
	}
	var table backend.Weight
	for _, load := range []func() error{
		func() (err error) { m.embed, err = b.LoadLinear(dummy(testVocab, testHidden)); return },
		func() (err error) {
			m.norm, err = b.LoadVector(backend.Source{Name: "norm", Type: tensor.F32, Dim: []int{testHidden}, Data: bytesOf(ones)})
			return
		},
		func() (err error) {
			q, kv := dummy(testHeads*testDim, testHidden), dummy(testKV*testDim, testHidden)
			m.qkv, err = b.LoadLinear(q, kv, kv)
			return
		},
		func() (err error) { m.o, err = b.LoadLinear(dummy(testHidden, testHeads*testDim)); return },
		func() (err error) {
			m.gateUp, err = b.LoadGated(dummy(testInter, testHidden), dummy(testInter, testHidden))
			return
		},
		func() (err error) { m.down, err = b.LoadLinear(dummy(testHidden, testInter)); return },
		func() (err error) {
			table, err = b.LoadTable(make([]float32, testContext*testDim), testContext, testDim)
			return
		},
	} {
		if err := load(); err != nil {
			return nil, err
		}
	}
	m.attention = backend.Attention{Heads: testHeads, KVHeads: testKV, HeadDim: testDim, Eps: 1e-5, Scale: 0.125,
		Rope: backend.Rope{Table: table, Dim: testDim}}
	return m, nil
}

func (m *tiny) forward(batch *backend.Batch) tensor.View {
	b := m.b
	x := b.Embed(m.embed, batch, 1)
	var res tensor.View
	b.Layer(0)
	x, res = b.AddRMSNorm(x, res, m.norm, 1e-5)
	q := b.RopeStore(b.Linear(x, m.qkv, nil), &m.attention, batch)
	x = b.AllReduce(b.Linear(b.Attend(q, &m.attention, batch), m.o, nil))
	x, res = b.AddRMSNorm(x, res, m.norm, 1e-5)
	x = b.Linear(b.GatedLinear(x, m.gateUp, backend.SiLU), m.down, nil)
	x, _ = b.AddRMSNorm(x, res, m.norm, 1e-5)
	return b.Logits(b.Last(x, batch), m.embed, 1, 0)
}

// start loads, plans and reserves.
func (m *tiny) start() error {
	b := m.b
	if err := b.Plan(backend.Limits{Tokens: 16, Requests: testRequests, MaxContext: testContext, Cached: 4, Vocab: testVocab}, m.forward); err != nil {
		return err
	}
	return b.AllocKV(backend.KVSpec{Layers: 1, KVHeads: testKV, HeadDim: testDim, Slots: 64})
}

// promptStep is the first step of one request of five tokens, two of them cached.
func promptStep() *backend.Step {
	return &backend.Step{
		IDs: []int32{5, 6, 7}, Pos: []int32{2, 3, 4}, Slots: []int32{3, 4, 5}, Rows: []int32{1}, Start: []int32{0, 3}, Context: []int32{5},
		Cached: []backend.Cached{{Row: 1, Pos: 0, Slot: 1, ID: 9}, {Row: 1, Pos: 1, Slot: 2, ID: 8}},
		Last:   []int32{2}, Owner: []int32{0}, Sampling: []backend.Sampling{{TopP: 1, Repetition: 1, Logprobs: 2}},
	}
}

// decodeStep computes the token of each of n requests that is at position pos.
func decodeStep(n int, pos int32) *backend.Step {
	s := &backend.Step{Start: []int32{0}, Decodes: n}
	for i := range int32(n) {
		s.IDs, s.Pos, s.Slots = append(s.IDs, backend.FromDevice), append(s.Pos, pos), append(s.Slots, 10+i*16+pos)
		s.Rows, s.Start, s.Context = append(s.Rows, i), append(s.Start, i+1), append(s.Context, pos+1)
		s.Last, s.Owner = append(s.Last, i), append(s.Owner, i)
		s.Sampling = append(s.Sampling, backend.Sampling{TopP: 1, Repetition: 1, Logprobs: -1})
	}
	return s
}

// step runs one step to its end.
func (m *tiny) step(s *backend.Step, r *backend.Result) error {
	batch, err := m.b.Begin(s)
	if err != nil {
		return err
	}
	if err := m.b.Run(batch, m.forward); err != nil {
		return err
	}
	return m.b.Collect(batch, r)
}

// life is everything that the backend does: start-up, a prompt, decode steps by graph and without, shutdown.
func life(lib *driver.Library) error {
	b, err := OpenWith(lib, 0, Options{Chunk: 1 << 12})
	if err != nil {
		return err
	}
	err = func() error {
		m, err := loadSmall(b)
		if err == nil {
			err = m.start()
		}
		var r backend.Result
		for _, s := range []*backend.Step{promptStep(), decodeStep(1, 5), decodeStep(3, 6), decodeStep(3, 7)} {
			if err == nil {
				err = m.step(s, &r)
			}
		}
		return err
	}()
	return join(err, b.Close())
}

func join(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// onThread locks the test to its OS thread.
func onThread(t testing.TB) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
}

// started opens the small model on a fake GPU, closes it when the test ends, and checks that nothing is left.
func started(t testing.TB, o Options) (*tiny, *drivertest.Fake) {
	t.Helper()
	onThread(t)
	fake := drivertest.New(drivertest.Config{})
	m := startedOn(t, fake, o)
	t.Cleanup(func() {
		if err := m.b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		fake.Check(t)
	})
	return m, fake
}

// startedOn opens the small model on fake; the test closes it.
func startedOn(t testing.TB, fake *drivertest.Fake, o Options) *tiny {
	t.Helper()
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenWith(lib, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := loadSmall(b)
	if err == nil {
		err = m.start()
	}
	if err != nil {
		t.Fatal(errors.Join(err, b.Close()))
	}
	return m
}
