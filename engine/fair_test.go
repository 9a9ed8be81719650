package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/weft-llm/weft/scheduler"
)

// TestFairShare_AGreedyKeyDoesNotStarveAnother: one key queues fifty requests, then another comes with five.
func TestFairShare_AGreedyKeyDoesNotStarveAnother(t *testing.T) {
	last := func(policy scheduler.Policy) (modest int) {
		e := newEngine(Options{MaxRequests: 2, KVTokens: 400, MaxContext: 100, StepTokens: 64, Policy: policy, Queue: 1000, Wait: time.Hour})
		if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
			t.Fatal(err)
		}
		s := &simulation{t: t, l: e.loop, now: time.Unix(0, 0)}
		for i := range 55 {
			r := request([]int32{int32(i), 1, 2}, 20)
			if r.Key = "greedy"; i >= 50 {
				r.Key = "modest"
			}
			s.add(r)
		}
		for s.busy() {
			s.step()
			left := 0
			for _, q := range s.all[50:] {
				if !q.ended {
					left++
				}
			}
			if left > 0 {
				modest = s.steps
			}
		}
		if n := e.loop.accounts["greedy"]; policy == scheduler.FairShare && n.live != 0 {
			t.Errorf("%d requests are counted at the end", n.live)
		}
		return modest
	}
	fcfs, fair := last(scheduler.FCFS), last(scheduler.FairShare)
	t.Logf("the modest key is done after %d steps, %d by arrival", fair, fcfs)
	if fair > fcfs/3 {
		t.Errorf("the modest key is done after %d steps, by arrival after %d: want a third", fair, fcfs)
	}
}

func TestFairShare_StayingAwaySavesUpNothing(t *testing.T) {
	a := accounts{}
	busy := a.open("busy")
	busy.served = 1000
	if late := a.open("late"); late.served != 1000 {
		t.Errorf("a key that comes late begins at %d, want 1000", late.served)
	}
	busy.served = 5000
	a.close(busy)
	if busy = a.open("busy"); busy.served != 5000 {
		t.Errorf("a key that left for a moment begins at %d, want its own 5000", busy.served)
	}
}

func TestFairShare_KeysAreBounded(t *testing.T) {
	a := accounts{}
	for i := range 3 * idleAccounts {
		a.close(a.open(fmt.Sprint(i)))
	}
	if len(a) > idleAccounts {
		t.Errorf("%d keys are remembered, want %d at most", len(a), idleAccounts)
	}
}
