package tokenizer

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// newBertNormalizer builds BERT's clean-up: control characters go, white space is spaces, Chinese characters stand
// alone, accents go, capitals become small.
func newBertNormalizer(n node) []normalizer {
	var steps []normalizer
	if n.boolean("clean_text", true) {
		steps = append(steps, runeFilter(cleanRune))
	}
	if n.boolean("handle_chinese_chars", true) {
		steps = append(steps, mapText(spaceChinese))
	}
	small := n.boolean("lowercase", true)
	if n.boolean("strip_accents", small) {
		steps = append(steps, form(norm.NFD), runeFilter(func(r rune) rune {
			if bertMarks.has(r) {
				return -1
			}
			return r
		}))
	}
	if small {
		steps = append(steps, mapText(lower))
	}
	return steps
}

func cleanRune(r rune) rune {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return ' '
	case r == 0, r == 0xFFFD, bertControl.has(r):
		return -1
	case isSpace(r):
		return ' '
	}
	return r
}

func spaceChinese(s string) string {
	if strings.IndexFunc(s, isChinese) < 0 {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if isChinese(r) {
			out.WriteByte(' ')
			out.WriteRune(r)
			out.WriteByte(' ')
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isChinese(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x2A6DF ||
		r >= 0x2A700 && r <= 0x2B73F || r >= 0x2B740 && r <= 0x2B81F || r >= 0x2B920 && r <= 0x2CEAF ||
		r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}
