//go:build !race

package engine

import (
	"math"
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
	const steps, most = 500, 500 / 20 // the runtime itself makes a few, for goroutines that wait
	fewest := uint64(math.MaxUint64)
	for range 5 { // more of them where goroutines are moved between cores; those of a step come every time
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range steps {
			d.step(t)
			d.settle()
		}
		runtime.ReadMemStats(&after)
		if fewest = min(fewest, after.Mallocs-before.Mallocs); fewest <= most {
			break
		}
	}
	if fewest > most {
		t.Errorf("%d decode steps made %d allocations, want 0", steps, fewest)
	}
	var host []time.Duration
	for _, r := range d.l.recorder.list() {
		host = append(host, r.Host())
	}
	slices.Sort(host)
	t.Logf("host work of a decode step of 256 requests: fastest tenth %v, median %v, p99 %v", host[len(host)/10], host[len(host)/2], host[len(host)*99/100])
	d.stop()
}
