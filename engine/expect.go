package engine

import "slices"

// ExpectAll as Options.Expect means: all that it may. Then no request is ever paused.
const ExpectAll = -1

// Requests generate far fewer tokens than they may: admitting by the limit leaves most of the cache empty. The outlook
// on a request is the tokens that most of the recent requests generated which got as far as it has (the "past" of the
// past-future scheduler, Gong et al. 2025, arXiv:2507.10150).
const (
	recentLengths = 512  // outputs that are remembered
	fewLengths    = 32   // of these, as many must have got as far; with fewer, the limit is what is expected
	outlookShare  = 0.65 // of them that end no later than is expected; TestExpect compares
)

// lengths are the output lengths of recent requests.
type lengths struct {
	ring   [recentLengths]int // in the order of their ends
	next   int
	sorted []int // the same, ascending
}

// add takes the length of a request that ended.
func (h *lengths) add(n int) {
	if len(h.sorted) == recentLengths {
		i, _ := slices.BinarySearch(h.sorted, h.ring[h.next])
		h.sorted = slices.Delete(h.sorted, i, i+1)
	} else if h.sorted == nil {
		h.sorted = make([]int, 0, recentLengths)
	}
	i, _ := slices.BinarySearch(h.sorted, n)
	h.sorted = slices.Insert(h.sorted, i, n)
	h.ring[h.next] = n
	h.next = (h.next + 1) % recentLengths
}

// outlook returns how many more tokens a request that has done some will generate; 0: nobody knows.
func (h *lengths) outlook(done int) int {
	i, _ := slices.BinarySearch(h.sorted, done+1)
	longer := h.sorted[i:]
	if len(longer) < fewLengths {
		return 0
	}
	return longer[int(outlookShare*float64(len(longer)))] - done
}

// expect returns how many more tokens s is expected to generate; 0: all it may.
func (l *loop) expect(s *sequence) int {
	done := s.emitted + s.pending
	switch most := l.e.opts.Expect; {
	case most == ExpectAll:
		return 0
	case most > 0:
		return max(most-done, most/4, 1)
	}
	return l.lengths.outlook(done)
}
