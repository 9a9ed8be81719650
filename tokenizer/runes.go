package tokenizer

import "unicode"

// isWordRune is \w of the reference: alphabetic, mark, decimal digit, connector punctuation, join control.
func isWordRune(r rune) bool {
	if r < 128 {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	const word = catL | catM | catNd | catNl | catPc
	return word.has(r) || r == 0x200C || r == 0x200D || unicode.Is(unicode.Other_Alphabetic, r)
}

// isNumeric is Rust's char::is_numeric: the categories N*.
func isNumeric(r rune) bool { return catN.has(r) }

// isPunctuation is punctuation as BERT counts it: ASCII that is neither letter, digit, space nor control, and P*.
func isPunctuation(r rune) bool {
	if r < 128 {
		return r > ' ' && r < 0x7F && !isWordRune(r) || r == '_'
	}
	return catP.has(r)
}
