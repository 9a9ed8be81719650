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
	const quick = 100 * time.Microsecond
	fewest, best := uint64(math.MaxUint64), time.Hour
	// More allocations come where goroutines are moved between cores, and more time where others use them: what a step
	// itself needs comes in every round.
	for round := 0; round < 5 && (fewest > most || best > quick); round++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range steps {
			d.step(t)
			d.settle()
		}
		runtime.ReadMemStats(&after)
		fewest = min(fewest, after.Mallocs-before.Mallocs)
		var host []time.Duration
		all := d.l.recorder.list()
		for _, r := range all[max(0, len(all)-steps):] {
			host = append(host, r.Host())
		}
		slices.Sort(host)
		best = min(best, host[len(host)/10]) // the tenth that other processes disturbed least
		t.Logf("host work of a decode step of 256 requests: fastest tenth %v, median %v, p99 %v", host[len(host)/10], host[len(host)/2], host[len(host)*99/100])
	}
	if fewest > most {
		t.Errorf("%d decode steps made %d allocations, want 0", steps, fewest)
	}
	if best > quick {
		t.Errorf("the fastest tenth of the steps takes %v of the host, want %v or less", best, quick)
	}
	d.stop()
}
