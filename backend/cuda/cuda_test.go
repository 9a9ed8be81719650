package cuda

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// TestLife_AnyFailedCallIsATypedError fails every driver call of a whole life in turn.
func TestLife_AnyFailedCallIsATypedError(t *testing.T) {
	onThread(t)
	calls := 0
	play := func(n int) (*drivertest.Fake, error) {
		fake := drivertest.New(drivertest.Config{})
		fake.Record(false)
		if n > 0 {
			fake.FailAt(n, driver.Unknown)
		}
		lib, err := fake.Library()
		if err == nil {
			err = life(lib)
		}
		calls = fake.Count("")
		return fake, err
	}
	fake, err := play(0)
	if err != nil {
		t.Fatalf("a life without failures: %v", err)
	}
	fake.Check(t)
	total := calls
	for n := 1; n <= total; n++ {
		fake, err := play(n)
		var typed *driver.Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("call %d of %d fails: error %v is no *driver.Error", n, total, err)
		}
		for _, text := range fake.Faults() {
			t.Errorf("call %d of %d fails: fault: %s", n, total, text)
		}
		leaks := fake.Leaks()
		if err == nil && len(leaks) == 0 {
			continue // a call whose failure nobody needs to know, such as the free memory of an error text
		}
		if err == nil {
			t.Errorf("call %d of %d fails: no error, leaks %v", n, total, leaks)
		}
		if len(leaks) > 1 { // giving back one thing failed: that one stays
			t.Errorf("call %d of %d fails: leaks %v", n, total, leaks)
		}
	}
}

func TestStep_DecodeAllocatesNothing(t *testing.T) {
	for _, o := range []Options{{}, {NoGraphs: true}, {Deterministic: true}, {Elem: tensor.F16}} {
		m, fake := started(t, o)
		fake.Record(false)
		var r backend.Result
		s := decodeStep(3, 5)
		forward := m.forward
		run := func() {
			batch, err := m.b.Begin(s)
			if err == nil {
				err = m.b.Run(batch, forward)
			}
			if err == nil {
				err = m.b.Collect(batch, &r)
			}
			if err == nil {
				_, _, err = m.b.StepTime(batch)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		run()
		run()
		before := fake.Count("cuMem")
		copies := fake.Count("cuMemcpy")
		if n := testing.AllocsPerRun(50, run); n != 0 {
			t.Errorf("%+v: %v allocations a step, want 0", o, n)
		}
		if n := fake.Count("cuMem") - before - (fake.Count("cuMemcpy") - copies); n != 0 {
			t.Errorf("%+v: %d device allocations", o, n)
		}
	}
}

func TestRun_DecodesReplayAGraphOfTheirBucket(t *testing.T) {
	m, fake := started(t, Options{})
	var r backend.Result
	for i, n := range []int{3, 3, 1, 3, 1, 1, 3, 3} {
		if err := m.step(decodeStep(n, int32(5+i)), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.IDs) != n {
			t.Errorf("step %d: %d ids, want %d", i, len(r.IDs), n)
		}
	}
	if got := fake.Count("cuGraphInstantiate"); got != 4 {
		t.Errorf("%d graphs for batches of 3 and 1, want 4: steps in turn have memory of their own", got)
	}
	if got := fake.Count("cuGraphLaunch"); got != 8 {
		t.Errorf("%d replays, want 8", got)
	}
}

// TestRun_ADecodeStepIsFourCallsAndEightKernelsALayer holds the cost of a step on both sides.
func TestRun_ADecodeStepIsFourCallsAndEightKernelsALayer(t *testing.T) {
	m, fake := started(t, Options{})
	var r backend.Result
	for i := range int32(2) { // records both graphs
		if err := m.step(decodeStep(3, 5+i), &r); err != nil {
			t.Fatal(err)
		}
	}
	calls, launches := fake.Count(""), len(fake.Launches())
	if err := m.step(decodeStep(3, 7), &r); err != nil {
		t.Fatal(err)
	}
	if n := fake.Count("") - calls; n != 4 { // record an event, launch the graph, record an event, wait for it
		t.Errorf("%d driver calls for a decode step, want 4", n)
	}
	var names []string
	for _, l := range fake.Launches()[launches:] {
		names = append(names, l.Kernel)
	}
	// Begin, embed, norm; of the layer: qkv, rope and store, attention, o, norm, gate and up, down, norm; head, sample, end.
	if want := 3 + 8 + 3; len(names) != want || names[0] != "step_begin" || names[want-1] != "step_end" || slices.Contains(names, "add") {
		t.Errorf("a step of one layer is %d kernels, want %d: %q", len(names), want, names)
	}
}

// TestRun_DeterministicStepsLaunchTheSameKernelsForPromptsAndDecodes: attention is one kernel for both, and no linear
// kernel splits K.
func TestRun_DeterministicStepsLaunchTheSameKernelsForPromptsAndDecodes(t *testing.T) {
	m, fake := started(t, Options{Deterministic: true})
	var r backend.Result
	for _, s := range []*backend.Step{promptStep(), decodeStep(1, 5), decodeStep(3, 6), decodeStep(3, 7)} {
		before := len(fake.Launches())
		if err := m.step(s, &r); err != nil {
			t.Fatal(err)
		}
		attends := 0
		for _, l := range fake.Launches()[before:] {
			if strings.HasPrefix(l.Kernel, "attend") {
				attends++
				if l.Kernel != "attend_prefill_sm90_64" {
					t.Errorf("%d requests: attention by %s", len(s.Rows), l.Kernel)
				}
			}
			if strings.HasPrefix(l.Kernel, "skinny_m") || strings.HasPrefix(l.Kernel, "gemm_m") && l.Grid.Y > 1 {
				t.Errorf("%d requests: %s on a grid of %v splits K", len(s.Rows), l.Kernel, l.Grid)
			}
		}
		if attends != 1 {
			t.Errorf("%d requests: %d attention kernels, want 1", len(s.Rows), attends)
		}
	}
}

// TestPlan_DeterministicRefusesAWindowThatIsOutgrown: one that no context outgrows is fine.
func TestPlan_DeterministicRefusesAWindowThatIsOutgrown(t *testing.T) {
	for window, ok := range map[int]bool{0: true, testContext: true, testContext - 1: false} {
		onThread(t)
		lib, err := drivertest.New(drivertest.Config{}).Library()
		if err != nil {
			t.Fatal(err)
		}
		b, err := OpenWith(lib, 0, Options{Deterministic: true})
		if err != nil {
			t.Fatal(err)
		}
		m, err := loadSmall(b)
		if err != nil {
			t.Fatal(err)
		}
		m.attention.Window = window
		if err := m.start(); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "window of 31 tokens") {
			t.Errorf("a window of %d tokens for contexts of %d: %v", window, testContext, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRun_ALostDeviceIsATypedError has the device fail as it does for a wild address, a fault in a kernel and a broken
// memory cell, at each call of a step.
func TestRun_ALostDeviceIsATypedError(t *testing.T) {
	for _, code := range []driver.Result{driver.IllegalAddress, driver.LaunchFailed, driver.ECCUncorrectable} {
		for _, call := range []string{"cuGraphLaunch", "cuEventRecord", "cuEventSynchronize"} {
			onThread(t)
			fake := drivertest.New(drivertest.Config{})
			m := startedOn(t, fake, Options{})
			var r backend.Result
			if err := m.step(decodeStep(2, 5), &r); err != nil {
				t.Fatal(err)
			}
			fake.FailCall(call, 1, code)
			err := m.step(decodeStep(2, 6), &r)
			if !errors.Is(err, code) || !driver.Sticky(err) {
				t.Errorf("%s fails with %d: the step gives %v, want an error that matches it and is sticky", call, code, err)
			}
			if again := m.step(decodeStep(2, 7), &r); !errors.Is(again, code) {
				t.Errorf("%s failed with %d: the next step gives %v, want the same code", call, code, again)
			}
			if err := m.b.Close(); !errors.Is(err, code) {
				t.Errorf("%s failed with %d: Close() = %v, want the same code", call, code, err)
			}
			fake.Check(t)
		}
	}
}

func TestRun_StepNIsCollectedWhileTheNextRuns(t *testing.T) {
	m, _ := started(t, Options{})
	var r backend.Result
	one, err := m.b.Begin(promptStep())
	if err == nil {
		err = m.b.Run(one, m.forward)
	}
	if err != nil {
		t.Fatal(err)
	}
	two, err := m.b.Begin(decodeStep(1, 5))
	if err == nil {
		err = m.b.Run(two, m.forward)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []*backend.Batch{one, two} {
		if err := m.b.Collect(batch, &r); err != nil {
			t.Errorf("Collect(step %d) = %v", batch.Ticket, err)
		}
		if err := m.b.Collect(batch, &r); err == nil {
			t.Errorf("step %d was collected twice", batch.Ticket)
		}
	}
}

func TestBegin_RefusesWhatKernelsCannotCheck(t *testing.T) {
	m, _ := started(t, Options{})
	for name, spoil := range map[string]func(*backend.Step){
		"a slot beyond the cache":         func(s *backend.Step) { s.Slots[1] = 64 },
		"a position beyond the context":   func(s *backend.Step) { s.Pos[0] = testContext },
		"a row beyond the table":          func(s *backend.Step) { s.Rows[0] = testRequests },
		"an id beyond the vocabulary":     func(s *backend.Step) { s.IDs[0] = testVocab },
		"a cached slot beyond the cache":  func(s *backend.Step) { s.Cached[0].Slot = 64 },
		"a sample of no token":            func(s *backend.Step) { s.Last[0] = 3 },
		"a mask that is not there":        func(s *backend.Step) { s.Sampling[0].Mask = 1 },
		"a bias that is not there":        func(s *backend.Step) { s.Sampling[0].Bias[1] = 1 },
		"too many alternatives":           func(s *backend.Step) { s.Sampling[0].Logprobs = 21 },
		"a start that leaves tokens out":  func(s *backend.Step) { s.Start[1] = 2 },
		"a context shorter than the step": func(s *backend.Step) { s.Context[0] = 2 },
		"a decode of three tokens":        func(s *backend.Step) { s.Decodes = 1 },
	} {
		s := promptStep()
		spoil(s)
		if _, err := m.b.Begin(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := m.b.Begin(promptStep()); err != nil {
		t.Errorf("a good step: %v", err)
	}
}

func TestLoad_NamesTheSourceThatDoesNotFit(t *testing.T) {
	m, _ := started(t, Options{})
	source := func(typ tensor.DType, bytes int, dims ...int) backend.Source {
		return backend.Source{Name: "blk.0.ffn_up", Type: typ, Dim: dims, Data: make([]byte, bytes)}
	}
	for _, c := range []struct {
		s    backend.Source
		want string
	}{
		{source(tensor.BF16, 100, 8, 8), "cannot load blk.0.ffn_up: 100 bytes, want 128 for bf16[8 8]"},
		{source(tensor.I8, 256, 1, 256), "cannot load blk.0.ffn_up: no kernel reads i8"},
		{source(tensor.Q8_0, 0, 4, 16), "cannot load blk.0.ffn_up: [4 16] does not divide into blocks of 32"},
		{source(tensor.BF16, 8, 4), "cannot load blk.0.ffn_up: it has 1 dimensions, want 2"},
		{source(tensor.BF16, 0, 0, 8), "cannot load blk.0.ffn_up: [0 8] is no shape"},
	} {
		if _, err := m.b.LoadLinear(c.s); err == nil || err.Error() != c.want {
			t.Errorf("LoadLinear() = %q, want %q", err, c.want)
		}
	}
}

func TestBuckets_AreNumberedWithoutGaps(t *testing.T) {
	next := 0
	for n := 1; n <= 300; n++ {
		size := bucket(n)
		if size < n || bucket(size) != size {
			t.Fatalf("bucket(%d) = %d", n, size)
		}
		if size == n {
			if got := bucketIndex(size); got != next {
				t.Errorf("bucketIndex(%d) = %d, want %d", size, got, next)
			}
			next++
		}
	}
}
