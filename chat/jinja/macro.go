package jinja

// macro is a macro, or the body of a call block, with the frame that it was defined in.
type macro struct {
	def        *macroDef
	frame      *frame
	autoescape bool
}

func (*macro) typeName() string { return "Macro" }

// args are the arguments of a call.
type args struct {
	pos   []Value
	names []string
	vals  []Value
}

func (a *args) named(name string) Value {
	for i, n := range a.names {
		if n == name {
			return a.vals[i]
		}
	}
	return nil
}

// take removes a keyword argument and gives it, nil if it is not there.
func (a *args) take(name string) Value {
	for i, n := range a.names {
		if n == name {
			v := a.vals[i]
			a.names = append(a.names[:i:i], a.names[i+1:]...)
			a.vals = append(a.vals[:i:i], a.vals[i+1:]...)
			return v
		}
	}
	return nil
}

func (a *args) noNames(fn string) {
	if len(a.names) > 0 {
		raise("TypeError", "%s() takes no keyword arguments", fn)
	}
}

// bind gives the arguments in the order of names, nil for one that was not given. The first required must be there.
func (a *args) bind(fn string, required int, names ...string) []Value {
	if len(a.pos) > len(names) {
		raise("TypeError", "%s() takes at most %d arguments (%d given)", fn, len(names), len(a.pos))
	}
	out := make([]Value, len(names))
	copy(out, a.pos)
	for i, n := range a.names {
		k := -1
		for j := range names {
			if names[j] == n {
				k = j
			}
		}
		if k < 0 {
			raise("TypeError", "%s() got an unexpected keyword argument %s", fn, quote(n))
		}
		if out[k] != nil {
			raise("TypeError", "%s() got multiple values for argument %s", fn, quote(n))
		}
		out[k] = a.vals[i]
	}
	for i := 0; i < required; i++ {
		if out[i] == nil {
			raise("TypeError", "%s() missing 1 required positional argument: %s", fn, quote(names[i]))
		}
	}
	return out
}

// callMacro runs a macro and gives its text.
func (st *state) callMacro(m *macro, a *args) Value {
	st.enterCall()
	line, ctx, escape := st.line, st.ctx, st.autoescape
	if m.frame != nil {
		st.ctx = m.frame.ctx
	}
	in := st.enter(m.def.inner, m.frame)
	st.bindMacro(m, a, in)
	st.autoescape = m.autoescape
	st.defaults(m.def, in)
	text, _ := st.capture(func() control { return st.run(m.def.body, in) })
	st.line, st.ctx, st.autoescape = line, ctx, escape
	st.calls--
	return st.marked(text)
}

func (st *state) bindMacro(m *macro, a *args, in *frame) {
	d := m.def
	explicitCaller := false
	for i, slot := range d.slots {
		if d.params[i] == "caller" {
			explicitCaller = true
		}
		if i < len(a.pos) {
			in.slots[slot] = a.pos[i]
		} else {
			in.slots[slot] = a.take(d.params[i])
		}
	}
	if d.caller >= 0 && !explicitCaller {
		v := a.take("caller")
		if v == nil || v == (None{}) {
			v = &undefined{"No caller defined", "UndefinedError"}
		}
		in.slots[d.caller] = v
	}
	if d.kwargs >= 0 {
		in.slots[d.kwargs] = namedDict(a)
	} else if len(a.names) > 0 {
		if a.named("caller") != nil {
			raise("TypeError", "macro %s was invoked with two values for the special caller argument. This is most likely a bug.", macroName(m))
		}
		raise("TypeError", "macro %s takes no keyword argument %s", macroName(m), quote(a.names[0]))
	}
	extra := a.pos[min(len(d.params), len(a.pos)):]
	if d.varargs >= 0 {
		in.slots[d.varargs] = tuple(extra...)
	} else if len(extra) > 0 {
		raise("TypeError", "macro %s takes not more than %d argument(s)", macroName(m), len(d.params))
	}
}

func macroName(m *macro) string {
	if m.def.name == "" {
		return "None"
	}
	return quote(m.def.name)
}

func namedDict(a *args) *dict {
	d := newDict(len(a.names))
	for i, n := range a.names {
		d.set(String(n), a.vals[i])
	}
	return d
}

// defaults fills the parameters that were not given.
func (st *state) defaults(d *macroDef, in *frame) {
	for i, slot := range d.slots {
		if in.slots[slot] != nil {
			continue
		}
		if k := i - (len(d.slots) - len(d.defaults)); k >= 0 {
			in.slots[slot] = st.eval(d.defaults[k], in)
		} else {
			in.slots[slot] = &undefined{"parameter " + quote(d.params[i]) + " was not provided", "UndefinedError"}
		}
	}
}
