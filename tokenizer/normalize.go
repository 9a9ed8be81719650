package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer rewrites text before it is cut.
type normalizer interface{ normalize(s string) string }

// newNormalizers builds the steps of a normalizer.
func newNormalizers(n node) ([]normalizer, error) {
	switch n.kind() {
	case "Sequence":
		list, err := n.nodes("normalizers")
		var steps []normalizer
		for _, part := range list {
			more, err := newNormalizers(part)
			if err != nil {
				return nil, err
			}
			steps = append(steps, more...)
		}
		return steps, err
	case "NFC":
		return []normalizer{form(norm.NFC)}, nil
	case "NFD":
		return []normalizer{form(norm.NFD)}, nil
	case "NFKC":
		return []normalizer{form(norm.NFKC)}, nil
	case "NFKD":
		return []normalizer{form(norm.NFKD)}, nil
	case "Lowercase":
		return []normalizer{mapText(lower)}, nil
	case "Prepend":
		return []normalizer{prepender(n.str("prepend"))}, nil
	case "ByteLevel":
		return []normalizer{mapText(func(s string) string { return string(appendAlphabet(nil, s)) })}, nil
	case "Replace":
		r, err := newReplacer(n)
		return []normalizer{r}, err
	case "Strip":
		return []normalizer{stripper{n.boolean("strip_left", true), n.boolean("strip_right", true)}}, nil
	case "StripAccents":
		return []normalizer{runeFilter(func(r rune) rune {
			if combiningMarks.has(r) {
				return -1
			}
			return r
		})}, nil
	case "Nmt":
		return []normalizer{runeFilter(nmt)}, nil
	case "BertNormalizer":
		return newBertNormalizer(n), nil
	case "Precompiled":
		c, err := newCharsMap(n.str("precompiled_charsmap"))
		return []normalizer{c}, err
	}
	return nil, fmt.Errorf("unknown normalizer %q", n.kind())
}

// mapText is a function as a normalizer.
type mapText func(s string) string

func (f mapText) normalize(s string) string { return f(s) }

// runeFilter maps characters one by one; -1 drops.
type runeFilter func(r rune) rune

func (f runeFilter) normalize(s string) string { return strings.Map(f, s) }

// prepender puts a string in front of all text that is not empty.
type prepender string

func (p prepender) normalize(s string) string {
	if s == "" {
		return s
	}
	return string(p) + s
}

// replacer writes content for each match.
type replacer struct {
	pattern finder
	content string
}

func newReplacer(n node) (*replacer, error) {
	f, err := newFinder(n["pattern"])
	if err != nil {
		return nil, fmt.Errorf("Replace: %w", err)
	}
	return &replacer{f, n.str("content")}, nil
}

func (r *replacer) normalize(s string) string {
	if l, ok := r.pattern.(literal); ok {
		return strings.ReplaceAll(s, string(l), r.content)
	}
	f := r.pattern
	if b, ok := f.(*backtracker); ok {
		var err error
		if f, err = b.all(s); err != nil {
			return s
		}
	}
	var out strings.Builder
	done := 0
	for done < len(s) {
		start, end := f.find(s, done)
		if start < 0 {
			break
		}
		out.WriteString(s[done:start])
		out.WriteString(r.content)
		done = end
	}
	out.WriteString(s[done:])
	return out.String()
}

// stripper takes white space off the ends.
type stripper struct{ left, right bool }

func (t stripper) normalize(s string) string {
	if t.left {
		s = trimSpaceLeft(s)
	}
	if t.right {
		s = trimSpaceRight(s)
	}
	return s
}

// nmt drops control characters and makes a space of the odd ones. Source: SentencePiece's nmt rules.
func nmt(r rune) rune {
	switch {
	case r >= 1 && r <= 8, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		return -1
	case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, r >= 0x200B && r <= 0x200F, r == 0x2028, r == 0x2029,
		r == 0x2581, r == 0xFEFF, r == utf8.RuneError:
		return ' '
	}
	return r
}
