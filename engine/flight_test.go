package engine

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
)

func TestFlight_RemembersTheLastStepsInOrder(t *testing.T) {
	r := newRecorder(4)
	for step := range uint64(11) {
		r.add(&StepRecord{Step: step + 1})
		var got, want []uint64
		for _, s := range r.list() {
			got = append(got, s.Step)
		}
		for s := max(step+1, 4) - 3; s <= step+1; s++ {
			want = append(want, s)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after step %d the recorder holds %v, want %v", step+1, got, want)
		}
	}
}

// timed is a chain whose device takes 3 ms for a step, with 1 ms between steps.
type timed struct {
	chain
	now time.Duration
}

func (b *timed) StepTime(*backend.Batch) (began, ended time.Duration, err error) {
	b.now += 4 * time.Millisecond
	return b.now - 3*time.Millisecond, b.now, nil
}

func TestFlight_AddsUpToWhatTheEngineDid(t *testing.T) {
	b := &timed{chain: chain{async: true, vocab: vocab}}
	e, err := Start(Options{MaxRequests: 3, KVTokens: 250, Expect: 1, StepTokens: 20, Verify: true},
		func() (backend.Backend, Model, error) { return b, chainModel{vocab, 200}, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const n = 20
	for i := range n {
		g, err := e.Submit(request(slices.Repeat([]int32{int32(i)}, 30+i), 60))
		if err != nil {
			t.Fatal(err)
		}
		defer collect(g)
	}
	waitFor(t, func() bool { // a step that was launched before the last token came lands after it
		s := e.Stats()
		return s.Running+s.Waiting == 0 && s.OutputTokens == n*60 && uint64(len(e.Flight())) == s.Steps
	})
	var got StepRecord
	steps := e.Flight()
	for i, r := range steps {
		if r.Step != uint64(i+1) || r.Tokens != r.Decodes+r.Prefill || r.Decode() != (r.Prefill == 0) {
			t.Fatalf("record %d is %+v", i, r)
		}
		if r.Plan <= 0 || r.Landed < r.Began || r.Device() != 3*time.Millisecond {
			t.Errorf("record %d has times %+v", i, r)
		}
		got.Tokens += r.Tokens
		got.Samples += r.Samples
		got.Admitted += r.Admitted
		got.Paused += r.Paused
		got.Finished += r.Finished
	}
	s := e.Stats()
	if uint64(len(steps)) != s.Steps || got.Samples < n*60 || got.Finished != n || uint64(got.Paused) != s.Paused ||
		s.Paused == 0 || uint64(got.Admitted) != n+s.Paused || uint64(got.Tokens) < s.PromptTokens+n*59 {
		t.Errorf("%d records add up to %+v, the engine says %+v", len(steps), got, s)
	}
}

func TestWriteTrace_IsJSONWithTheDeviceBeforeItsReader(t *testing.T) {
	ms := time.Millisecond
	steps := []StepRecord{
		{Step: 1, Tokens: 5, Prefill: 5, Plan: ms, Upload: ms, Launch: ms, Landed: 4 * ms, Wait: 6 * ms, Apply: ms,
			DeviceBegan: 100 * ms, DeviceEnded: 106 * ms},
		{Step: 2, Tokens: 1, Decodes: 1, Began: 11 * ms, Plan: ms, Landed: 14 * ms, Wait: 9 * ms, Apply: ms,
			DeviceBegan: 107 * ms, DeviceEnded: 117 * ms},
	}
	var out bytes.Buffer
	if err := WriteTrace(&out, steps); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		TraceEvents []struct {
			Ph, Name string
			Tid      int
			Ts, Dur  float64
			Args     struct{ Step int }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	ready := map[int]float64{}
	read := map[int]float64{}
	names := 0
	for _, e := range doc.TraceEvents {
		if e.Ph != "X" {
			continue
		}
		names++
		if e.Tid == deviceLane {
			ready[e.Args.Step] = e.Ts + e.Dur
		}
		if e.Name == "wait" {
			read[e.Args.Step] = e.Ts + e.Dur
		}
	}
	if names != 10 || ready[1] != 10_000 || ready[2] != 21_000 || ready[1] > read[1] || ready[2] > read[2] {
		t.Errorf("%d slices; results ready at %v µs and read at %v: %s", names, ready, read, out.Bytes())
	}
}
