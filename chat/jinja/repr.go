package jinja

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func itoa(n int) string { return strconv.Itoa(n) }

// quote is Python's repr of a string.
func quote(s string) string {
	q := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || r > 0x7f && !isPrintable(r):
			b.WriteString(asciiEscape(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// isPrintable is str.isprintable for one rune beyond ASCII.
func isPrintable(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S)
}

// display is Python's str(v).
func (st *state) display(v Value) string {
	switch v := v.(type) {
	case String:
		return string(v)
	case markup:
		return string(v)
	case *undefined:
		return ""
	}
	return st.repr(v)
}

// repr is Python's repr(v).
func (st *state) repr(v Value) string {
	switch v := v.(type) {
	case Int:
		return strconv.FormatInt(int64(v), 10)
	case Bool:
		if v {
			return "True"
		}
		return "False"
	case None:
		return "None"
	}
	w := &reprWriter{st: st}
	w.value(v)
	return w.b.String()
}

type reprWriter struct {
	st *state
	b  strings.Builder
}

func (w *reprWriter) put(s string) {
	w.st.grow(w.b.Len(), len(s))
	w.b.WriteString(s)
}

func (w *reprWriter) value(v Value) {
	w.st.step(1)
	switch v := v.(type) {
	case Int, Bool, None:
		w.put(w.st.repr(v))
	case bigInt:
		w.put(bigText(v))
	case Float:
		w.put(floatRepr(float64(v)))
	case String:
		w.put(quote(string(v)))
	case markup:
		w.put("Markup(" + quote(string(v)) + ")")
	case *list:
		w.list(v)
	case *dict:
		w.dict(v)
	case *dictView:
		w.put(string(v.what) + "(")
		w.list(&list{items: w.st.drain(v.iter())})
		w.put(")")
	case *rangeValue:
		w.rangeText(v)
	case *namespace:
		w.put("<Namespace ")
		w.dict(v.attrs)
		w.put(">")
	case *undefined:
		w.put("Undefined")
	case *macro:
		if v.def.name == "" {
			w.put("<Macro anonymous>")
		} else {
			w.put("<Macro " + quote(v.def.name) + ">")
		}
	case *loop:
		w.put("<LoopContext " + itoa(v.index0+1) + "/" + itoa(v.length()) + ">")
	case *sliceValue:
		w.put("slice(")
		w.items([]Value{v.start, v.stop, v.step})
		w.put(")")
	case *native:
		w.put("<built-in method " + v.name + ">")
	default:
		w.put("<" + v.typeName() + " object>")
	}
}

func (w *reprWriter) items(list []Value) {
	w.st.nest()
	for i, x := range list {
		if i > 0 {
			w.put(", ")
		}
		w.value(x)
	}
	w.st.deep--
}

func (w *reprWriter) list(l *list) {
	if !l.tuple {
		w.put("[")
		w.items(l.items)
		w.put("]")
		return
	}
	w.put("(")
	w.items(l.items)
	if len(l.items) == 1 {
		w.put(",")
	}
	w.put(")")
}

func (w *reprWriter) dict(d *dict) {
	w.st.nest()
	w.put("{")
	for i, k := range d.keys {
		if i > 0 {
			w.put(", ")
		}
		w.value(k)
		w.put(": ")
		w.value(d.vals[i])
	}
	w.put("}")
	w.st.deep--
}

func (w *reprWriter) rangeText(r *rangeValue) {
	w.put("range(" + strconv.FormatInt(r.start, 10) + ", " + strconv.FormatInt(r.stop, 10))
	if r.step != 1 {
		w.put(", " + strconv.FormatInt(r.step, 10))
	}
	w.put(")")
}

// bigText is str of a big integer, which CPython refuses beyond 4300 digits.
func bigText(v bigInt) string {
	if v.BitLen() > 14290 {
		raise("ValueError", "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit", maxIntDigits)
	}
	s := v.String()
	if len(strings.TrimPrefix(s, "-")) > maxIntDigits {
		raise("ValueError", "Exceeds the limit (%d digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit", maxIntDigits)
	}
	return s
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", ">", "&gt;", "<", "&lt;", "'", "&#39;", `"`, "&#34;")

// escape is markupsafe.escape(v).
func (st *state) escape(v Value) markup {
	if m, ok := v.(markup); ok {
		return m
	}
	s := htmlEscapes.Replace(st.display(v))
	st.room(len(s))
	return markup(s)
}

// isSpace is str.isspace for one rune.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// spaces gives the length of the whitespace at the start of s.
func spaces(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if !isSpace(r) {
			break
		}
		n += size
	}
	return n
}
