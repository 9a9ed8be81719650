package jinja

import (
	"strings"
)

func (st *state) eval(x expr, f *frame) Value {
	st.step(1)
	switch x := x.(type) {
	case *constant:
		return x.v
	case *name:
		if v := f.get(x.ref); v != nil {
			return v
		}
		return &undefined{quote(x.id) + " is undefined", "UndefinedError"}
	case *getAttr:
		v := st.eval(x.x, f)
		st.line = x.at()
		return st.getattr(v, x.attr)
	case *getItem:
		return st.evalItem(x, f)
	case *call:
		fn := st.eval(x.fn, f)
		a := st.args(&x.callArgs, f)
		st.line = x.at()
		return st.call(fn, a)
	case *filter:
		return st.evalFilter(x, st.eval(x.x, f), f)
	case *test:
		return st.evalTest(x, f)
	case *binary:
		l, r := st.eval(x.left, f), st.eval(x.right, f)
		st.line = x.at()
		return st.arith(x.op, l, r)
	case *logical:
		l := st.eval(x.left, f)
		if truth(l) != x.and {
			return l
		}
		return st.eval(x.right, f)
	case *unary:
		v := st.eval(x.x, f)
		st.line = x.at()
		return st.unary(x.op, v)
	case *cond:
		return st.evalCond(x, f)
	case *compare:
		return st.evalCompare(x, f)
	case *concat:
		return st.evalConcat(x, f)
	case *listExpr:
		return &list{items: st.evalAll(x.items, f), tuple: x.tuple}
	case *dictExpr:
		d := newDict(len(x.keys))
		for i := range x.keys {
			k := st.eval(x.keys[i], f)
			v := st.eval(x.vals[i], f)
			st.line = x.at()
			d.set(k, v)
		}
		return d
	case *sliceExpr:
		return st.evalSlice(x, f)
	}
	panic("BUG: no such expression")
}

func (st *state) evalAll(list []expr, f *frame) []Value {
	out := make([]Value, len(list))
	for i, x := range list {
		out[i] = st.eval(x, f)
	}
	return out
}

func (st *state) evalItem(x *getItem, f *frame) Value {
	v := st.eval(x.x, f)
	if s, ok := x.key.(*sliceExpr); ok {
		bounds := st.evalSlice(s, f)
		st.line = x.at()
		return st.slice(v, bounds)
	}
	k := st.eval(x.key, f)
	st.line = x.at()
	return st.getitem(v, k)
}

// sliceValue is a slice object: [start:stop:step] between other subscripts.
type sliceValue struct{ start, stop, step Value }

func (*sliceValue) typeName() string { return "slice" }

func (st *state) evalSlice(x *sliceExpr, f *frame) *sliceValue {
	s := &sliceValue{None{}, None{}, None{}}
	if x.start != nil {
		s.start = st.eval(x.start, f)
	}
	if x.stop != nil {
		s.stop = st.eval(x.stop, f)
	}
	if x.step != nil {
		s.step = st.eval(x.step, f)
	}
	return s
}

func (st *state) evalCond(x *cond, f *frame) Value {
	if truth(st.eval(x.test, f)) {
		return st.eval(x.yes, f)
	}
	if x.no == nil {
		return &undefined{"the inline if-expression on line " + itoa(x.at()) +
			" evaluated to false and no else section was defined.", "UndefinedError"}
	}
	return st.eval(x.no, f)
}

func (st *state) evalCompare(x *compare, f *frame) Value {
	left := st.eval(x.first, f)
	for i, op := range x.ops {
		right := st.eval(x.rest[i], f)
		st.line = x.at()
		if !st.compare(op, left, right) {
			return Bool(false)
		}
		left = right
	}
	return Bool(true)
}

func (st *state) evalConcat(x *concat, f *frame) Value {
	vals := st.evalAll(x.parts, f)
	st.line = x.at()
	var b strings.Builder
	for _, v := range vals {
		s := ""
		if st.autoescape {
			s = string(st.escape(v))
		} else {
			s = st.display(v)
		}
		st.grow(b.Len(), len(s))
		b.WriteString(s)
	}
	return st.marked(b.String())
}

// args evaluates the arguments of a call.
func (st *state) args(c *callArgs, f *frame) *args {
	a := &args{pos: st.evalAll(c.args, f), names: append([]string(nil), c.names...), vals: st.evalAll(c.vals, f)}
	for i, n := range a.names {
		for _, m := range a.names[:i] {
			if n == m {
				raise("SyntaxError", "keyword argument repeated: %s", n)
			}
		}
	}
	if c.dynArgs != nil {
		v := st.eval(c.dynArgs, f)
		next := st.tryIter(v)
		if next == nil {
			raise("TypeError", "argument after * must be an iterable, not %s", v.typeName())
		}
		a.pos = append(a.pos, st.drain(next)...)
	}
	if c.dynNamed != nil {
		st.dynNamed(a, st.eval(c.dynNamed, f))
	}
	return a
}

func (st *state) dynNamed(a *args, v Value) {
	d, ok := v.(*dict)
	if !ok {
		raise("TypeError", "argument after ** must be a mapping, not %s", v.typeName())
	}
	st.items(d.len())
	seen := map[string]bool{}
	for _, n := range a.names {
		seen[n] = true
	}
	for i, k := range d.keys {
		s, ok := text(k)
		if !ok {
			raise("TypeError", "keywords must be strings")
		}
		if seen[s] {
			raise("TypeError", "got multiple values for keyword argument %s", quote(s))
		}
		seen[s] = true
		a.names, a.vals = append(a.names, s), append(a.vals, d.vals[i])
	}
}

func (st *state) call(fn Value, a *args) Value {
	switch fn := fn.(type) {
	case *macro:
		return st.callMacro(fn, a)
	case *native:
		return fn.call(st, a)
	case *loop:
		return st.callLoop(fn, a)
	case *joiner:
		a.bind("joiner", 0)
		return fn.next()
	case dictType:
		return makeDict(st, a)
	case *undefined:
		raise(fn.kind, "%s", fn.hint)
	}
	raise("TypeError", "%s object is not callable", quote(fn.typeName()))
	return nil
}

func (st *state) callLoop(l *loop, a *args) Value {
	v := a.bind("loop", 1, "iterable")[0]
	if l.recurse == nil {
		raise("TypeError", "The loop must have the 'recursive' marker to be called recursively.")
	}
	return l.recurse(v, l.depth0+1)
}

// filterChain applies filters that have no operand of their own to v.
func (st *state) filterChain(x expr, v Value, f *frame) Value {
	flt := x.(*filter)
	if flt.x != nil {
		v = st.filterChain(flt.x, v, f)
	}
	return st.evalFilter(flt, v, f)
}

func (st *state) evalFilter(x *filter, v Value, f *frame) Value {
	a := st.args(&x.callArgs, f)
	st.line = x.at()
	if x.fn.call == nil {
		raise("TemplateRuntimeError", "No filter named %s found.", quote(x.name))
	}
	return x.fn.call(st, v, a)
}

func (st *state) evalTest(x *test, f *frame) Value {
	v := st.eval(x.x, f)
	a := st.args(&x.callArgs, f)
	st.line = x.at()
	if x.fn.call == nil {
		raise("TemplateRuntimeError", "No test named %s found.", quote(x.name))
	}
	return x.fn.call(st, v, a)
}

// builtin is a filter or test: what it makes of v.
type builtin struct {
	call func(st *state, v Value, a *args) Value
}
