package tokenizer

import "unicode"

// scriptSplitter cuts where the script changes, Hiragana and Katakana counting as Han and spaces as any script.
type scriptSplitter struct{}

func (scriptSplitter) split(e *encoder, step int, piece string, first bool) {
	start, last := 0, ""
	for i, r := range piece {
		script := scriptOf(r)
		if script == "" {
			continue
		}
		if last != "" && script != last && i > start {
			e.next(step+1, piece[start:i], first && start == 0)
			start = i
		}
		last = script
	}
	e.next(step+1, piece[start:], first && start == 0)
}

// scriptOf names r's script; "" goes with every script.
func scriptOf(r rune) string {
	if r == ' ' {
		return ""
	}
	if r == 0x30FC || unicode.In(r, unicode.Hiragana, unicode.Katakana) {
		return "Han"
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}
