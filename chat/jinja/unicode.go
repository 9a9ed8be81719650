package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// Case mappings are Unicode's full ones, as in Python: one character may become several.

func upper(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	return cases.Upper(language.Und).String(s)
}

func lower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(s)
}

func casefold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return cases.Fold().String(s)
}

// titleRune is the title case of one rune.
func titleRune(r rune) string {
	if r < utf8.RuneSelf {
		return string(unicode.ToUpper(r))
	}
	full := []rune(upper(string(r)))
	if len(full) == 1 {
		return string(unicode.ToTitle(r))
	}
	return string(full[0]) + lower(string(full[1:]))
}

func cased(r rune) bool { return lowerRune(r) || upperRune(r) || unicode.IsTitle(r) }

func lowerRune(r rune) bool { return unicode.In(r, unicode.Ll, unicode.Other_Lowercase) }
func upperRune(r rune) bool { return unicode.In(r, unicode.Lu, unicode.Other_Uppercase) }

func title(s string) string {
	low := []rune(s)
	var b strings.Builder
	inWord := false
	for _, r := range low {
		if inWord {
			b.WriteString(lower(string(r)))
		} else {
			b.WriteString(titleRune(r))
		}
		inWord = cased(r)
	}
	return b.String()
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	return titleRune(r) + lower(s[n:])
}

func swapcase(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case upperRune(r):
			b.WriteString(lower(string(r)))
		case lowerRune(r):
			b.WriteString(upper(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func runeTest(fn string, f func(rune) bool) func(*state, Value, *args) Value {
	return textTest(fn, func(s string) bool {
		for _, r := range s {
			if !f(r) {
				return false
			}
		}
		return s != ""
	})
}

func textTest(fn string, f func(string) bool) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		a.positional(fn, 0, 0)
		return Bool(f(st.self(self)))
	}
}

func isAlpha(r rune) bool   { return unicode.IsLetter(r) }
func isDecimal(r rune) bool { return unicode.Is(unicode.Nd, r) }
func isAlnum(r rune) bool   { return isAlpha(r) || isNumeric(r) }

// isDigitRune is Unicode's Numeric_Type Digit or Decimal.
func isDigitRune(r rune) bool {
	return isDecimal(r) || r == 0xb2 || r == 0xb3 || r == 0xb9 || r == 0x2070 || r >= 0x2074 && r <= 0x2079 ||
		r >= 0x2080 && r <= 0x2089 || r >= 0x2460 && r <= 0x2468 || r >= 0x2474 && r <= 0x247c || r >= 0x2488 && r <= 0x2490 ||
		r == 0x24ea || r >= 0x24f5 && r <= 0x24fd || r == 0x24ff || r >= 0x2776 && r <= 0x277e || r >= 0x2780 && r <= 0x2788 ||
		r >= 0x278a && r <= 0x2792
}

func isNumeric(r rune) bool {
	return unicode.IsNumber(r) || strings.ContainsRune("㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹廾廿弌弍弎弐拾捌柒柒漆玖百肆萬貮貳贰阡陆陌陸零", r)
}

func isPrintableText(s string) bool {
	for _, r := range s {
		if r != ' ' && !isPrintable(r) {
			return false
		}
	}
	return true
}

func isLower(s string) bool {
	found := false
	for _, r := range s {
		if upperRune(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || lowerRune(r)
	}
	return found
}

func isUpper(s string) bool {
	found := false
	for _, r := range s {
		if lowerRune(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || upperRune(r)
	}
	return found
}

func isTitle(s string) bool {
	found, inWord := false, false
	for _, r := range s {
		switch {
		case upperRune(r) || unicode.IsTitle(r):
			if inWord {
				return false
			}
			inWord, found = true, true
		case lowerRune(r):
			if !inWord {
				return false
			}
			found = true
		default:
			inWord = false
		}
	}
	return found
}

func isIdentifierText(s string) bool {
	return s != "" && isIdentifier(s) && nameLen(s) == len(s)
}
