//go:build !race

package engine

import (
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// TestStep_DecodeAllocatesNothing counts every allocation of the process while 256 requests decode and are read: those
// of planning, the flight recorder, the hand-over of tokens and the readers.
func TestStep_DecodeAllocatesNothing(t *testing.T) {
	d := startDecoding(t, 256)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties caches of the runtime's own
	for range 50 {
		d.step(t)
		d.settle()
	}
	const steps = 500
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range steps {
		d.step(t)
		d.settle()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > steps/20 { // the runtime itself makes a few, for goroutines that wait
		t.Errorf("%d decode steps made %d allocations, want 0", steps, n)
	}
	var host []time.Duration
	for _, r := range d.l.recorder.list() {
		host = append(host, r.Host())
	}
	slices.Sort(host)
	t.Logf("host work of a decode step of 256 requests: median %v, p99 %v", host[len(host)/2], host[len(host)*99/100])
	if best := host[len(host)/10]; best > 100*time.Microsecond { // the tenth that other processes disturbed least
		t.Errorf("the fastest tenth of the steps takes %v of the host, want 100 µs or less", best)
	}
	d.stop()
}
