package tokenizer

import "unicode/utf8"

// byteAlphabet maps each byte to the printable character that stands for it in byte-level vocabularies:
// printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up, in order.
// Source: Radford et al. 2019 (GPT-2), bytes_to_unicode.
var byteAlphabet = makeByteAlphabet()

func makeByteAlphabet() (a [256]rune) {
	next := rune(256)
	for b := range a {
		switch r := rune(b); {
		case r >= '!' && r <= '~', r >= 0xA1 && r <= 0xAC, r >= 0xAE:
			a[b] = r
		default:
			a[b] = next
			next++
		}
	}
	return a
}

// alphabetByte maps a character of the byte alphabet back to its byte; -1 stands for none.
var alphabetByte = makeAlphabetByte()

func makeAlphabetByte() (t [324]int16) {
	for i := range t {
		t[i] = -1
	}
	for b, r := range byteAlphabet {
		t[r] = int16(b)
	}
	return t
}

// appendAlphabetBytes appends the bytes that piece stands for. ok is false, and dst unchanged, when some character is
// not in the byte alphabet.
func appendAlphabetBytes(dst []byte, piece []byte) (out []byte, ok bool) {
	start := len(dst)
	for i := 0; i < len(piece); {
		c := piece[i]
		if c < utf8.RuneSelf {
			if alphabetByte[c] < 0 {
				return dst[:start], false
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(piece[i:])
		if r >= rune(len(alphabetByte)) || alphabetByte[r] < 0 {
			return dst[:start], false
		}
		dst = append(dst, byte(alphabetByte[r]))
		i += n
	}
	return dst, true
}

// appendAlphabet appends s with each byte written as its character of the byte alphabet.
func appendAlphabet(dst []byte, s string) []byte {
	for i := range len(s) {
		dst = utf8.AppendRune(dst, byteAlphabet[s[i]])
	}
	return dst
}
