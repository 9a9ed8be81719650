package cuda

import (
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
)

// TestStepTime_IntervalsFollowEachOther times steps of which two are under way at a time, as the engine runs them.
func TestStepTime_IntervalsFollowEachOther(t *testing.T) {
	m, _ := started(t, Options{})
	var r backend.Result
	var flying *backend.Batch
	var last time.Duration
	start := time.Now()
	for i := range 12 {
		next, err := m.b.Begin(decodeStep(2, int32(5+i)))
		if err == nil {
			err = m.b.Run(next, m.forward)
		}
		if err == nil && flying != nil {
			err = m.b.Collect(flying, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		if flying != nil {
			began, ended, err := m.b.StepTime(flying)
			if err != nil || began < last || ended <= began {
				t.Errorf("step %d: from %v to %v, %v, the one before ended at %v", flying.Ticket, began, ended, err, last)
			}
			last = ended
		}
		flying = next
	}
	if took := time.Since(start); last > took+time.Millisecond {
		t.Errorf("eleven steps took %v of the device within %v", last, took)
	}
	if err := m.b.Collect(flying, &r); err != nil {
		t.Fatal(err)
	}
}
