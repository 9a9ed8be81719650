package server

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/pipes"
)

// virtually runs f on a server in a bubble of testing/synctest, whose clock moves only when all of it waits.
func virtually(t *testing.T, play func(engine.Request) script, f func(*testing.T, *testServer), set ...func(*Options)) {
	t.Helper()
	startClock(t)
	synctest.Test(t, func(t *testing.T) { inBubble(t, play, f, set...) })
}

// inBubble is virtually for a test that is in a bubble already.
func inBubble(t *testing.T, play func(engine.Request) script, f func(*testing.T, *testServer), set ...func(*Options)) {
	t.Helper()
	network := pipes.New()
	t.Cleanup(func() { time.Sleep(15 * time.Second) }) // fasthttp's cleaner sleeps for ten before it sees that its server has ended
	f(t, startOn(t, network, network.Dial, play, set...))
}

var clock sync.Once

// startClock lets fasthttp start its clock, which it does once with the first answer of a process, outside of a bubble.
func startClock(t *testing.T) {
	t.Helper()
	clock.Do(func() {
		s := start(t, always(say("hello")))
		s.do(t, "GET", healthPath, "")
		_ = s.Drain(context.Background())
	})
}
