package jinja

import (
	"strings"
	"unicode/utf8"
)

// repeatText is s * n, bounded.
func (st *state) repeatText(s string, n int64) string {
	if n <= 0 || s == "" {
		return ""
	}
	if n > maxOutput {
		st.room(maxOutput + 1)
	}
	st.room(len(s) * int(n))
	return strings.Repeat(s, int(n))
}

func padMethod(fn string) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		b := a.positional(fn, 1, 2)
		fill := " "
		if b[1] != nil {
			if fill = needText(fn, b[1]); utf8.RuneCountInString(fill) != 1 {
				raise("TypeError", "The fill character must be exactly one character long")
			}
		}
		return sameMarkup(self, st.pad(fn, st.self(self), needInt(b[0]), fill))
	}
}

// pad widens s to width runes.
func (st *state) pad(fn, s string, width int, fill string) string {
	n := width - utf8.RuneCountInString(s)
	if n <= 0 {
		return s
	}
	left := 0
	switch fn {
	case "center":
		left = n/2 + (n & width & 1)
	case "rjust":
		left = n
	}
	st.room(min(n, maxOutput+1)*len(fill) + len(s))
	return strings.Repeat(fill, left) + s + strings.Repeat(fill, n-left)
}

func zfillMethod(st *state, self Value, a *args) Value {
	s := st.self(self)
	n := needInt(a.positional("zfill", 1, 1)[0]) - utf8.RuneCountInString(s)
	if n <= 0 {
		return self
	}
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		sign, s = s[:1], s[1:]
	}
	return sameMarkup(self, sign+st.repeatText("0", int64(n))+s)
}

func expandTabsMethod(st *state, self Value, a *args) Value {
	b := a.bind("expandtabs", 0, "tabsize")
	size := 8
	if b[0] != nil {
		size = needInt(b[0])
	}
	var out strings.Builder
	col := 0
	for _, r := range st.self(self) {
		switch r {
		case '\t':
			if size > 0 {
				n := size - col%size
				st.grow(out.Len(), min(n, maxOutput+1))
				out.WriteString(strings.Repeat(" ", n))
				col += n
			}
		case '\n', '\r':
			out.WriteRune(r)
			col = 0
		default:
			out.WriteRune(r)
			col++
		}
	}
	return sameMarkup(self, out.String())
}
