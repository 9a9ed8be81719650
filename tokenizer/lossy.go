package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// validPrefix returns the text of b's complete part, with U+FFFD for each maximal piece that is not UTF-8 (Unicode
// standard, section 3.9), and how many bytes it covers. Left over is at most the beginning of one character.
func validPrefix(b []byte) (text string, n int) {
	if utf8.Valid(b) {
		return string(b), len(b)
	}
	var out strings.Builder
	for n < len(b) {
		if r, size := utf8.DecodeRune(b[n:]); r != utf8.RuneError || size > 1 {
			out.Write(b[n : n+size])
			n += size
			continue
		}
		size, open := brokenRune(b[n:])
		if open {
			break
		}
		out.WriteString("\uFFFD")
		n += size
	}
	return out.String(), n
}

// brokenRune returns how many bytes at the start of b, which is not a character, are the beginning of one (at least 1),
// and whether b ends within it.
func brokenRune(b []byte) (size int, open bool) {
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	default:
		return 1, false
	}
	size = 1
	for size <= need {
		if size == len(b) {
			return size, true
		}
		if b[size] < low || b[size] > high {
			return size, false
		}
		low, high = 0x80, 0xBF
		size++
	}
	return size, false
}
