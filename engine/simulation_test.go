package engine

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/scheduler"
)

var simulationSteps = flag.Int("simulation-steps", 100_000, "engine steps that the simulation takes")

// TestSimulation_LosesNothing plays random traffic on the engine's own loop, step by step in virtual time, without a
// goroutine or a clock: random sizes of cache, batch and step, policies, overlap, over-commitment, cancellations and
// deadlines. After each step every slot must be in exactly one place; at the end every request must have ended once,
// with exactly the tokens that it alone would have got.
func TestSimulation_LosesNothing(t *testing.T) {
	for seed, steps := uint64(1), 0; steps < *simulationSteps; seed++ {
		s := newSimulation(t, seed)
		s.play()
		steps += s.steps
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type simulation struct {
	t      *testing.T
	r      *rand.Rand
	seed   uint64
	l      *loop
	flying *flight
	now    time.Time
	all    []*sequence
	steps  int

	computed   int // tokens
	unverified bool
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	r := rand.New(rand.NewPCG(seed, 0))
	o := Options{
		MaxContext: 40 + r.IntN(160), MaxRequests: 1 + r.IntN(12), StepTokens: 1 + r.IntN(64),
		Queue: 1 << 20, Wait: time.Hour, Policy: scheduler.Policy(r.IntN(4)),
		NoCache: r.IntN(4) == 0, NoOverlap: r.IntN(2) == 0, Expect: []int{0, ExpectAll, 1 + r.IntN(10)}[r.IntN(3)], PauseEvery: r.IntN(3) * (2 + r.IntN(20)),
	}
	o.KVTokens = o.MaxContext + r.IntN(4*o.MaxContext)
	e := newEngine(o)
	if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return &simulation{t: t, r: r, seed: seed, l: e.loop, now: time.Unix(0, 0)}
}

// mostIdle is how many steps may pass without a token: a context of 200 computed one by one, and computed again
// because of a pause.
const mostIdle = 1000

// play submits traffic for a while, then lets everything end.
func (s *simulation) play() {
	arrivals := 5 + s.r.IntN(60)
	for idle := 0; len(s.all) < arrivals || s.busy(); {
		if len(s.all) < arrivals && s.r.IntN(3) == 0 {
			s.submit()
		}
		s.interfere()
		before := s.l.count.OutputTokens
		s.step()
		if s.l.count.OutputTokens > before || !s.busy() {
			idle = 0
		} else if idle++; idle > mostIdle {
			s.t.Errorf("seed %d: nothing moves after step %d: %d running, %d waiting", s.seed, s.steps, len(s.l.running), len(s.l.waiting))
			return
		}
	}
	s.check()
}

func (s *simulation) busy() bool {
	return s.flying != nil || len(s.l.running)+len(s.l.waiting)+len(s.l.e.inbox) > 0
}

func (s *simulation) submit() {
	e := s.l.e
	limit := e.Limit()
	prompt := randomPrompt(s.r, limit-1)
	if len(s.all) > 0 && s.r.IntN(3) == 0 { // a sample of an earlier one's prompt, or of its beginning
		earlier := s.all[s.r.IntN(len(s.all))].req.Prompt
		prompt = earlier[:1+s.r.IntN(len(earlier))]
	}
	r := request(prompt, 1+s.r.IntN(limit-len(prompt)))
	r.Priority, r.Key = s.r.IntN(3), string(rune('a'+s.r.IntN(3)))
	if s.r.IntN(4) == 0 {
		r.CacheSalt = "tenant"
	}
	if s.r.IntN(20) == 0 {
		r.Timeout = time.Duration(1+s.r.IntN(50)) * time.Millisecond
	}
	s.add(r)
}

func (s *simulation) add(r Request) {
	q := newSequence(s.l.e, r, s.now)
	s.l.e.live[q] = struct{}{}
	s.l.e.inbox = append(s.l.e.inbox, q)
	s.all = append(s.all, q)
}

// interfere cancels a request now and then, wherever it is.
func (s *simulation) interfere() {
	if len(s.all) > 0 && s.r.IntN(15) == 0 {
		s.all[s.r.IntN(len(s.all))].gen.Cancel()
	}
}

// step is one turn of loop.run, with a cost model instead of a clock.
func (s *simulation) step() {
	l := s.l
	l.takeInbox()
	l.expire(s.now)
	next, err := l.launch()
	if err == nil && s.flying != nil {
		err = l.land(s.flying)
	}
	s.flying = next
	if err == nil && next != nil && !l.overlap {
		s.flying, err = nil, l.land(next)
	}
	if err != nil {
		s.t.Fatalf("seed %d, step %d: %v", s.seed, s.steps, err)
	}
	if !s.unverified {
		l.verify()
	}
	if next != nil {
		s.computed += len(next.step.IDs)
		s.now = s.now.Add(time.Millisecond + time.Duration(len(next.step.IDs))*10*time.Microsecond)
	}
	s.steps++
}

// check compares every request with what it alone would have got.
func (s *simulation) check() {
	for i, q := range s.all {
		want := chainOutput(q.req.Prompt, q.req.MaxTokens, vocab)
		got := q.gen.ids
		whole := q.gen.finish == Length && len(got) == len(want)
		cut := (q.gen.finish == Cancelled || q.gen.err == ErrDeadline) && len(got) <= len(want)
		if !(whole || cut) || !slices.Equal(got, want[:len(got)]) {
			s.t.Errorf("seed %d, request %d: finish %d, %v: %d tokens of %d, or others than it should have",
				s.seed, i, q.gen.finish, q.gen.err, len(got), len(want))
		}
	}
	if e := s.l.e; len(e.live)+e.admitted+e.sure+e.promised != 0 || len(s.l.rows) != e.opts.MaxRequests || s.l.pool.Free()+s.l.tree.Size() != e.slots || s.l.tree.Locked() != 0 {
		s.t.Errorf("seed %d: at the end %d requests, %d rows, %d slots free, %d in the tree of which %d locked",
			s.seed, len(e.live), len(s.l.rows), s.l.pool.Free(), s.l.tree.Size(), s.l.tree.Locked())
	}
}
