package jinja

import "strings"

// newGlobals gives the functions that templates can call: Jinja2's and those that transformers adds. lipsum is there but
// refuses, because its text is random.
func newGlobals() map[string]Value {
	return map[string]Value{
		"range":           &native{"range", makeRange},
		"dict":            dictType{},
		"namespace":       &native{"namespace", makeNamespace},
		"cycler":          &native{"cycler", makeCycler},
		"joiner":          &native{"joiner", makeJoiner},
		"lipsum":          &native{"lipsum", func(*state, *args) Value { raise("SecurityError", "lipsum is random"); return nil }},
		"raise_exception": &native{"raise_exception", raiseException},
		"strftime_now":    &native{"strftime_now", strftimeNow},
	}
}

func raiseException(st *state, a *args) Value {
	v := a.bind("raise_exception", 1, "message")[0]
	raise("TemplateError", "%s", st.display(v))
	return nil
}

func strftimeNow(st *state, a *args) Value {
	f, ok := text(a.bind("strftime_now", 1, "format")[0])
	if !ok {
		raise("TypeError", "strftime() argument 1 must be str")
	}
	return String(strftime(st, f))
}

func makeRange(_ *state, a *args) Value {
	a.noNames("range")
	if len(a.pos) == 0 || len(a.pos) > 3 {
		raise("TypeError", "range expected at least 1 argument, got %d", len(a.pos))
	}
	n := []int64{0, 0, 1}
	for i, v := range a.pos {
		checkDefined(v)
		n[i] = int64(needInt(v))
	}
	if len(a.pos) == 1 {
		n[0], n[1] = 0, n[0]
	}
	if n[2] == 0 {
		raise("ValueError", "range() arg 3 must not be zero")
	}
	r := newRange(n[0], n[1], n[2])
	if r.n > maxRange {
		raise("OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
	}
	return r
}

func newRange(start, stop, step int64) *rangeValue {
	n := int64(0)
	if step > 0 && start < stop {
		n = (stop-start-1)/step + 1
	} else if step < 0 && start > stop {
		n = (start-stop-1)/-step + 1
	}
	return &rangeValue{start, stop, step, n}
}

// dictType is the global dict: callable, with fromkeys.
type dictType struct{}

func (dictType) typeName() string { return "TemplateDict" }

// makeDict is dict(mapping or pairs, **named).
func makeDict(st *state, a *args) *dict {
	d := newDict(0)
	if len(a.pos) > 1 {
		raise("TypeError", "dict expected at most 1 argument, got %d", len(a.pos))
	}
	if len(a.pos) == 1 {
		if src, ok := a.pos[0].(*dict); ok {
			d = src.copy(st)
		} else {
			next := st.iter(a.pos[0])
			for {
				v, ok := next()
				if !ok {
					break
				}
				pair := st.unpack(v, 2)
				d.set(pair[0], pair[1])
			}
		}
	}
	for i, n := range a.names {
		d.set(String(n), a.vals[i])
	}
	return d
}

func makeNamespace(st *state, a *args) Value {
	d := makeDict(st, a)
	for _, k := range d.keys {
		if s, ok := text(k); ok {
			checkAttrName(s)
		}
	}
	return &namespace{d}
}

// checkAttrName is transformers' rule for namespaces.
func checkAttrName(name string) {
	if strings.HasPrefix(name, "_") {
		raise("SecurityError", "Chat templates cannot store underscore-prefixed attributes on a namespace, but got %s. Please rename the attribute.", quote(name))
	}
}

// cycler gives its items in turn.
type cycler struct {
	items []Value
	pos   int
}

func (*cycler) typeName() string { return "Cycler" }

func makeCycler(_ *state, a *args) Value {
	a.noNames("cycler")
	if len(a.pos) == 0 {
		raise("RuntimeError", "at least one item has to be provided")
	}
	return &cycler{items: a.pos}
}

func (c *cycler) attr(name string) Value {
	switch name {
	case "current":
		return c.items[c.pos]
	case "items":
		return tuple(c.items...)
	case "pos":
		return Int(c.pos)
	case "next":
		return &native{name, func(*state, *args) Value {
			v := c.items[c.pos]
			c.pos = (c.pos + 1) % len(c.items)
			return v
		}}
	case "reset":
		return &native{name, func(*state, *args) Value { c.pos = 0; return None{} }}
	}
	return nil
}

// joiner gives "" once and then its separator.
type joiner struct {
	sep  Value
	used bool
}

func (*joiner) typeName() string { return "Joiner" }

func makeJoiner(_ *state, a *args) Value {
	sep := a.bind("joiner", 0, "sep")[0]
	if sep == nil {
		sep = String(", ")
	}
	return &joiner{sep: sep}
}

func (j *joiner) next() Value {
	if !j.used {
		j.used = true
		return String("")
	}
	return j.sep
}
