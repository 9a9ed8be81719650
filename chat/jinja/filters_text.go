package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// filterTitle upper-cases what follows a space, hyphen or opening bracket, and lower-cases the rest.
func filterTitle(st *state, v Value, a *args) Value {
	a.bind("title", 0)
	v, s := st.soft(v)
	isBreak := func(r rune) bool { return isSpace(r) || strings.ContainsRune("-({[<", r) }
	var b strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, isBreak)
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			_, size := utf8.DecodeRuneInString(s)
			b.WriteString(upper(s[:size]) + lower(s[size:n]))
			s = s[n:]
		}
		n = len(s) - len(strings.TrimLeftFunc(s, isBreak))
		b.WriteString(s[:n])
		s = s[n:]
	}
	st.room(b.Len())
	return sameMarkup(v, b.String())
}

func filterIndent(st *state, v Value, a *args) Value {
	b := a.bind("indent", 0, "width", "first", "blank")
	in := "    "
	if b[0] != nil {
		if s, ok := text(b[0]); ok {
			in = s
		} else {
			in = st.repeatText(" ", int64(needInt(b[0])))
		}
	}
	s, ok := text(v)
	if !ok {
		checkDefined(v)
		raise("TypeError", "unsupported operand type(s) for +=: %s and 'str'", quote(v.typeName()))
	}
	lines := splitLines(s+"\n", false)
	var out strings.Builder
	for i, line := range lines {
		if i > 0 {
			out.WriteByte('\n')
		}
		if i > 0 && (line != "" || option(b[2])) || i == 0 && option(b[1]) {
			st.grow(out.Len(), len(in))
			out.WriteString(in)
		}
		st.grow(out.Len(), len(line))
		out.WriteString(line)
	}
	return sameMarkup(v, out.String())
}

func filterTruncate(st *state, v Value, a *args) Value {
	b := a.bind("truncate", 0, "length", "killwords", "end", "leeway")
	n, end, leeway := 255, "...", 5
	if b[0] != nil {
		n = needInt(b[0])
	}
	if b[2] != nil {
		end = needText("truncate", b[2])
	}
	if !isNone(b[3]) {
		leeway = needInt(b[3])
	}
	endLen, _ := length(String(end))
	if n < endLen {
		raise("AssertionError", "expected length >= %d, got %d", endLen, n)
	}
	if leeway < 0 {
		raise("AssertionError", "expected leeway >= 0, got %d", leeway)
	}
	s, ok := text(v)
	if !ok {
		if size, hasLen := length(v); hasLen && size <= n+leeway {
			return v
		}
		raise("TypeError", "object of type %s cannot be truncated", quote(v.typeName()))
	}
	if size, _ := length(v); size <= n+leeway {
		return v
	}
	cut := st.sliceText(s, &sliceValue{None{}, Int(n - endLen), None{}})
	if !option(b[1]) {
		if at := strings.LastIndexByte(cut, ' '); at >= 0 {
			cut = cut[:at]
		}
	}
	if _, safe := v.(markup); safe {
		end = string(st.escape(String(end)))
	}
	return sameMarkup(v, cut+end)
}

func filterWordCount(st *state, v Value, a *args) Value {
	a.bind("wordcount", 0)
	_, s := st.soft(v)
	n, inWord := 0, false
	for _, r := range s {
		w := r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
		if w && !inWord {
			n++
		}
		inWord = w
	}
	return Int(n)
}

// urlQuote is jinja2.utils.url_quote; in a query, a slash is quoted and a space becomes +.
func (st *state) urlQuote(v Value, query bool) string {
	var b strings.Builder
	for _, c := range []byte(st.display(v)) {
		switch {
		case isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("_.-~", c) >= 0 || c == '/' && !query:
			b.WriteByte(c)
		case c == ' ' && query:
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	st.room(b.Len())
	return b.String()
}

func filterURLEncode(st *state, v Value, a *args) Value {
	a.bind("urlencode", 0)
	if _, ok := text(v); ok || st.tryIter(v) == nil {
		return String(st.urlQuote(v, false))
	}
	if d, ok := v.(*dict); ok {
		v = &dictView{d, viewItems}
	}
	var parts []string
	next := st.iter(v)
	for {
		x, ok := next()
		if !ok {
			break
		}
		pair := st.unpack(x, 2)
		parts = append(parts, st.urlQuote(pair[0], true)+"="+st.urlQuote(pair[1], true))
	}
	out := strings.Join(parts, "&")
	st.room(len(out))
	return String(out)
}
