package cpu

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/tensor"
)

func TestCPU(t *testing.T) {
	backendtest.Run(t, func(*testing.T) backend.Backend { return New(Options{}) })
}

// tiny has sizes that fit no kernel exactly.
func tiny(typ tensor.DType) shapeOf {
	return shapeOf{layers: 3, heads: 6, kv: 2, hidden: 192, inter: 320, dim: 32, voc: 1000, typ: typ, head: tensor.Q8_0}
}

// logits runs s and returns the logits of its samples.
func (m *llama) logits(t *testing.T, s *backend.Step) []float32 {
	t.Helper()
	batch, err := m.b.Begin(s)
	if err != nil {
		t.Fatal(err)
	}
	var view tensor.View
	err = m.b.Run(batch, func(b *backend.Batch) tensor.View {
		view = m.forward(b)
		return view
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.b.Get(view)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestStep_LogitsDoNotDependOnTheBatch computes the same token alone, at the end of one prefill, after a chunked one,
// and among other requests: on every instruction set the bits must agree.
func TestStep_LogitsDoNotDependOnTheBatch(t *testing.T) {
	for _, kern := range available() {
		for _, typ := range []tensor.DType{tensor.Q4_1, tensor.BF16, tensor.Q5_0} {
			b := newWith(Options{Threads: 2}, kern)
			m := newLlama(t, b, tiny(typ))
			const n = 200
			whole := m.logits(t, m.step(1, 0, n))
			m.logits(t, m.step(1, 0, 131))
			chunked := m.logits(t, m.step(1, 131, n-131))
			s := m.step(1, n-1, 1)
			s.Decodes = 1
			alone := m.logits(t, s)
			for name, got := range map[string][]float32{"chunked": chunked, "alone": alone} {
				if !slices.Equal(got, whole) {
					t.Errorf("%s %s: the logits of the last token %s differ from those of one prefill", kern.name, typ, name)
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestKernels_AgreeAcrossInstructionSets compares every instruction set's logits with plain Go's.
func TestKernels_AgreeAcrossInstructionSets(t *testing.T) {
	var want []float32
	for _, kern := range available() {
		b := newWith(Options{Threads: 2}, kern)
		m := newLlama(t, b, tiny(tensor.Q4_0))
		got := m.logits(t, m.step(3, 0, 67))
		if want == nil {
			want = got
		}
		for i, v := range got {
			if d := v - want[i]; !(max(d, -d) < 1e-4) {
				t.Errorf("%s: logit %d = %v, want %v", kern.name, i, v, want[i])
				break
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPool_WorkersSleepWhenIdle checks that an idle backend's workers end up waiting.
func TestPool_WorkersSleepWhenIdle(t *testing.T) {
	p := newPool(4)
	defer p.close()
	n := countTask{}
	for range 1000 {
		p.do(&n, 64, 1)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if p.asleep.Load() == 3 {
			return
		}
	}
	t.Errorf("%d of 3 workers sleep a minute after the last task", p.asleep.Load())
}

// TestPool_RunsEachUnitOnce plays tasks of changing sizes.
func TestPool_RunsEachUnitOnce(t *testing.T) {
	p := newPool(3)
	defer p.close()
	for n := range 500 {
		c := countTask{}
		p.do(&c, n%len(c.count), 1+n%7)
		for i := range c.count {
			want := int32(0)
			if i < n%len(c.count) {
				want = 1
			}
			if c.count[i] != want {
				t.Fatalf("task %d: unit %d ran %d times, want %d", n, i, c.count[i], want)
			}
		}
		if n%50 == 0 {
			time.Sleep(time.Millisecond) // workers fall asleep
		}
	}
}

type countTask struct{ count [97]int32 }

func (c *countTask) run(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.count[i]++
	}
}

// TestPool_HelpsAWorkerThatIsLate has a unit, of the caller's share or of the other worker's, that ends only when all
// others have run.
func TestPool_HelpsAWorkerThatIsLate(t *testing.T) {
	p := newPool(2)
	defer p.close()
	for _, late := range []int{0, 50} {
		l := lateTask{late: late, deadline: time.Now().Add(2 * time.Minute)}
		p.do(&l, 100, 1)
		if l.before != 99 {
			t.Errorf("%d units ran while unit %d waited for 99", l.before, late)
		}
	}
}

type lateTask struct {
	late     int
	deadline time.Time
	ran      atomic.Int32
	before   int32 // units that had run when the late one ended
}

func (l *lateTask) run(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		if i != l.late {
			l.ran.Add(1)
			continue
		}
		for l.ran.Load() < 99 && time.Now().Before(l.deadline) {
			time.Sleep(time.Millisecond)
		}
		l.before = l.ran.Load()
	}
}
