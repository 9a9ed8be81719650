//go:build unix

package weft_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/weft-llm/weft"
)

// used returns what this process has used of the processor, and how often its threads went to sleep.
func used(t *testing.T) (cpu time.Duration, sleeps int64) {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Nvcsw)
}

// TestServer_IdleUsesNoProcessor looks at a server that has answered and waits, with a client still connected. What tests
// before this one left behind may need the processor for a while, and a busy machine runs it late: a server that keeps
// itself busy does so in every second of half a minute.
func TestServer_IdleUsesNoProcessor(t *testing.T) {
	m := open(t, weft.Options{})
	url := listen(t, m)
	if text := stream(t, url, "hello"); text == "" {
		t.Fatal("no answer")
	}
	defer http.DefaultClient.CloseIdleConnections()
	waitIdle(t, m)
	steps := m.Engine().Stats().Steps
	const watched = time.Second
	idle := false
	for range 30 {
		cpuBefore, sleepsBefore := used(t)
		time.Sleep(watched)
		cpu, sleeps := used(t)
		cpu, sleeps = cpu-cpuBefore, sleeps-sleepsBefore
		t.Logf("in %v an idle server used %v of the processor, and its threads went to sleep %d times", watched, cpu, sleeps)
		// Each timer that fires wakes a thread, which sleeps again.
		if idle = cpu <= watched/50 && sleeps <= 50; idle {
			break
		}
	}
	if !idle {
		t.Error("that is more than 2 % of the processor, or more than the few timers of an idle server, every time")
	}
	if n := m.Engine().Stats().Steps; n != steps {
		t.Errorf("an idle engine made %d steps", n-steps)
	}
}
