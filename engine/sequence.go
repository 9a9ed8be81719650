package engine

import (
	"time"

	"github.com/weft-llm/weft/kvcache"
)

// sequence is one request inside the engine. Only the engine goroutine touches it, but for gen, after Submit.
type sequence struct {
	req     Request
	gen     *Generation
	queued  time.Time
	expires time.Time // zero: never

	tokens   []int32       // prompt and output, as far as the host knows
	emitted  int           // output tokens, of which the reader was given all
	pending  int           // tokens sampled by steps under way, not yet known here
	computed int           // tokens in the cache, or put there by steps under way
	slots    []int32       // [computed]
	shared   int           // slots[:shared] are the tree's
	node     *kvcache.Node // where the shared prefix ends; locked
	row      int32         // of the page table; -1 while waiting
	ended    bool
	account  *account // nil but under FairShare

	sharedPrompt bool // share was called since it was admitted
	proved       int  // a token was drawn after slots[:proved]: nothing in them is a NaN
	admitted     bool // at least once
	sure         bool // counted in Engine.sure; guarded by its mu
}

// roomAhead is how many output tokens a request has memory for from the start; more make it grow.
const roomAhead = 4096

func newSequence(e *Engine, r Request, now time.Time) *sequence {
	s := &sequence{req: r, queued: now, row: -1}
	s.tokens = append(make([]int32, 0, len(r.Prompt)+min(r.MaxTokens, roomAhead)), r.Prompt...)
	if r.Timeout > 0 {
		s.expires = now.Add(r.Timeout)
	}
	s.gen = &Generation{engine: e, seq: s, ids: make([]int32, 0, 16), arrived: make(chan struct{}, 1)}
	return s
}

// known and under way: the length of the sequence once all steps launched so far are done.
func (s *sequence) length() int { return len(s.tokens) + s.pending }

// most returns how many slots the sequence may come to hold.
func (s *sequence) most() int { return len(s.req.Prompt) + s.req.MaxTokens }

// left returns how many tokens may still be sampled.
func (s *sequence) left() int { return s.req.MaxTokens - s.emitted - s.pending }

func (s *sequence) stops(id int32) bool {
	for _, stop := range s.req.Stop {
		if id == stop {
			return true
		}
	}
	return false
}
