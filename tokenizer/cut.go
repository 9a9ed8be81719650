package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// cutFinder finds out from the merges where a word without spaces, which for models without a pre-tokenizer (Gemma,
// Llama-2) is the whole text, falls apart: in front of each ▁ that no merge joins with the character before it.
type cutFinder struct {
	behind  []rune // characters that some merge joins with a following ▁
	nowhere bool
}

// maxNoCut is how many such characters are worth looking for.
const maxNoCut = 16

// merge takes note of one merge.
func (c *cutFinder) merge(left, right string) {
	if c.nowhere || !hasPrefixAt(right, 0, metaspace) {
		return
	}
	if _, stands := byteToken(left[max(0, len(left)-6):]); stands { // for a character that is not its last
		c.nowhere = true
		return
	}
	last, _ := utf8.DecodeLastRuneInString(left)
	if string(last) != metaspace && !slices.Contains(c.behind, last) {
		c.behind = append(c.behind, last)
		c.nowhere = len(c.behind) > maxNoCut
	}
}

// set applies what was found to m.
func (c *cutFinder) set(m *bpe) {
	if c.nowhere || m.vocab.byteLevel || m.prefix != "" || m.suffix != "" {
		return
	}
	if m.unk >= 0 { // it stands for any character, so it must not be joined with ▁ either
		last, _ := utf8.DecodeLastRune(m.vocab.text(m.unk))
		for id := range int32(len(m.vocab.where)) {
			if slices.Contains(c.behind, last) && m.pairs.get(m.unk, id) != noMerge {
				return
			}
		}
	}
	m.cut = metaspace
	m.noCut = append(c.behind, []rune(metaspace)[0])
}
