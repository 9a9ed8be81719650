package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/scheduler"
)

// outcome is what a policy made of a workload, in virtual time.
type outcome struct {
	total    time.Duration
	computed int                        // tokens
	first    map[string][]time.Duration // until the first token, by key
}

// playPolicy runs a queue of requests in virtual time: groups with a prompt of their own in front, in turns, in a cache
// that holds two of these; a greedy key with most of the requests and a modest one; a tenth has a high priority.
func playPolicy(t *testing.T, p scheduler.Policy) outcome {
	t.Helper()
	const groups, n = 6, 240
	e := newEngine(Options{MaxRequests: 4, KVTokens: 420, StepTokens: 64, MaxContext: 200, Policy: p, Queue: 1 << 20, Wait: time.Hour})
	if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
		t.Fatal(err)
	}
	s := &simulation{t: t, l: e.loop, now: time.Unix(0, 0)}
	r := rand.New(rand.NewPCG(6, 6))
	var shared [groups][]int32
	for i := range shared {
		for range 100 {
			shared[i] = append(shared[i], r.Int32N(vocab))
		}
	}
	for i := range n {
		q := request(append(slices.Clone(shared[i%groups]), r.Int32N(vocab), r.Int32N(vocab)), 4+r.IntN(8))
		q.Key = "greedy"
		if i%10 == 9 {
			q.Key, q.Priority = "modest", 1
		}
		s.add(q)
	}
	out := outcome{first: map[string][]time.Duration{}}
	waiting := slices.Clone(s.all)
	for s.busy() {
		s.step()
		waiting = slices.DeleteFunc(waiting, func(q *sequence) bool {
			if q.emitted > 0 {
				out.first[q.req.Key] = append(out.first[q.req.Key], s.now.Sub(time.Unix(0, 0)))
			}
			return q.emitted > 0
		})
	}
	s.check()
	out.total, out.computed = s.now.Sub(time.Unix(0, 0)), s.computed
	for _, times := range out.first {
		slices.Sort(times)
	}
	return out
}

// TestPolicies_DoWhatTheyAreFor compares the policies on one workload, with the simulation's cost model.
func TestPolicies_DoWhatTheyAreFor(t *testing.T) {
	names := map[scheduler.Policy]string{scheduler.FCFS: "fcfs", scheduler.LongestPrefix: "lpm", scheduler.ByPriority: "priority", scheduler.FairShare: "fair"}
	of := map[scheduler.Policy]outcome{}
	for p := range scheduler.Policy(len(names)) {
		o := playPolicy(t, p)
		of[p] = o
		greedy, modest := o.first["greedy"], o.first["modest"]
		t.Logf("%-8s %v in all, %d tokens computed; first token p50 and max: greedy key %v %v, modest key with priority %v %v", names[p], o.total, o.computed,
			greedy[len(greedy)/2], greedy[len(greedy)-1], modest[len(modest)/2], modest[len(modest)-1])
	}
	fcfs, lpm := of[scheduler.FCFS], of[scheduler.LongestPrefix]
	if 2*lpm.computed > fcfs.computed || lpm.total > fcfs.total*3/4 {
		t.Errorf("lpm computes %d tokens in %v, fcfs %d in %v: want less than half, and three quarters of the time", lpm.computed, lpm.total, fcfs.computed, fcfs.total)
	}
	for _, p := range []scheduler.Policy{scheduler.ByPriority, scheduler.FairShare} {
		modest, before := of[p].first["modest"], fcfs.first["modest"]
		if last := modest[len(modest)-1]; last > before[len(before)-1]/3 {
			t.Errorf("%s: the modest key has its last first token at %v, fcfs at %v: want a third at most", names[p], last, before[len(before)-1])
		}
		if of[p].total > fcfs.total*5/4 {
			t.Errorf("%s takes %v in all, fcfs %v", names[p], of[p].total, fcfs.total)
		}
	}
}
