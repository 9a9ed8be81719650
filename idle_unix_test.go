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

// TestServer_IdleUsesNoProcessor looks at a server that has answered and waits, with a client still connected.
func TestServer_IdleUsesNoProcessor(t *testing.T) {
	m := open(t, weft.Options{})
	url := listen(t, m)
	if text := stream(t, url, "hello"); text == "" {
		t.Fatal("no answer")
	}
	defer http.DefaultClient.CloseIdleConnections()
	time.Sleep(50 * time.Millisecond)
	steps := m.Engine().Stats().Steps
	const watched = time.Second
	cpuBefore, sleepsBefore := used(t)
	time.Sleep(watched)
	cpu, sleeps := used(t)
	cpu, sleeps = cpu-cpuBefore, sleeps-sleepsBefore
	t.Logf("in %v an idle server used %v of the processor, and its threads went to sleep %d times", watched, cpu, sleeps)
	if cpu > watched/50 {
		t.Errorf("that is more than 2 %% of the processor")
	}
	if sleeps > 50 { // each timer that fires wakes a thread, which sleeps again
		t.Errorf("that is more than the few timers of an idle server")
	}
	if n := m.Engine().Stats().Steps; n != steps {
		t.Errorf("an idle engine made %d steps", n-steps)
	}
}
