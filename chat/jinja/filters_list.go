package jinja

import (
	"sort"
	"strconv"
	"strings"
)

// getter looks up an attribute path like "a.b.0" in a value.
type getter struct {
	parts   []Value
	fold    bool  // lower-case what is found
	missing Value // instead of undefined, nil: none
}

func attributeParts(attr Value) []Value {
	if isNone(attr) {
		return nil
	}
	s, ok := text(attr)
	if !ok {
		return []Value{attr}
	}
	var out []Value
	for _, p := range strings.Split(s, ".") {
		if n, err := strconv.ParseInt(p, 10, 64); err == nil && isDigit(p[0]) {
			out = append(out, Int(n))
		} else {
			out = append(out, String(p))
		}
	}
	return out
}

func (g *getter) get(st *state, v Value) Value {
	st.step(1)
	for _, p := range g.parts {
		v = st.getitem(v, p)
		if _, ok := v.(*undefined); ok && g.missing != nil {
			v = g.missing
		}
	}
	if s, ok := text(v); ok && g.fold {
		return sameMarkup(v, lower(s))
	}
	return v
}

// intOption is a flag that Python wants as an integer.
func intOption(v Value) bool { return v != nil && needInt(v) != 0 }

func option(v Value) bool { return v != nil && truth(v) }

func filterList(st *state, v Value, a *args) Value {
	a.bind("list", 0)
	items := st.all(v)
	st.items(len(items))
	return &list{items: items}
}

func filterFirst(st *state, v Value, a *args) Value {
	a.bind("first", 0)
	if x, ok := st.iter(v)(); ok {
		return x
	}
	return &undefined{"No first item, sequence was empty.", "UndefinedError"}
}

func filterLast(st *state, v Value, a *args) Value {
	a.bind("last", 0)
	items := st.reversible(v)
	if len(items) == 0 {
		return &undefined{"No last item, sequence was empty.", "UndefinedError"}
	}
	return items[len(items)-1]
}

// reversible gives the items of what Python can reverse.
func (st *state) reversible(v Value) []Value {
	switch v := v.(type) {
	case *list, *dict, *dictView, *rangeValue, String, markup:
		return st.all(v)
	case *undefined:
		return nil
	}
	raise("TypeError", "%s object is not reversible", quote(v.typeName()))
	return nil
}

func filterReverse(st *state, v Value, a *args) Value {
	a.bind("reverse", 0)
	if s, ok := text(v); ok {
		return sameMarkup(v, st.sliceText(s, &sliceValue{None{}, None{}, Int(-1)}))
	}
	switch v.(type) {
	case *iterator, *undefined, *loop:
		items := st.drain(st.iter(v))
		for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
			items[i], items[j] = items[j], items[i]
		}
		return &list{items: items}
	}
	if st.tryIter(v) == nil {
		raise("FilterArgumentError", "argument must be iterable")
	}
	items := st.all(v)
	i := len(items)
	name := "list_reverseiterator"
	if l, ok := v.(*list); !ok || l.tuple {
		name = "reversed"
	}
	return &iterator{name, func() (Value, bool) {
		i--
		if i < 0 {
			return nil, false
		}
		return items[i], true
	}}
}

func filterItems(_ *state, v Value, a *args) Value {
	a.bind("items", 0)
	var it func() (Value, bool)
	return generator(func() (Value, bool) {
		if it == nil {
			switch v := v.(type) {
			case *undefined:
				return nil, false
			case *dict:
				it = (&dictView{v, viewItems}).iter()
			default:
				raise("TypeError", "Can only get item pairs from a mapping.")
			}
		}
		return it()
	})
}

func filterJoin(st *state, v Value, a *args) Value {
	b := a.bind("join", 0, "d", "attribute")
	g := getter{parts: attributeParts(b[1])}
	sep := Value(String(""))
	if b[0] != nil {
		sep = b[0]
	}
	var items []Value
	safe := false
	next := st.iter(v)
	for {
		x, ok := next()
		if !ok {
			break
		}
		x = g.get(st, x)
		_, isSafe := x.(markup)
		safe = safe || isSafe
		items = append(items, x)
	}
	_, sepSafe := sep.(markup)
	safe = st.autoescape && (safe || sepSafe)
	show := st.display
	if safe {
		show = func(v Value) string { return string(st.escape(v)) }
	}
	s := show(sep)
	var out strings.Builder
	for i, x := range items {
		if i > 0 {
			st.grow(out.Len(), len(s))
			out.WriteString(s)
		}
		t := show(x)
		st.grow(out.Len(), len(t))
		out.WriteString(t)
	}
	if safe {
		return markup(out.String())
	}
	return String(out.String())
}

func filterMap(st *state, v Value, a *args) Value {
	var f func(Value) Value
	var next func() (Value, bool)
	return generator(func() (Value, bool) {
		if f == nil {
			if !truth(v) {
				return nil, false
			}
			f = st.mapper(a)
			next = st.iter(v)
		}
		x, ok := next()
		if !ok {
			return nil, false
		}
		return f(x), true
	})
}

func (st *state) mapper(a *args) func(Value) Value {
	if attr := a.named("attribute"); len(a.pos) == 0 && attr != nil {
		a.take("attribute")
		g := getter{parts: attributeParts(attr), missing: a.take("default")}
		if isNone(g.missing) {
			g.missing = nil
		}
		if len(a.names) > 0 {
			raise("FilterArgumentError", "Unexpected keyword argument %s", quote(a.names[0]))
		}
		return func(v Value) Value { return g.get(st, v) }
	}
	if len(a.pos) == 0 {
		raise("FilterArgumentError", "map requires a filter argument")
	}
	f := st.named(st.filters, "filter", a.pos[0])
	return func(v Value) Value {
		st.step(1)
		return f.call(st, v, &args{a.pos[1:], append([]string(nil), a.names...), append([]Value(nil), a.vals...)})
	}
}

// named finds a filter or test by the name in v.
func (st *state) named(table map[string]builtin, what string, v Value) builtin {
	s, ok := text(v)
	f := table[s]
	if !ok || f.call == nil {
		raise("TemplateRuntimeError", "No %s named %s.", what, st.repr(v))
	}
	return f
}

func filterSelect(st *state, v Value, a *args) Value     { return st.choose(v, a, true, false) }
func filterReject(st *state, v Value, a *args) Value     { return st.choose(v, a, false, false) }
func filterSelectAttr(st *state, v Value, a *args) Value { return st.choose(v, a, true, true) }
func filterRejectAttr(st *state, v Value, a *args) Value { return st.choose(v, a, false, true) }

// choose gives the items for which a test says want.
func (st *state) choose(v Value, a *args, want, attr bool) Value {
	var passes func(Value) bool
	var next func() (Value, bool)
	return generator(func() (Value, bool) {
		if passes == nil {
			if !truth(v) {
				return nil, false
			}
			passes = st.chooser(a, attr)
			next = st.iter(v)
		}
		for {
			x, ok := next()
			if !ok {
				return nil, false
			}
			st.step(1)
			if passes(x) == want {
				return x, true
			}
		}
	})
}

func (st *state) chooser(a *args, attr bool) func(Value) bool {
	g := getter{}
	pos := a.pos
	if attr {
		if len(pos) == 0 {
			raise("FilterArgumentError", "Missing parameter for attribute name")
		}
		g.parts, pos = attributeParts(pos[0]), pos[1:]
	}
	if len(pos) == 0 {
		return func(v Value) bool { return truth(g.get(st, v)) }
	}
	f := builtin{}
	return func(v Value) bool {
		if f.call == nil {
			f = st.named(st.tests, "test", pos[0])
		}
		return truth(f.call(st, g.get(st, v), &args{pos[1:], a.names, a.vals}))
	}
}

// sorted gives items ordered by their keys, stably.
func (st *state) sorted(items, keys []Value, reverse bool) []Value {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	st.items(2 * len(items))
	sort.SliceStable(order, func(i, j int) bool {
		a, b := keys[order[i]], keys[order[j]]
		if reverse {
			a, b = b, a
		}
		return st.ordered("lt", a, b)
	})
	out := make([]Value, len(items))
	for i, k := range order {
		out[i] = items[k]
	}
	return out
}

func filterSort(st *state, v Value, a *args) Value {
	b := a.bind("sort", 0, "reverse", "case_sensitive", "attribute")
	attrs := []Value{b[2]}
	if s, ok := text(b[2]); ok {
		attrs = nil
		for _, p := range strings.Split(s, ",") {
			attrs = append(attrs, String(p))
		}
	}
	items := st.all(v)
	keys := make([]Value, len(items))
	for i, x := range items {
		var k []Value
		for _, attr := range attrs {
			g := getter{parts: attributeParts(attr), fold: !option(b[1])}
			k = append(k, g.get(st, x))
		}
		keys[i] = &list{items: k}
	}
	return &list{items: st.sorted(items, keys, intOption(b[0]))}
}

func filterDictSort(st *state, v Value, a *args) Value {
	b := a.bind("dictsort", 0, "case_sensitive", "by", "reverse")
	by := "key"
	if b[1] != nil {
		by, _ = text(b[1])
	}
	if by != "key" && by != "value" {
		raise("FilterArgumentError", `You can only sort by either "key" or "value"`)
	}
	d, ok := v.(*dict)
	if !ok {
		checkDefined(v)
		raise("AttributeError", "%s object has no attribute 'items'", quote(v.typeName()))
	}
	items := st.drain((&dictView{d, viewItems}).iter())
	keys := append([]Value(nil), d.keys...)
	if by == "value" {
		copy(keys, d.vals)
	}
	for i, k := range keys {
		if s, ok := text(k); ok && !option(b[0]) {
			keys[i] = String(lower(s))
		}
	}
	return &list{items: st.sorted(items, keys, intOption(b[2]))}
}

func filterUnique(st *state, v Value, a *args) Value {
	b := a.bind("unique", 0, "case_sensitive", "attribute")
	g := getter{parts: attributeParts(b[1]), fold: !option(b[0])}
	seen := map[any]bool{}
	var next func() (Value, bool)
	return generator(func() (Value, bool) {
		if next == nil {
			next = st.iter(v)
		}
		for {
			x, ok := next()
			if !ok {
				return nil, false
			}
			if k := hash(g.get(st, x)); !seen[k] {
				seen[k] = true
				return x, true
			}
		}
	})
}

func filterMin(st *state, v Value, a *args) Value { return st.extreme(v, a, "lt") }
func filterMax(st *state, v Value, a *args) Value { return st.extreme(v, a, "gt") }

func (st *state) extreme(v Value, a *args, op tokenKind) Value {
	b := a.bind("min", 0, "case_sensitive", "attribute")
	g := getter{parts: attributeParts(b[1]), fold: !option(b[0])}
	var best, key Value
	next := st.iter(v)
	for {
		x, ok := next()
		if !ok {
			break
		}
		if k := g.get(st, x); best == nil || st.ordered(op, k, key) {
			best, key = x, k
		}
	}
	if best == nil {
		return &undefined{"No aggregated item, sequence was empty.", "UndefinedError"}
	}
	return best
}

func filterSum(st *state, v Value, a *args) Value {
	b := a.bind("sum", 0, "attribute", "start")
	g := getter{parts: attributeParts(b[0])}
	total := Value(Int(0))
	if b[1] != nil {
		total = b[1]
	}
	if _, ok := text(total); ok {
		raise("TypeError", "sum() can't sum strings [use ''.join(seq) instead]")
	}
	next := st.iter(v)
	for {
		x, ok := next()
		if !ok {
			return total
		}
		total = st.arith("add", total, g.get(st, x))
	}
}

func filterGroupBy(st *state, v Value, a *args) Value {
	b := a.bind("groupby", 1, "attribute", "default", "case_sensitive")
	g := getter{parts: attributeParts(b[0]), fold: !option(b[2])}
	if !isNone(b[1]) {
		g.missing = b[1]
	}
	items := st.all(v)
	keys := make([]Value, len(items))
	for i, x := range items {
		keys[i] = g.get(st, x)
	}
	items = st.sorted(items, keys, false)
	var out []Value
	var group *list
	var last Value
	real := g
	real.fold = false
	for _, x := range items {
		k := g.get(st, x)
		if group == nil || !st.equal(k, last) {
			group = &list{}
			out = append(out, &list{items: []Value{real.get(st, x), group}, tuple: true, group: true})
			last = k
		}
		group.items = append(group.items, x)
	}
	return &list{items: out}
}

func filterBatch(st *state, v Value, a *args) Value {
	b := a.bind("batch", 1, "linecount", "fill_with")
	var next func() (Value, bool)
	return generator(func() (Value, bool) {
		if next == nil {
			next = st.iter(v)
		}
		n, _ := integer(b[0])
		var row []Value
		for len(row) == 0 || !isNumber(b[0]) || compareNumbers(Int(len(row)), b[0]) != 0 {
			x, ok := next()
			if !ok {
				break
			}
			row = append(row, x)
		}
		if row == nil {
			return nil, false
		}
		if !isNone(b[1]) && int64(len(row)) < n {
			missing := n - int64(len(row))
			st.many(missing)
			for ; missing > 0; missing-- {
				row = append(row, b[1])
			}
		}
		return &list{items: row}, true
	})
}

func filterSlice(st *state, v Value, a *args) Value {
	b := a.bind("slice", 1, "slices", "fill_with")
	var items []Value
	i, offset, n := -1, 0, 0
	return generator(func() (Value, bool) {
		if i < 0 {
			items = st.all(v)
			n = needInt(b[0])
			if n == 0 {
				raise("ZeroDivisionError", "integer division or modulo by zero")
			}
		}
		i++
		if i >= n {
			return nil, false
		}
		st.step(1)
		each, extra := len(items)/n, len(items)%n
		start := offset + i*each
		if i < extra {
			offset++
		}
		end := offset + (i+1)*each
		row := append([]Value(nil), items[start:end]...)
		if !isNone(b[1]) && i >= extra {
			row = append(row, b[1])
		}
		return &list{items: row}, true
	})
}
