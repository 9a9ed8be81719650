package jinja

import (
	"math"
	"sort"
	"strings"
	"unicode/utf8"
)

// tojson is the filter as transformers sets it up: json.dumps(x, ensure_ascii, indent, separators, sort_keys), with
// characters beyond ASCII left as they are.
func filterToJSON(st *state, v Value, a *args) Value {
	b := a.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys")
	w := &jsonWriter{st: st, item: ", ", key: ": "}
	w.ascii = b[0] != nil && truth(b[0])
	if !isNone(b[1]) {
		w.pretty, w.item = true, ","
		if s, ok := text(b[1]); ok {
			w.indent = s
		} else {
			w.indent = st.repeatText(" ", int64(needInt(b[1])))
		}
	}
	if !isNone(b[2]) {
		sep := st.unpack(b[2], 2)
		w.item, w.key = needText("separators", sep[0]), needText("separators", sep[1])
	}
	w.sort = b[3] != nil && truth(b[3])
	w.value(v)
	return String(w.b.String())
}

type jsonWriter struct {
	st        *state
	b         strings.Builder
	item, key string
	indent    string
	pretty    bool
	sort      bool
	ascii     bool
}

func (w *jsonWriter) put(s string) {
	w.st.grow(w.b.Len(), len(s))
	w.b.WriteString(s)
}

func (w *jsonWriter) value(v Value) {
	w.st.step(1)
	switch v := v.(type) {
	case None:
		w.put("null")
	case Bool:
		w.put(map[Bool]string{true: "true", false: "false"}[v])
	case Int, bigInt:
		w.put(w.st.repr(v))
	case Float:
		w.put(jsonFloat(float64(v)))
	case String:
		w.string(string(v))
	case markup:
		w.string(string(v))
	case *list:
		w.group("[", "]", len(v.items), func(i int) { w.value(v.items[i]) })
	case *dict:
		w.dict(v)
	default:
		raise("TypeError", "Object of type %s is not JSON serializable", v.typeName())
	}
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return floatRepr(f)
}

func (w *jsonWriter) group(open, end string, n int, each func(i int)) {
	w.put(open)
	if n > 0 {
		w.st.nest()
		for i := 0; i < n; i++ {
			if i > 0 {
				w.put(w.item)
			}
			w.line(w.st.deep)
			each(i)
		}
		w.st.deep--
		w.line(w.st.deep)
	}
	w.put(end)
}

func (w *jsonWriter) line(depth int) {
	if w.pretty {
		w.put("\n")
		w.put(w.st.repeatText(w.indent, int64(depth)))
	}
}

func (w *jsonWriter) dict(d *dict) {
	order := make([]int, d.len())
	for i := range order {
		order[i] = i
	}
	w.st.items(len(order))
	if w.sort {
		sort.SliceStable(order, func(i, j int) bool { return w.st.ordered("lt", d.keys[order[i]], d.keys[order[j]]) })
	}
	w.group("{", "}", d.len(), func(i int) {
		w.string(w.st.jsonKey(d.keys[order[i]]))
		w.put(w.key)
		w.value(d.vals[order[i]])
	})
}

func (st *state) jsonKey(k Value) string {
	switch k := k.(type) {
	case String:
		return string(k)
	case markup:
		return string(k)
	case Bool:
		if k {
			return "true"
		}
		return "false"
	case None:
		return "null"
	case Int, bigInt:
		return st.repr(k)
	case Float:
		return jsonFloat(float64(k))
	}
	raise("TypeError", "keys must be str, int, float, bool or None, not %s", k.typeName())
	return ""
}

const hexDigits = "0123456789abcdef"

func (w *jsonWriter) string(s string) {
	var b strings.Builder
	b.WriteByte('"')
	from := 0
	for i, r := range s {
		if r >= ' ' && r != '"' && r != '\\' && (r < 0x7f || !w.ascii) {
			continue
		}
		b.WriteString(s[from:i])
		from = i + utf8.RuneLen(r)
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case 0x7f:
			b.WriteByte(0x7f)
		default:
			if r > 0xffff {
				r -= 0x10000
				jsonHex(&b, 0xd800+r>>10)
				r = 0xdc00 + r&0x3ff
			}
			jsonHex(&b, r)
		}
	}
	b.WriteString(s[from:])
	b.WriteByte('"')
	w.put(b.String())
}

func jsonHex(b *strings.Builder, r rune) {
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(hexDigits[r>>shift&15])
	}
}
