package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// workload is a queue of requests that may all generate 150 tokens. stops is how many of the vocabulary's tokens end
// an answer, so that it has vocab/stops tokens on average; it may change on the way.
func workload(t *testing.T, expect int, stops func(i int) int) (s *simulation, e *Engine) {
	t.Helper()
	e = newEngine(Options{MaxRequests: 32, KVTokens: 1200, StepTokens: 128, MaxContext: 200, Expect: expect, Queue: 1 << 20, Wait: time.Hour})
	if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
		t.Fatal(err)
	}
	s = &simulation{t: t, l: e.loop, now: time.Unix(0, 0), unverified: true}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 600 {
		q := request(nil, 150)
		for range 10 + r.IntN(30) {
			q.Prompt = append(q.Prompt, r.Int32N(vocab))
		}
		for id := range stops(i) {
			q.Stop = append(q.Stop, int32(id))
		}
		s.add(q)
	}
	for s.busy() {
		s.step()
	}
	return s, e
}

// TestExpect_FillsTheCacheAndLosesNothing compares the time that a queue takes when requests are expected to
// generate all they may, and when they are expected to do as recent ones did.
func TestExpect_FillsTheCacheAndLosesNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		stops func(i int) int
		gain  float64 // in time, at least
	}{
		{"short answers", func(int) int { return 5 }, 1.5},
		{"middling answers", func(int) int { return 1 }, 1.1},
		{"all they may", func(int) int { return 0 }, 0.97},
		{"short ones, then long ones", func(i int) int { return 5 * (1 - min(1, i/300)) }, 1},
		{"long ones, then short ones", func(i int) int { return 5 * min(1, i/300) }, 0.97},
		{"short and long mixed", func(i int) int { return 5 * (i % 2) }, 0.97},
	} {
		all, _ := workload(t, ExpectAll, c.stops)
		recent, e := workload(t, 0, c.stops)
		gain := all.now.Sub(time.Unix(0, 0)).Seconds() / recent.now.Sub(time.Unix(0, 0)).Seconds()
		n := e.loop.count
		t.Logf("%s: %.2f times as fast (%d steps instead of %d), %d pauses, %d tokens computed again", c.name, gain, recent.steps, all.steps, n.Paused,
			recent.computed-all.computed)
		if gain < c.gain {
			t.Errorf("%s: %.2f times as fast, want %.2f", c.name, gain, c.gain)
		}
		for i, q := range recent.all {
			if !slices.Equal(q.gen.ids, all.all[i].gen.ids) || q.gen.finish != all.all[i].gen.finish {
				t.Fatalf("%s: request %d differs", c.name, i)
			}
		}
	}
}

func TestLengths_OutlookIsOfThoseThatGotAsFar(t *testing.T) {
	var h lengths
	if got := h.outlook(0); got != 0 {
		t.Errorf("without a history the outlook is %d, want 0", got)
	}
	for i := range 2 * recentLengths { // 900 to 999 and 0 to 99 in turns; the first ones are forgotten
		h.add(i%100 + 900*(i%2))
	}
	for done, want := range map[int]int{0: 929, 89: 872, 950: 33, 990: 0} {
		if got := h.outlook(done); got != want {
			t.Errorf("the outlook after %d tokens is %d, want %d", done, got, want)
		}
	}
	if len(h.sorted) != recentLengths || !slices.IsSorted(h.sorted) {
		t.Errorf("%d lengths are kept, want %d", len(h.sorted), recentLengths)
	}
	if n := testing.AllocsPerRun(100, func() { h.add(7); h.outlook(3) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
