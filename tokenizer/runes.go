package tokenizer

import (
	"sort"
	"strings"
	"unicode"
)

// runeRanges is a set of characters: first and last of each range, in order.
type runeRanges []rune

func (s runeRanges) has(r rune) bool {
	i := sort.Search(len(s)/2, func(i int) bool { return s[2*i+1] >= r })
	return i < len(s)/2 && s[2*i] <= r
}

// isWordRune is \w of the reference's own patterns: alphabetic, mark, decimal digit, connector, join control. Circled
// letters are alphabetic though their category is not.
func isWordRune(r rune) bool {
	if r < 128 {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	const word = catL | catM | catNd | catNl | catPc
	return word.has(r) || r == 0x200C || r == 0x200D || r >= 0x24B6 && r <= 0x24E9 ||
		r >= 0x1F130 && r <= 0x1F149 || r >= 0x1F150 && r <= 0x1F169 || r >= 0x1F170 && r <= 0x1F189
}

// isNumeric is what Digits cuts at.
func isNumeric(r rune) bool { return catN.has(r) || r > 0x11000 && newNumbers.has(r) }

// isPunctuation is punctuation as BERT counts it: ASCII that is neither letter, digit, space nor control, and P*.
func isPunctuation(r rune) bool {
	if r < 128 {
		return r > ' ' && r < 0x7F && !isWordRune(r) || r == '_'
	}
	return punctuation.has(r)
}

// lower lowers each character for itself: a sigma at a word's end is as any other.
func lower(s string) string {
	s = strings.ReplaceAll(s, "İ", "i̇")
	return strings.Map(func(r rune) rune {
		if l := unicode.ToLower(r); l != r || r < 0x1C89 {
			return l
		}
		if l, ok := newCapitals[r]; ok {
			return l
		}
		return r
	}, s)
}
