package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// form is one of the Unicode normalization forms. Characters that the reference's forms do not know stay as they are,
// and nothing is composed or reordered across them.
type form norm.Form

func (f form) normalize(s string) string {
	next := nextUnnormalized(s, 0)
	if next == len(s) {
		return f.known(s)
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		out.WriteString(f.known(s[i:next]))
		if next == len(s) {
			break
		}
		_, n := utf8.DecodeRuneInString(s[next:])
		out.WriteString(s[next : next+n])
		i = next + n
		next = nextUnnormalized(s, i)
	}
	return out.String()
}

// nextUnnormalized returns the first character at or behind i that forms leave alone, or len(s).
func nextUnnormalized(s string, i int) int {
	for i < len(s) {
		if s[i] < 0xD5 { // below U+0540 all is old
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unnormalized.has(r) {
			return i
		}
		i += n
	}
	return len(s)
}

// graphemeJoiner is what the norm package puts into long runs of marks, to bound its buffers.
const graphemeJoiner = "\u034F"

// known normalizes text without characters that the reference does not know.
func (f form) known(s string) string {
	out := norm.Form(f).String(s)
	if strings.Count(out, graphemeJoiner) != strings.Count(s, graphemeJoiner) {
		return f.slow(s)
	}
	return out
}

// slow normalizes with no bound on runs of marks. Source: Unicode Standard Annex 15.
func (f form) slow(s string) string {
	var runes []markedRune
	compat := norm.Form(f) == norm.NFKC || norm.Form(f) == norm.NFKD
	for _, r := range s {
		decomposed := norm.NFD
		if compat {
			decomposed = norm.NFKD
		}
		for _, d := range decomposed.String(string(r)) {
			runes = append(runes, markedRune{d, norm.NFD.PropertiesString(string(d)).CCC()})
		}
	}
	for i := 0; i < len(runes); {
		j := i + 1
		if runes[i].class != 0 {
			for j < len(runes) && runes[j].class != 0 {
				j++
			}
			slices.SortStableFunc(runes[i:j], func(a, b markedRune) int { return int(a.class) - int(b.class) })
		}
		i = j
	}
	if norm.Form(f) == norm.NFC || norm.Form(f) == norm.NFKC {
		runes = compose(runes)
	}
	var out strings.Builder
	for _, r := range runes {
		out.WriteRune(r.r)
	}
	return out.String()
}

// markedRune is a character with its canonical combining class.
type markedRune struct {
	r     rune
	class uint8
}

// compose joins each starter with the marks and starters behind it that it has a composition with, in place.
func compose(runes []markedRune) []markedRune {
	out := runes[:0]
	starter := -1 // in out
	for _, r := range runes {
		if starter >= 0 {
			last := out[len(out)-1]
			adjacent := len(out)-1 == starter
			if adjacent || last.class != 0 && last.class < r.class {
				if c, ok := pairOf(out[starter].r, r.r); ok {
					out[starter].r = c
					continue
				}
			}
		}
		if r.class == 0 {
			starter = len(out)
		}
		out = append(out, r)
	}
	return out
}

// pairOf returns the composition of two characters.
func pairOf(a, b rune) (rune, bool) {
	c := []rune(norm.NFC.String(string([]rune{a, b})))
	if len(c) != 1 {
		return 0, false
	}
	return c[0], true
}
