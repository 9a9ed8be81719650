package engine

import (
	"sync"
	"time"

	"github.com/weft-llm/weft/backend"
)

// StepRecord is what one step did and how long it took. Times without a length are since the engine started.
type StepRecord struct {
	Step     uint64 `json:"step"`     // counted from 1
	Tokens   int32  `json:"tokens"`   // computed
	Decodes  int32  `json:"decodes"`  // of these, one for each request that was generating
	Prefill  int32  `json:"prefill"`  // the others: of prompts
	Requests int32  `json:"requests"` // in the step
	Samples  int32  `json:"samples"`  // requests that got a token
	Admitted int32  `json:"admitted"` // requests that started with this step
	Paused   int32  `json:"paused"`   // requests paused since the step before, for want of slots
	Finished int32  `json:"finished"` // requests that ended since the step before landed
	Slots    int32  `json:"slots"`    // of the KV cache that running requests hold, after the step was planned

	Began  time.Duration `json:"began_ns"`  // when the host began with the step
	Plan   time.Duration `json:"plan_ns"`   // deciding, and moving slots
	Upload time.Duration `json:"upload_ns"` // backend.Begin
	Launch time.Duration `json:"launch_ns"` // backend.Run; 0 where it computes, which is the device's time
	Landed time.Duration `json:"landed_ns"` // when the host began to wait for the step
	Wait   time.Duration `json:"wait_ns"`   // backend.Collect
	Apply  time.Duration `json:"apply_ns"`  // handing out tokens

	// When the device worked, on a clock of its own: see backend.Timer. Both are 0 where an asynchronous backend does
	// not tell.
	DeviceBegan time.Duration `json:"device_began_ns"`
	DeviceEnded time.Duration `json:"device_ended_ns"`
}

// Host returns the time that the step took of the host: all but the wait.
func (r *StepRecord) Host() time.Duration { return r.Plan + r.Upload + r.Launch + r.Apply }

// Device returns the time that the device worked on the step.
func (r *StepRecord) Device() time.Duration { return r.DeviceEnded - r.DeviceBegan }

// Decode reports whether the step computed nothing but one token for each of its requests.
func (r *StepRecord) Decode() bool { return r.Tokens > 0 && r.Decodes == r.Tokens }

// recorder is the flight recorder: it keeps the last steps. Adding one allocates nothing.
type recorder struct {
	start time.Time

	mu     sync.Mutex
	ring   []StepRecord
	next   int
	full   bool
	flying []StepRecord // begun and not landed: at most two
}

func newRecorder(steps int) *recorder {
	return &recorder{start: time.Now(), ring: make([]StepRecord, steps), flying: make([]StepRecord, 0, 2)}
}

// fly takes a step that begins, or knows more of one that did.
func (r *recorder) fly(s *StepRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.flying); n > 0 && r.flying[n-1].Step == s.Step {
		r.flying[n-1] = *s
		return
	}
	r.flying = append(r.flying, *s)
}

// add takes a step that landed, the oldest of those that fly.
func (r *recorder) add(s *StepRecord) {
	r.mu.Lock()
	if len(r.flying) > 0 && r.flying[0].Step == s.Step {
		r.flying = append(r.flying[:0], r.flying[1:]...)
	}
	r.ring[r.next] = *s
	if r.next++; r.next == len(r.ring) {
		r.next, r.full = 0, true
	}
	r.mu.Unlock()
}

func (r *recorder) list() []StepRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []StepRecord
	if r.full {
		out = append(out, r.ring[r.next:]...)
	}
	return append(out, r.ring[:r.next]...)
}

// Flight returns the last steps, oldest first: at most Options.Flight.
func (e *Engine) Flight() []StepRecord { return e.loop.recorder.list() }

// Unlanded returns the steps whose samples are not known: those under way, and after a failure those that it may lie in.
func (e *Engine) Unlanded() []StepRecord {
	r := e.loop.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]StepRecord(nil), r.flying...)
}

// planned notes a step before anything of it is enqueued: should that fail, it is known what was tried.
func (l *loop) planned(f *flight, now time.Time) {
	s := &f.step
	f.record = StepRecord{
		Step: l.count.Steps + 1, Tokens: int32(len(s.IDs)), Decodes: int32(s.Decodes), Prefill: int32(len(s.IDs) - s.Decodes),
		Requests: int32(len(s.Rows)), Samples: int32(len(s.Last)), Admitted: int32(len(l.plan.Admit)),
		Paused: int32(l.count.Paused - l.recorded.paused),
		Slots:  int32(l.pool.Size() - l.pool.Free() - l.tree.Evictable()),
		Began:  l.turn.Sub(l.recorder.start), Plan: now.Sub(l.turn),
	}
	l.recorded.paused = l.count.Paused
	l.recorder.fly(&f.record)
}

// launched fills in what is known of f when it has been launched.
func (l *loop) launched(f *flight, planned, uploaded, now time.Time) {
	r := &f.record
	r.Upload, r.Launch = uploaded.Sub(planned), now.Sub(uploaded)
	if !l.async {
		r.DeviceBegan = uploaded.Sub(l.recorder.start)
		r.DeviceEnded = now.Sub(l.recorder.start)
		r.Launch = 0
	}
	l.recorder.fly(r)
}

// landed fills in the rest and keeps the record.
func (l *loop) landed(f *flight, waited, collected, now time.Time) error {
	r := &f.record
	r.Landed, r.Wait, r.Apply = waited.Sub(l.recorder.start), collected.Sub(waited), now.Sub(collected)
	r.Finished = int32(l.finished - l.recorded.finished)
	l.recorded.finished = l.finished
	var err error
	if l.timer != nil {
		r.DeviceBegan, r.DeviceEnded, err = l.timer.StepTime(f.batch)
	}
	l.recorder.add(r)
	l.pace.landed(r)
	return err
}

// timerOf returns b as a Timer, or nil.
func timerOf(b backend.Backend) backend.Timer {
	t, _ := b.(backend.Timer)
	return t
}
