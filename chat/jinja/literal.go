package jinja

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// digits gives the length of decimal digits, single underscores between them, at the start of s.
func digits(s string) int {
	i := 0
	for i < len(s) && (isDigit(s[i]) || s[i] == '_' && i > 0 && i+1 < len(s) && isDigit(s[i+1]) && s[i-1] != '_') {
		i++
	}
	return i
}

func (l *lexer) number(s string) bool {
	if n := floatLen(s); n > 0 && (l.pos == 0 || l.src[l.pos-1] != '.') {
		f, _ := strconv.ParseFloat(strings.ReplaceAll(s[:n], "_", ""), 64) // out of range gives inf, as in Python
		l.out = append(l.out, token{kind: tFloat, text: s[:n], num: Float(f), line: l.line})
		l.skip(n)
		return true
	}
	n := integerLen(s)
	v, ok := new(big.Int).SetString(strings.ReplaceAll(s[:n], "_", ""), 0)
	if !ok || v.BitLen() > maxIntBits {
		return l.fail("Exceeds the limit for integer literals")
	}
	l.out = append(l.out, token{kind: tInteger, text: s[:n], num: normInt(v), line: l.line})
	l.skip(n)
	return true
}

// floatLen gives the length of the float literal at the start of s, or 0.
func floatLen(s string) int {
	n := digits(s)
	if n == 0 {
		return 0
	}
	frac := false
	if n+1 < len(s) && s[n] == '.' {
		if d := digits(s[n+1:]); d > 0 {
			n, frac = n+1+d, true
		}
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		i := n + 1
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if d := digits(s[i:]); d > 0 {
			return i + d
		}
	}
	if frac {
		return n
	}
	return 0
}

func integerLen(s string) int {
	if s[0] != '0' {
		return digits(s)
	}
	if len(s) > 2 {
		valid := ""
		switch s[1] | 0x20 {
		case 'b':
			valid = "01"
		case 'o':
			valid = "01234567"
		case 'x':
			valid = "0123456789abcdefABCDEF"
		}
		i := 2
		for valid != "" && i < len(s) && (strings.IndexByte(valid, s[i]) >= 0 ||
			s[i] == '_' && i+1 < len(s) && strings.IndexByte(valid, s[i+1]) >= 0) {
			i++
		}
		if i > 2 {
			return i
		}
	}
	i := 1
	for i < len(s) && (s[i] == '0' || s[i] == '_' && i+1 < len(s) && s[i+1] == '0') {
		i++
	}
	return i
}

func nameLen(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Mc, unicode.Pc) && r != '·' {
			return i
		}
	}
	return len(s)
}

func isIdentifier(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || unicode.In(r, unicode.L, unicode.Nl)
}

// str emits a string literal.
func (l *lexer) str(s string) bool {
	i := 1
	for i < len(s) && s[i] != s[0] {
		if s[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(s) {
		return l.unexpected(s)
	}
	v, cause := unescape(s[1:i])
	if cause != "" {
		return l.fail(cause)
	}
	l.emit(tString, v)
	l.skip(i + 1)
	return true
}

const simpleEscapes = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v" // the escape's letter, then what it stands for

// unescape decodes Python's escapes. A cause that is not empty says what is wrong.
func unescape(s string) (text, cause string) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		i++
		if i >= len(s) {
			return "", "\\ at end of string"
		}
		n, cause := unescapeOne(&b, s[i:])
		if cause != "" {
			return "", cause
		}
		i += n
	}
	return b.String(), ""
}

// unescapeOne decodes the escape whose backslash stood before s and tells how much of s it took.
func unescapeOne(b *strings.Builder, s string) (int, string) {
	c := s[0]
	if k := strings.IndexByte(simpleEscapes, c); k >= 0 && k%2 == 0 {
		b.WriteByte(simpleEscapes[k+1])
		return 1, ""
	}
	switch {
	case c == '\n':
		return 1, ""
	case '0' <= c && c <= '7':
		n := 1
		for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[:n], 8, 32)
		b.WriteRune(rune(v))
		return n, ""
	case c == 'x':
		return unescapeHex(b, s, 2, "truncated \\xXX escape")
	case c == 'u':
		return unescapeHex(b, s, 4, "truncated \\uXXXX escape")
	case c == 'U':
		return unescapeHex(b, s, 8, "truncated \\UXXXXXXXX escape")
	case c == 'N':
		return 0, "\\N{…} escapes are not supported"
	case c >= utf8.RuneSelf: // Jinja2 escapes what is not ASCII first, so the backslash meets that escape's own
		r, n := utf8.DecodeRuneInString(s)
		b.WriteString("\\" + asciiEscape(r)[1:])
		return n, ""
	}
	b.WriteByte('\\')
	b.WriteByte(c)
	return 1, ""
}

func unescapeHex(b *strings.Builder, s string, n int, cause string) (int, string) {
	if len(s) < n+1 {
		return 0, cause
	}
	v, err := strconv.ParseUint(s[1:n+1], 16, 64)
	if err != nil {
		return 0, cause
	}
	if v > unicode.MaxRune {
		return 0, "illegal Unicode character"
	}
	if v >= 0xd800 && v < 0xe000 {
		return 0, "surrogates not allowed"
	}
	b.WriteRune(rune(v))
	return n + 1, ""
}

// asciiEscape writes r as Python's backslashreplace does.
func asciiEscape(r rune) string {
	h := strconv.FormatInt(int64(r), 16)
	pad := func(n int) string { return strings.Repeat("0", max(0, n-len(h))) + h }
	switch {
	case r < 0x100:
		return "\\x" + pad(2)
	case r < 0x10000:
		return "\\u" + pad(4)
	}
	return "\\U" + pad(8)
}

// Number gives the value of a JSON number: an integer unless it has a point or an exponent.
func Number(s string) (Value, error) {
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("cannot read number: %w", err)
		}
		return Float(f), nil // out of range gives inf, as in Python
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Int(n), nil
	}
	if len(s) > maxIntDigits {
		return nil, fmt.Errorf("cannot read integer of %d digits: at most %d are allowed", len(s), maxIntDigits)
	}
	b, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("cannot read number %q", s)
	}
	return bigInt{b}, nil
}
