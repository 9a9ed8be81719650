package jinja

// children calls f for each direct operand of x, in Jinja2's order.
func children(x expr, f func(expr)) {
	each := func(list []expr) {
		for _, e := range list {
			f(e)
		}
	}
	opt := func(list ...expr) {
		for _, e := range list {
			if e != nil {
				f(e)
			}
		}
	}
	argsOf := func(a *callArgs) {
		each(a.args)
		each(a.vals)
		opt(a.dynArgs, a.dynNamed)
	}
	switch x := x.(type) {
	case *listExpr:
		each(x.items)
	case *dictExpr:
		for i := range x.keys {
			f(x.keys[i])
			f(x.vals[i])
		}
	case *getAttr:
		f(x.x)
	case *getItem:
		f(x.x)
		f(x.key)
	case *sliceExpr:
		opt(x.start, x.stop, x.step)
	case *call:
		f(x.fn)
		argsOf(&x.callArgs)
	case *filter:
		opt(x.x)
		argsOf(&x.callArgs)
	case *test:
		f(x.x)
		argsOf(&x.callArgs)
	case *cond:
		opt(x.test, x.yes, x.no)
	case *logical:
		f(x.left)
		f(x.right)
	case *unary:
		f(x.x)
	case *binary:
		f(x.left)
		f(x.right)
	case *concat:
		each(x.parts)
	case *compare:
		f(x.first)
		each(x.rest)
	}
}

// walkExpr calls f for each name in x.
func walkExpr(x expr, f func(*name)) {
	if n, ok := x.(*name); ok {
		f(n)
		return
	}
	children(x, func(e expr) { walkExpr(e, f) })
}

// undeclared tells which of names the statements read before they assign them, in whatever frame. Blocks are left out.
func undeclared(list []stmt, names ...string) map[string]bool {
	u := &undeclaredVisitor{left: map[string]bool{}, found: map[string]bool{}}
	for _, n := range names {
		u.left[n] = true
	}
	u.body(list)
	return u.found
}

type undeclaredVisitor struct{ left, found map[string]bool }

func (u *undeclaredVisitor) exprs(list ...expr) {
	for _, x := range list {
		if x != nil {
			walkExpr(x, func(n *name) {
				if u.left[n.id] {
					u.found[n.id] = true
				}
			})
		}
	}
}

func (u *undeclaredVisitor) target(x expr) {
	switch x := x.(type) {
	case *name:
		delete(u.left, x.id)
	case *listExpr:
		for _, item := range x.items {
			u.target(item)
		}
	}
}

func (u *undeclaredVisitor) macro(d *macroDef) {
	for _, p := range d.params {
		delete(u.left, p)
	}
	u.exprs(d.defaults...)
	u.body(d.body)
}

func (u *undeclaredVisitor) body(list []stmt) {
	for _, n := range list {
		u.stmt(n)
	}
}

func (u *undeclaredVisitor) stmt(n stmt) {
	switch n := n.(type) {
	case *output:
		u.exprs(n.x)
	case *ifStmt:
		u.exprs(n.test)
		u.body(n.body)
		for _, e := range n.elif {
			u.stmt(e)
		}
		u.body(n.els)
	case *forStmt:
		u.target(n.target)
		u.exprs(n.iter)
		u.body(n.body)
		u.body(n.els)
		u.exprs(n.test)
	case *setStmt:
		u.target(n.target)
		u.exprs(n.x)
	case *setBlock:
		u.target(n.target)
		u.exprs(n.filter)
		u.body(n.body)
	case *withStmt:
		for _, t := range n.targets {
			u.target(t)
		}
		u.exprs(n.vals...)
		u.body(n.body)
	case *filterBlock:
		u.body(n.body)
		u.exprs(n.filter)
	case *macroStmt:
		u.macro(n.def)
	case *callBlock:
		if n.call != nil {
			u.exprs(n.call)
		}
		u.macro(n.def)
	case *autoescape:
		u.exprs(n.on)
		u.body(n.body)
	case *load:
		u.exprs(n.template)
	}
}

// cloneTarget copies an assignment target, so that it can be resolved in another frame.
func cloneTarget(x expr) expr {
	switch x := x.(type) {
	case *name:
		c := *x
		return &c
	case *listExpr:
		c := &listExpr{x.pos, make([]expr, len(x.items)), x.tuple}
		for i, item := range x.items {
			c.items[i] = cloneTarget(item)
		}
		return c
	}
	return x
}

// stored calls f for each name that n assigns, at any depth.
func stored(n stmt, f func(id string, line int)) {
	var target func(x expr)
	target = func(x expr) {
		switch x := x.(type) {
		case *name:
			f(x.id, x.at())
		case *listExpr:
			for _, item := range x.items {
				target(item)
			}
		}
	}
	body := func(lists ...[]stmt) {
		for _, l := range lists {
			for _, s := range l {
				stored(s, f)
			}
		}
	}
	switch n := n.(type) {
	case *ifStmt:
		body(n.body, n.els)
		for _, e := range n.elif {
			stored(e, f)
		}
	case *forStmt:
		target(n.target)
		body(n.body, n.els)
	case *setStmt:
		target(n.target)
	case *setBlock:
		target(n.target)
		body(n.body)
	case *withStmt:
		body(n.body)
	case *filterBlock:
		body(n.body)
	case *macroStmt:
		body(n.def.body)
	case *callBlock:
		body(n.def.body)
	case *autoescape:
		body(n.body)
	case *block:
		body(n.body)
	}
}
