package tokenizer

const (
	smallWord  = 40   // up to here the lowest rank is found by looking at all pairs
	wordWindow = 1024 // words with more symbols are merged a window at a time
)

// merge joins the symbols of a word and appends the tokens to e.ids. syms is scratch.
func (m *bpe) merge(e *encoder, syms []int32) {
	switch n := len(syms); {
	case n <= smallWord:
		e.ids = append(e.ids, m.mergeSmall(e, syms)...)
	case n <= wordWindow:
		m.mergeHeap(e, syms)
		e.ids = append(e.ids, e.heap.tokens...)
	default:
		m.mergeLong(e, syms)
	}
}

// mergeSmall joins syms in place and returns what is left of it. O(n²), and the fastest way for short words.
func (m *bpe) mergeSmall(e *encoder, syms []int32) []int32 {
	if len(syms) < 2 {
		return syms
	}
	merges := e.merges[:0] // merges[i] is that of syms[i] with syms[i+1]
	for i := range len(syms) - 1 {
		merges = append(merges, m.pairs.get(syms[i], syms[i+1]))
	}
	for len(merges) > 0 {
		best, at := noMerge, 0
		for i, c := range merges {
			if c>>32 < best>>32 {
				best, at = c, i
			}
		}
		if best == noMerge {
			break
		}
		syms[at] = best.id()
		syms = append(syms[:at+1], syms[at+2:]...)
		merges = append(merges[:at], merges[at+1:]...)
		if at > 0 {
			merges[at-1] = m.pairs.get(syms[at-1], syms[at])
		}
		if at < len(merges) {
			merges[at] = m.pairs.get(syms[at], syms[at+1])
		}
	}
	e.merges = merges[:0]
	return syms
}

// mergeLong encodes a word of any length in linear time and with scratch memory of a window.
//
// It rests on this: a way to cut a word into tokens is the encoding of the word if, and only if, every two neighbours
// encode, alone, to just those two. (If: look at the first merge of the whole run that reaches over a boundary. Until
// then the run, seen between the two outer boundaries of the neighbours, did what it does on them alone, for the merge
// that is first in the word is first among those between the boundaries; so the merge would happen there too. Only
// if: by the same argument.) Thus encodings of windows can be put together wherever the tokens at the seam agree.
func (m *bpe) mergeLong(e *encoder, syms []int32) {
	first := len(e.ids)
	e.starts = e.starts[:0] // where each token since first begins
	window := wordWindow
	for pos := 0; pos < len(syms); {
		end := min(pos+window, len(syms))
		m.mergeHeap(e, syms[pos:end])
		tokens, lens := e.heap.tokens, e.heap.lens
		keep := len(tokens)
		if end < len(syms) { // tokens near a window's end may differ from those of the word
			keep = countWithin(lens, window*3/4)
		}
		last := len(e.ids) - 1
		if keep == 0 || last >= first && !m.agree(e, syms[e.starts[last-first]:pos+int(lens[0])], e.ids[last], tokens[0]) {
			window *= 2 // in the end the window is the whole word, and nothing needs to agree
			if last >= first {
				pos = int(e.starts[last-first])
				e.ids, e.starts = e.ids[:last], e.starts[:last-first]
			}
			continue
		}
		for i, id := range tokens[:keep] {
			e.ids = append(e.ids, id)
			e.starts = append(e.starts, uint32(pos))
			pos += int(lens[i])
		}
		window = wordWindow
	}
}

// countWithin returns how many of the first tokens cover at most limit symbols.
func countWithin(lens []uint32, limit int) int {
	sum := 0
	for i, n := range lens {
		if sum += int(n); sum > limit {
			return i
		}
	}
	return len(lens)
}

// agree reports whether syms encodes to exactly left and right.
func (m *bpe) agree(e *encoder, syms []int32, left, right int32) bool {
	e.seam = append(e.seam[:0], syms...)
	tokens := m.mergeAny(e, e.seam)
	return len(tokens) == 2 && tokens[0] == left && tokens[1] == right
}

func (m *bpe) mergeAny(e *encoder, syms []int32) []int32 {
	if len(syms) <= smallWord {
		return m.mergeSmall(e, syms)
	}
	tokens, lens := e.heap.tokens, e.heap.lens
	e.heap.tokens, e.heap.lens = nil, nil
	m.mergeHeap(e, syms)
	out := e.heap.tokens
	e.heap.tokens, e.heap.lens = tokens, lens
	return out
}
