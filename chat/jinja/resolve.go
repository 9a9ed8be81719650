package jinja

// scope is what the resolver knows about the frame it is in.
type scope struct {
	sym      *symbols
	toplevel bool // the template's own frame, ifs included
	soft     bool // in an if: a filter that is not there is an error only when it runs
	inLoop   bool // break and continue mean something
}

// resolver gives every name its variable and checks what Jinja2 checks when it compiles.
type resolver struct {
	blocks map[string]*block
}

func (r *resolver) template(body []stmt) (*frameInfo, bool) {
	r.collectBlocks(body)
	sym := newSymbols(nil)
	self := undeclared(body, "self")["self"]
	if self {
		sym.param("self")
	}
	sym.visit(body)
	r.body(body, scope{sym: sym, toplevel: true})
	for _, b := range r.blocks {
		r.block(b)
	}
	return sym.info(), self
}

// collectBlocks finds all blocks, however deep.
func (r *resolver) collectBlocks(body []stmt) {
	for _, n := range body {
		switch n := n.(type) {
		case *block:
			if r.blocks[n.name] != nil {
				assertAt(n.at(), "block "+quote(n.name)+" defined twice")
			}
			r.blocks[n.name] = n
			r.collectBlocks(n.body)
		case *ifStmt:
			r.collectBlocks(n.body)
			for _, e := range n.elif {
				r.collectBlocks(e.body)
			}
			r.collectBlocks(n.els)
		case *forStmt:
			r.collectBlocks(n.body)
			r.collectBlocks(n.els)
		case *setBlock:
			r.collectBlocks(n.body)
		case *withStmt:
			r.collectBlocks(n.body)
		case *filterBlock:
			r.collectBlocks(n.body)
		case *macroStmt:
			r.collectBlocks(n.def.body)
		case *callBlock:
			r.collectBlocks(n.def.body)
		case *autoescape:
			r.collectBlocks(n.body)
		}
	}
}

// block resolves a block's body, which sees nothing of the frames around it.
func (r *resolver) block(b *block) {
	sym := newSymbols(nil)
	for n := range undeclared(b.body, "self", "super") {
		sym.param(n)
	}
	sym.visit(b.body)
	r.body(b.body, scope{sym: sym})
	b.inner = sym.info()
	b.self, b.super = slotOf(sym, "self"), slotOf(sym, "super")
}

// slotOf gives the slot of a parameter, or -1.
func slotOf(sym *symbols, name string) int {
	if op, ok := sym.loads[name]; ok && op.kind == loadParam {
		return op.slot
	}
	return -1
}

func (r *resolver) body(list []stmt, sc scope) {
	for _, n := range list {
		r.stmt(n, sc)
	}
}

func (r *resolver) stmt(n stmt, sc scope) {
	switch n := n.(type) {
	case *output:
		r.expr(n.x, sc)
	case *ifStmt:
		r.ifStmt(n, sc)
	case *forStmt:
		r.forStmt(n, sc)
	case *setStmt:
		r.expr(n.x, sc)
		n.export = r.target(n.target, sc)
	case *setBlock:
		in := scope{sym: newSymbols(sc.sym), inLoop: sc.inLoop}
		in.sym.visit(n.body)
		r.body(n.body, in)
		if n.filter != nil {
			walkExpr(n.filter, func(x *name) { in.sym.load(x.id) })
			r.expr(n.filter, in)
		}
		n.export = r.target(n.target, sc)
		n.inner = in.sym.info()
	case *withStmt:
		r.withStmt(n, sc)
	case *filterBlock:
		in := scope{sym: newSymbols(sc.sym), inLoop: sc.inLoop}
		in.sym.visit(n.body)
		in.sym.expr(n.filter)
		r.body(n.body, in)
		r.expr(n.filter, in)
		n.inner = in.sym.info()
	case *macroStmt:
		r.macro(n.def, sc)
		n.ref, _ = sc.sym.find(n.name)
		n.export = sc.toplevel
	case *callBlock:
		r.macro(n.def, sc)
		if n.call != nil {
			r.expr(n.call, sc)
		}
	case *autoescape:
		in := scope{sym: newSymbols(sc.sym), inLoop: sc.inLoop}
		in.sym.expr(n.on)
		in.sym.visit(n.body)
		r.expr(n.on, in)
		r.body(n.body, in)
		n.inner = in.sym.info()
	case *block:
		for s := sc.sym; n.scoped && s != nil; s = s.parent {
			for name := range s.stores {
				v, _ := sc.sym.find(name)
				n.outer = append(n.outer, export{name, v})
			}
		}
	case *loopControl:
		if !sc.inLoop {
			if n.brk {
				pythonAt(n.at(), "'break' outside loop")
			}
			pythonAt(n.at(), "'continue' not properly in loop")
		}
	case *load:
		r.expr(n.template, sc)
	}
}

func (r *resolver) ifStmt(n *ifStmt, sc scope) {
	sc.soft = true
	r.expr(n.test, sc)
	r.body(n.body, sc)
	for _, e := range n.elif {
		r.expr(e.test, sc)
		r.body(e.body, sc)
	}
	r.body(n.els, sc)
}

func (r *resolver) forStmt(n *forStmt, sc scope) {
	loop := scope{sym: newSymbols(sc.sym), inLoop: true}
	n.extended = n.recursive || undeclared(n.body, "loop")["loop"] || hasScopedBlock(n.body)
	if n.extended {
		n.loopRef = ref{0, loop.sym.param("loop")}
	}
	loop.sym.target(n.target, true)
	loop.sym.visit(n.body)
	if n.test != nil {
		in := scope{sym: newSymbols(sc.sym)}
		in.sym.target(n.target, true)
		in.sym.expr(n.test)
		n.testTarget = cloneTarget(n.target)
		r.target(n.testTarget, in)
		r.expr(n.test, in)
		n.testInfo = in.sym.info()
	}
	noLoopStore(n)
	r.expr(n.iter, sc)
	r.target(n.target, loop)
	r.body(n.body, loop)
	n.inner = loop.sym.info()
	if n.els != nil {
		els := scope{sym: newSymbols(sc.sym), inLoop: sc.inLoop && !n.recursive}
		els.sym.visit(n.els)
		r.body(n.els, els)
		n.elseInfo = els.sym.info()
	}
}

func hasScopedBlock(list []stmt) bool {
	r := &resolver{blocks: map[string]*block{}}
	r.collectBlocks(list)
	for _, b := range r.blocks {
		if b.scoped {
			return true
		}
	}
	return false
}

// noLoopStore fails where a loop, or anything in it, assigns to loop.
func noLoopStore(n stmt) {
	stored(n, func(id string, line int) {
		if id == "loop" {
			assertAt(line, "Can't assign to special loop variable in for-loop target")
		}
	})
}

func (r *resolver) withStmt(n *withStmt, sc scope) {
	in := scope{sym: newSymbols(sc.sym), inLoop: sc.inLoop}
	for _, t := range n.targets {
		in.sym.target(t, true)
	}
	in.sym.visit(n.body)
	for i := range n.targets {
		r.expr(n.vals[i], sc)
		r.target(n.targets[i], in)
	}
	r.body(n.body, in)
	n.inner = in.sym.info()
}

// macro resolves a macro or call block, whose body is a function of its own.
func (r *resolver) macro(d *macroDef, sc scope) {
	in := scope{sym: newSymbols(sc.sym)}
	visit := func() {
		for _, p := range d.params {
			in.sym.param(p)
		}
		for _, x := range d.defaults {
			in.sym.expr(x)
		}
		in.sym.visit(d.body)
	}
	visit()
	found := undeclared(d.body, "caller", "kwargs", "varargs")
	d.caller, d.kwargs, d.varargs = -1, -1, -1
	for i, p := range d.params {
		if p == "caller" && found["caller"] && i < len(d.params)-len(d.defaults) {
			assertAt(d.line, `When defining macros or call blocks the special "caller" argument must be omitted or be given a default.`)
		}
		if p == "caller" {
			found["caller"] = false
		}
		if p == "kwargs" || p == "varargs" {
			found[p] = false
		}
	}
	for _, special := range []struct {
		name string
		slot *int
	}{{"caller", &d.caller}, {"kwargs", &d.kwargs}, {"varargs", &d.varargs}} {
		if found[special.name] {
			*special.slot = in.sym.param(special.name)
		}
	}
	visit()
	for _, p := range d.params {
		d.slots = append(d.slots, in.sym.slot(p))
	}
	for _, x := range d.defaults {
		r.expr(x, in)
	}
	r.body(d.body, in)
	d.inner = in.sym.info()
}

// target resolves an assignment target and tells what blocks have to see of it.
func (r *resolver) target(x expr, sc scope) (out []export) {
	switch x := x.(type) {
	case *name:
		x.ref, _ = sc.sym.find(x.id)
		if sc.toplevel && len(r.blocks) > 0 {
			out = append(out, export{x.id, x.ref})
		}
	case *nsRef:
		x.ref, _ = sc.sym.find(x.id)
	case *listExpr:
		for _, item := range x.items {
			out = append(out, r.target(item, sc)...)
		}
	}
	return out
}

func (r *resolver) expr(x expr, sc scope) {
	switch x := x.(type) {
	case *name:
		x.ref, _ = sc.sym.find(x.id)
	case *cond:
		sc.soft = true
	case *filter:
		x.fn = builtinFilters[x.name]
		if x.fn.call == nil && !sc.soft {
			assertAt(x.at(), "No filter named "+quote(x.name)+".")
		}
	case *test:
		x.fn = builtinTests[x.name]
		if x.fn.call == nil && !sc.soft {
			assertAt(x.at(), "No test named "+quote(x.name)+".")
		}
	}
	children(x, func(e expr) { r.expr(e, sc) })
}
