package cuda

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// opener opens d's first GPU with o. A simulated one runs kernels one after the other, and finds what would be touched too
// early.
func opener(d drivertest.Device, o Options) func(t *testing.T) *Backend {
	return func(t *testing.T) *Backend {
		t.Helper()
		if d.Simulated && d.Hopper && o.Elem == tensor.F16 {
			t.Skip("skipped: for f16 there are only the kernels of sm_80, which the other simulated GPU runs")
		}
		onThread(t)
		b, err := OpenWith(d.Library, 0, o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestGPU_SelfTest(t *testing.T) { drivertest.OnEach(t, selfTestWith(Options{})) }

func TestGPU_SelfTestSingle(t *testing.T) { onlyReal(t, selfTestWith(Options{Single: true})) }

func TestGPU_SelfTestInF16(t *testing.T) {
	drivertest.OnEach(t, selfTestWith(Options{Elem: tensor.F16}))
}

// onlyReal is for what a simulated GPU, where kernels run one after the other, would do a second time.
func onlyReal(t *testing.T, run func(*testing.T, drivertest.Device)) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		if d.Simulated {
			t.Skip("skipped: a simulated GPU, which runs kernels one after the other and replays graphs launch by launch, does the same without this")
		}
		run(t, d)
	})
}

func selfTestWith(o Options) func(*testing.T, drivertest.Device) {
	return func(t *testing.T, d drivertest.Device) {
		b := opener(d, o)(t)
		defer func() {
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}()
		for _, c := range b.SelfTest() {
			if c.Err != nil {
				t.Errorf("%s: %v", c.Name, c.Err)
			}
		}
	}
}

func TestGPU_Conformance(t *testing.T) { drivertest.OnEach(t, conformWith(Options{})) }

// TestGPU_ConformanceSingle leaves each operation to a kernel of its own where others have fused ones.
func TestGPU_ConformanceSingle(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		gpu, err := d.Library.Device(0)
		if err != nil {
			t.Fatal(err)
		}
		if gpu.Arch() != 90 {
			t.Skipf("skipped: kernels are fused on sm_90 alone, and this GPU is sm_%d", gpu.Arch())
		}
		conformWith(Options{Single: true})(t, d)
	})
}

func TestGPU_ConformanceWithoutGraphs(t *testing.T) {
	onlyReal(t, conformWith(Options{NoGraphs: true}))
}

func TestGPU_ConformanceInF16(t *testing.T) {
	drivertest.OnEach(t, conformWith(Options{Elem: tensor.F16}))
}

// conformWith runs the suite with o, on a simulated GPU without the largest sizes.
func conformWith(o Options) func(*testing.T, drivertest.Device) {
	return func(t *testing.T, d drivertest.Device) {
		open := opener(d, o)
		run := backendtest.Run
		if d.Simulated {
			run = backendtest.RunSmall
		}
		run(t, func(t *testing.T) backend.Backend { return open(t) })
	}
}

// TestGPU_WhatPassesF16EndsItsOwnRowAsNaN overflows one row of a residual stream: no logit of it is a number then, and those
// of the other rows all are.
func TestGPU_WhatPassesF16EndsItsOwnRowAsNaN(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		b := opener(d, Options{Elem: tensor.F16})(t)
		defer b.Close()
		const rows, h, vocab, bad = 3, 64, 80, 1
		s := &selfTest{b: b, memory: memory{ctx: b.ctx}, rng: rand.New(rand.NewPCG(1, 2))}
		x, res, y := s.random(tensor.F16, rows, h), s.random(tensor.F16, rows, h), s.poisoned(tensor.F16, rows, h)
		x.host[bad*h+5], res.host[bad*h+5] = 4e4, 3e4
		x, res = s.put(tensor.F16, x.host, rows, h), s.put(tensor.F16, res.host, rows, h)
		norm, head, logits := s.random(tensor.F32, h), s.random(tensor.F16, vocab, h), s.put(tensor.F32, make([]float32, rows*vocab), rows, vocab)
		err := errors.Join(s.err, b.k.AddRMSNorm(b.stream, y.View, res.View, x.View, norm.View, 1e-5),
			b.k.Logits(b.stream, logits.View, y.View, head.View, 1, 0))
		got, failed := b.Get(logits.View)
		if err := errors.Join(err, failed, s.memory.close()); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if isNaN := v != v; isNaN != (i/vocab == bad) {
				t.Fatalf("logit %d of row %d is %v", i%vocab, i/vocab, v)
			}
		}
	})
}
