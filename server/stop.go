package server

// stopper finds the first stop string in a text that comes in pieces, and holds back what may be the start of one. What
// it lets through does not depend on how the text was cut. One pass, a byte at a time (Knuth, Morris and Pratt 1977):
// the strings that end first win, the longest of them if several do.
type stopper struct {
	words []stopWord
	held  []byte // may be the start of a stop string
	keep  bool   // let the stop string itself through
}

type stopWord struct {
	text  string
	fall  []int16 // fall[i]: the longest proper prefix of text that text[:i+1] ends with
	state int     // bytes of text that the input ends with
}

func newStopper(words []string, keep bool) stopper {
	s := stopper{keep: keep, words: make([]stopWord, len(words))}
	for i, w := range words {
		s.words[i] = stopWord{text: w, fall: make([]int16, len(w))}
		for j, k := 1, 0; j < len(w); j++ {
			for k > 0 && w[j] != w[k] {
				k = int(s.words[i].fall[k-1])
			}
			if w[j] == w[k] {
				k++
			}
			s.words[i].fall[j] = int16(k)
		}
	}
	return s
}

// step takes one byte and returns the state.
func (w *stopWord) step(c byte) int {
	for w.state > 0 && (w.state == len(w.text) || w.text[w.state] != c) {
		w.state = int(w.fall[w.state-1])
	}
	if w.text[w.state] == c {
		w.state++
	}
	return w.state
}

// push appends to dst what of text can be let through, and reports whether a stop string ended the text.
func (s *stopper) push(dst []byte, text string) ([]byte, bool) {
	if len(s.words) == 0 || text == "" {
		return append(dst, text...), false
	}
	longest := 0
	for i := range len(text) {
		s.held = append(s.held, text[i])
		longest = 0
		found := 0
		for j := range s.words {
			w := &s.words[j]
			n := w.step(text[i])
			longest = max(longest, n)
			if n == len(w.text) {
				found = max(found, n)
			}
		}
		if found > 0 {
			cut := len(s.held) - found
			if s.keep {
				cut = len(s.held)
			}
			dst = append(dst, s.held[:cut]...)
			s.held = s.held[:0]
			return dst, true
		}
	}
	free := len(s.held) - longest
	dst = append(dst, s.held[:free]...)
	s.held = append(s.held[:0], s.held[free:]...)
	return dst, false
}

// flush appends what was held back, at the end of the text.
func (s *stopper) flush(dst []byte) []byte {
	dst = append(dst, s.held...)
	s.held = s.held[:0]
	return dst
}
