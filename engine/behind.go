package engine

import "github.com/weft-llm/weft/scheduler"

// worthWaiting is the least number of prompt tokens for whose sake a request waits until another has computed them: a
// few are computed faster than they are waited for.
const worthWaiting = 32

// holdBack marks waiting requests that share a long prefix with a request that computes it just now, or with one that
// would in the same step: n samples of one prompt compute it once. candidates are described and looked up in the tree.
func (l *loop) holdBack(candidates []scheduler.Sequence) {
	if l.e.opts.NoCache || len(candidates) == 0 {
		return
	}
	l.computing, l.leading = l.computing[:0], l.leading[:0]
	for _, s := range l.running {
		if !s.sharedPrompt && s.emitted+s.pending < 2 { // else it will not put its prompt into the tree any more
			l.computing = append(l.computing, s)
		}
	}
	for i := range candidates {
		q, s := &candidates[i], l.waiting[i]
		for _, other := range l.computing {
			if saves(s, q.Computed, other) {
				q.Behind = true
				break
			}
		}
		for _, j := range l.leading {
			if q.Behind || q.After > 0 {
				break
			}
			if saves(s, q.Computed, l.waiting[j]) {
				q.After = j + 1
			}
		}
		if !q.Behind && q.After == 0 {
			l.leading = append(l.leading, i)
		}
	}
}

// saves reports whether s, of which the tree has the first cached tokens, would find enough more once other has
// computed its prompt.
func saves(s *sequence, cached int, other *sequence) bool {
	a, b := s.reusable(), other.tokens
	n := cached + worthWaiting
	if len(a) < n || len(b) < n || a[n-1] != b[n-1] || s.req.CacheSalt != other.req.CacheSalt {
		return false
	}
	for i := n - 2; i >= 0; i-- {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
