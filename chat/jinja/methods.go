package jinja

// dictMethods are the methods of dict that do not change it.
var dictMethods = methodTable{
	"keys":   viewMethod(viewKeys),
	"values": viewMethod(viewValues),
	"items":  viewMethod(viewItems),
	"get": func(st *state, self Value, a *args) Value {
		a.noNames("dict.get")
		if len(a.pos) < 1 || len(a.pos) > 2 {
			raise("TypeError", "get expected 1 or 2 arguments, got %d", len(a.pos))
		}
		if v, ok := self.(*dict).get(a.pos[0]); ok {
			return v
		}
		if len(a.pos) == 2 {
			return a.pos[1]
		}
		return None{}
	},
	"copy":     func(st *state, self Value, a *args) Value { a.bind("copy", 0); return self.(*dict).copy(st) },
	"fromkeys": func(st *state, _ Value, a *args) Value { return fromKeys(st, a) },
}

func viewMethod(kind viewKind) func(*state, Value, *args) Value {
	return func(_ *state, self Value, a *args) Value {
		if len(a.pos)+len(a.names) > 0 {
			raise("TypeError", "dict.%s() takes no arguments (%d given)", string(kind)[5:], len(a.pos)+len(a.names))
		}
		return &dictView{self.(*dict), kind}
	}
}

func (d *dict) copy(st *state) *dict {
	st.items(2 * d.len())
	c := newDict(d.len())
	for i, k := range d.keys {
		c.set(k, d.vals[i])
	}
	return c
}

func fromKeys(st *state, a *args) Value {
	b := a.bind("fromkeys", 1, "iterable", "value")
	d := newDict(0)
	v := b[1]
	if v == nil {
		v = None{}
	}
	for _, k := range st.all(b[0]) {
		d.set(k, v)
	}
	return d
}

// listAttribute gives an attribute of a list or tuple.
func listAttribute(l *list, name string) Value {
	switch name {
	case "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove":
		if !l.tuple {
			return unsafe(l, name)
		}
	case "copy":
		if !l.tuple {
			return &native{name, func(_ *state, a *args) Value { a.bind("copy", 0); return &list{items: l.items} }}
		}
	case "count":
		return &native{name, l.count}
	case "index":
		return &native{name, l.index}
	case "grouper", "list":
		if l.group && name == "grouper" {
			return l.items[0]
		} else if l.group {
			return l.items[1]
		}
	}
	return nil
}

func (l *list) count(st *state, a *args) Value {
	x := a.bind("count", 1, "value")[0]
	n := 0
	for _, v := range l.items {
		if st.same(v, x) {
			n++
		}
	}
	return Int(n)
}

func (l *list) index(st *state, a *args) Value {
	b := a.bind("index", 1, "value", "start", "stop")
	s := &sliceValue{None{}, None{}, None{}}
	if b[1] != nil {
		s.start = b[1]
	}
	if b[2] != nil {
		s.stop = b[2]
	}
	start, stop, _ := sliceBounds(s, len(l.items))
	for i := start; i < stop; i++ {
		if st.same(l.items[i], b[0]) {
			return Int(i)
		}
	}
	raise("ValueError", "%s is not in list", st.repr(b[0]))
	return nil
}
