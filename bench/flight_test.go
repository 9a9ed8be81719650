package bench

import (
	"testing"
	"time"

	"github.com/weft-llm/weft/engine"
)

func TestDecodePhase_CountsGapsBetweenDecodesOnly(t *testing.T) {
	ms := time.Millisecond
	step := func(n uint64, prefill int32, began, ended, host time.Duration) engine.StepRecord {
		return engine.StepRecord{Step: n, Tokens: 4 + prefill, Decodes: 4, Prefill: prefill, Plan: host, Wait: time.Second, DeviceBegan: began, DeviceEnded: ended}
	}
	records := []engine.StepRecord{
		step(3, 9, 0, 50*ms, ms),
		step(4, 0, 60*ms, 68*ms, 2*ms), // behind a prefill: its gap does not count
		step(5, 0, 69*ms, 77*ms, 3*ms),
		step(6, 0, 80*ms, 88*ms, 4*ms),
		step(7, 1, 90*ms, 99*ms, 5*ms),
		step(9, 0, 200*ms, 208*ms, 6*ms),
	}
	got := DecodePhase(records)
	want := Flight{Steps: 4, HostP50: 4 * ms, HostP99: 6 * ms, Device: 8 * ms, Gap: 2 * ms, Idle: 0.2}
	if got != want {
		t.Errorf("DecodePhase = %+v, want %+v", got, want)
	}
	if rest := SinceStep(records, 6); len(rest) != 2 || rest[0].Step != 7 {
		t.Errorf("SinceStep(6) = %+v", rest)
	}
	if got := DecodePhase(nil); got != (Flight{}) {
		t.Errorf("DecodePhase of nothing = %+v", got)
	}
}
