package jinja

// control tells how a statement ended.
type control uint8

const (
	goOn control = iota
	doBreak
	doContinue
)

func (st *state) run(list []stmt, f *frame) control {
	for _, n := range list {
		if c := st.exec(n, f); c != goOn {
			return c
		}
	}
	return goOn
}

func (st *state) exec(n stmt, f *frame) control {
	st.step(1)
	st.line = n.at()
	switch n := n.(type) {
	case *data:
		st.write(n.text)
	case *output:
		st.print(st.eval(n.x, f))
	case *ifStmt:
		return st.execIf(n, f)
	case *forStmt:
		return st.execFor(n, f)
	case *setStmt:
		st.checkNamespaces(n.target, f)
		v := st.eval(n.x, f)
		st.line = n.at()
		st.assign(n.target, v, f)
		st.export(n.export, f)
	case *setBlock:
		return st.execSetBlock(n, f)
	case *withStmt:
		in := st.enter(n.inner, f)
		for i, t := range n.targets {
			st.assign(t, st.eval(n.vals[i], f), in)
		}
		return st.run(n.body, in)
	case *filterBlock:
		in := st.enter(n.inner, f)
		text, c := st.capture(func() control { return st.run(n.body, in) })
		if c != goOn {
			return c
		}
		st.line = n.at()
		st.print(st.filterChain(n.filter, st.marked(text), in))
	case *macroStmt:
		m := &macro{n.def, f, st.autoescape}
		if n.export {
			st.ctx.vars[n.name] = m
		}
		f.set(n.ref, m)
	case *callBlock:
		st.execCallBlock(n, f)
	case *autoescape:
		in := st.enter(n.inner, f)
		saved := st.autoescape
		st.autoescape = truth(st.eval(n.on, in))
		c := st.run(n.body, in)
		st.autoescape = saved
		return c
	case *block:
		st.execBlock(n, f)
	case *loopControl:
		if n.brk {
			return doBreak
		}
		return doContinue
	case *load:
		st.eval(n.template, f)
		raise("TypeError", "no loader for this environment specified")
	}
	return goOn
}

// marked gives captured text, which is safe where autoescape is on.
func (st *state) marked(s string) Value {
	if st.autoescape {
		return markup(s)
	}
	return String(s)
}

// print writes v as {{ v }} does.
func (st *state) print(v Value) {
	if s, ok := v.(String); ok && !st.autoescape {
		st.write(string(s))
		return
	}
	if st.autoescape {
		st.write(string(st.escape(v)))
		return
	}
	st.write(st.display(v))
}

func (st *state) execIf(n *ifStmt, f *frame) control {
	if truth(st.eval(n.test, f)) {
		return st.run(n.body, f)
	}
	for _, e := range n.elif {
		st.line = e.at()
		if truth(st.eval(e.test, f)) {
			return st.run(e.body, f)
		}
	}
	return st.run(n.els, f)
}

// checkNamespaces raises unless every ns.attr of the target means a namespace.
func (st *state) checkNamespaces(x expr, f *frame) {
	switch x := x.(type) {
	case *nsRef:
		if _, ok := f.get(x.ref).(*namespace); !ok {
			raise("TemplateRuntimeError", "cannot assign attribute on non-namespace object")
		}
	case *listExpr:
		for _, item := range x.items {
			st.checkNamespaces(item, f)
		}
	}
}

func (st *state) assign(target expr, v Value, f *frame) {
	switch t := target.(type) {
	case *name:
		f.set(t.ref, v)
	case *nsRef:
		ns, ok := f.get(t.ref).(*namespace)
		if !ok {
			raise("TypeError", "%s object does not support item assignment", quote(typeNameOf(f.get(t.ref))))
		}
		checkAttrName(t.attr)
		ns.attrs.set(String(t.attr), v)
	case *listExpr:
		for i, x := range st.unpack(v, len(t.items)) {
			st.assign(t.items[i], x, f)
		}
	}
}

func typeNameOf(v Value) string {
	if v == nil {
		return "object"
	}
	return v.typeName()
}

// unpack takes exactly n values out of v.
func (st *state) unpack(v Value, n int) []Value {
	next := st.tryIter(v)
	if next == nil {
		raise("TypeError", "cannot unpack non-iterable %s object", v.typeName())
	}
	var out []Value
	for {
		x, ok := next()
		if !ok {
			break
		}
		if len(out) == n {
			raise("ValueError", "too many values to unpack (expected %d)", n)
		}
		out = append(out, x)
	}
	if len(out) < n {
		raise("ValueError", "not enough values to unpack (expected %d, got %d)", n, len(out))
	}
	return out
}

// export makes top-level variables visible in blocks.
func (st *state) export(list []export, f *frame) {
	for _, e := range list {
		st.ctx.vars[e.name] = f.get(e.ref)
	}
}

func (st *state) execSetBlock(n *setBlock, f *frame) control {
	in := st.enter(n.inner, f)
	text, c := st.capture(func() control { return st.run(n.body, in) })
	if c != goOn {
		return c
	}
	v := Value(String(text))
	if n.filter != nil {
		v = st.filterChain(n.filter, st.marked(text), in)
	}
	if st.autoescape {
		v = markup(st.display(v))
	}
	st.line = n.at()
	st.checkNamespaces(n.target, f)
	st.assign(n.target, v, f)
	st.export(n.export, f)
	return goOn
}

func (st *state) execCallBlock(n *callBlock, f *frame) {
	m := &macro{n.def, f, st.autoescape}
	if n.call == nil {
		st.print(st.callMacro(m, &args{}))
		return
	}
	fn := st.eval(n.call.fn, f)
	a := st.args(&n.call.callArgs, f)
	for _, k := range a.names {
		if k == "caller" {
			raise("TypeError", "got multiple values for keyword argument 'caller'")
		}
	}
	a.names, a.vals = append(a.names, "caller"), append(a.vals, m)
	st.line = n.at()
	st.print(st.call(fn, a))
}

func (st *state) execBlock(b *block, f *frame) {
	saved := st.ctx
	st.ctx = f.ctx
	if b.scoped {
		vars := make(map[string]Value, len(f.ctx.vars)+len(b.outer))
		for k, v := range f.ctx.vars {
			vars[k] = v
		}
		for _, o := range b.outer {
			if v := f.get(o.ref); v != nil {
				vars[o.name] = v
			}
		}
		st.items(len(vars))
		st.ctx = &context{vars, saved.globals}
	}
	if b.required {
		raise("TemplateRuntimeError", "Required block %s not found", quote(b.name))
	}
	st.runBlock(b)
	st.ctx = saved
}

func (st *state) runBlock(b *block) {
	st.enterCall()
	in := st.enter(b.inner, nil)
	if b.self >= 0 {
		in.slots[b.self] = selfRef{}
	}
	if b.super >= 0 {
		in.slots[b.super] = &undefined{"there is no parent block called " + quote(b.name) + ".", "UndefinedError"}
	}
	st.run(b.body, in)
	st.calls--
}

// selfRef is the template itself: self.name() renders a block once more.
type selfRef struct{}

func (selfRef) typeName() string { return "TemplateReference" }
