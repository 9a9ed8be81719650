package jinja

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// filterPPrint is pprint.pformat(v): 80 columns, dictionaries sorted.
func filterPPrint(st *state, v Value, a *args) Value {
	a.bind("pprint", 0)
	p := &prettyPrinter{st: st}
	p.format(v, 0, 0, 1)
	return String(p.b.String())
}

type prettyPrinter struct {
	st *state
	b  strings.Builder
}

const prettyWidth = 80

func (p *prettyPrinter) put(s string) {
	p.st.grow(p.b.Len(), len(s))
	p.b.WriteString(s)
}

func (p *prettyPrinter) newline(indent int) {
	p.put("\n" + p.st.repeatText(" ", int64(indent)))
}

// flat is the repr of v with sorted dictionaries.
func (p *prettyPrinter) flat(v Value) string {
	return p.st.repr(p.sorted(v))
}

func (p *prettyPrinter) sorted(v Value) Value {
	p.st.nest()
	defer func() { p.st.deep-- }()
	p.st.step(1)
	switch v := v.(type) {
	case *list:
		out := &list{items: make([]Value, len(v.items)), tuple: v.tuple}
		for i, x := range v.items {
			out.items[i] = p.sorted(x)
		}
		return out
	case *dict:
		out := newDict(v.len())
		for _, i := range p.order(v) {
			out.set(v.keys[i], p.sorted(v.vals[i]))
		}
		return out
	}
	return v
}

func (p *prettyPrinter) order(d *dict) []int {
	order := make([]int, d.len())
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := d.keys[order[i]], d.keys[order[j]]
		_, at := text(a)
		_, bt := text(b)
		if at && bt || isNumber(a) && isNumber(b) {
			return p.st.ordered("lt", a, b)
		}
		return a.typeName() < b.typeName()
	})
	return order
}

func (p *prettyPrinter) format(v Value, indent, allowance, level int) {
	p.st.nest()
	defer func() { p.st.deep-- }()
	flat := p.flat(v)
	if utf8.RuneCountInString(flat) <= prettyWidth-indent-allowance {
		p.put(flat)
		return
	}
	switch v := v.(type) {
	case *dict:
		p.dict(v, indent, allowance, level)
	case *list:
		open, end := "[", "]"
		if v.tuple {
			open, end = "(", ")"
			if len(v.items) == 1 {
				end = ",)"
			}
		}
		p.put(open)
		for i, x := range v.items {
			last := i == len(v.items)-1
			p.format(x, indent+1, pick(last, allowance+len(end), 1), level+1)
			if !last {
				p.put(",")
				p.newline(indent + 1)
			}
		}
		p.put(end)
	case String:
		p.text(string(v), indent, allowance, level)
	default:
		p.put(flat)
	}
}

func pick(c bool, a, b int) int {
	if c {
		return a
	}
	return b
}

func (p *prettyPrinter) dict(d *dict, indent, allowance, level int) {
	p.put("{")
	order := p.order(d)
	for n, i := range order {
		last := n == len(order)-1
		key := p.flat(d.keys[i])
		p.put(key + ": ")
		p.format(d.vals[i], indent+1+utf8.RuneCountInString(key)+2, pick(last, allowance+1, 1), level+1)
		if !last {
			p.put(",")
			p.newline(indent + 1)
		}
	}
	p.put("}")
}

// text breaks a long string into several literals.
func (p *prettyPrinter) text(s string, indent, allowance, level int) {
	if level == 1 {
		indent++
		allowance++
	}
	width := prettyWidth - indent
	p.st.bytes(64 * len(s)) // every word is quoted on its own
	var chunks []string
	lines := splitLines(s, true)
	for i, line := range lines {
		last := i == len(lines)-1
		whole := quote(line)
		if utf8.RuneCountInString(whole) <= width-pick(last, allowance, 0) {
			chunks = append(chunks, whole)
			continue
		}
		current := ""
		words := wordsAndSpace(line)
		for j, w := range words {
			p.st.bytes(len(current) + len(w))
			room := width - pick(last && j == len(words)-1, allowance, 0)
			if utf8.RuneCountInString(quote(current+w)) > room {
				if current != "" {
					chunks = append(chunks, quote(current))
				}
				current = w
			} else {
				current += w
			}
		}
		if current != "" {
			chunks = append(chunks, quote(current))
		}
	}
	if len(chunks) == 1 {
		p.put(chunks[0])
		return
	}
	if level == 1 {
		p.put("(")
	}
	for i, c := range chunks {
		if i > 0 {
			p.newline(indent)
		}
		p.put(c)
	}
	if level == 1 {
		p.put(")")
	}
}

// wordsAndSpace splits s into words, each with the space after it.
func wordsAndSpace(s string) (out []string) {
	for s != "" {
		n := strings.IndexFunc(s, isSpace)
		if n < 0 {
			n = len(s)
		}
		n += spaces(s[n:])
		out = append(out, s[:n])
		s = s[n:]
	}
	return out
}
