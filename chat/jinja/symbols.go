package jinja

// Jinja2 decides at compile time which variable a name means, and templates depend on it: a name that a frame assigns
// anywhere is that frame's own from its start. This file does what jinja2.idtracking does.

// ref is a variable: a slot of the frame that is hops frames out.
type ref struct{ hops, slot int }

type loadKind uint8

const (
	loadParam   loadKind = iota // somebody else fills the slot
	loadResolve                 // from the context, by name
	loadAlias                   // from a frame further out
	loadMissing                 // not there until it is assigned
)

type loadOp struct {
	slot int
	kind loadKind
	name string
	from ref // of loadAlias, seen from the parent frame
}

// frameInfo tells how to make a frame.
type frameInfo struct {
	n     int
	loads []loadOp
}

type export struct {
	name string
	ref  ref
}

// symbols are the names of one frame while it is analysed.
type symbols struct {
	parent *symbols
	slots  map[string]int // shared by the copies made for branches
	refs   map[string]bool
	loads  map[string]loadOp
	stores map[string]bool
}

func newSymbols(parent *symbols) *symbols {
	return &symbols{parent, map[string]int{}, map[string]bool{}, map[string]loadOp{}, map[string]bool{}}
}

func (s *symbols) slot(name string) int {
	i, ok := s.slots[name]
	if !ok {
		i = len(s.slots)
		s.slots[name] = i
	}
	return i
}

func (s *symbols) find(name string) (ref, bool) {
	hops := 0
	for ; s != nil; s = s.parent {
		if s.refs[name] {
			return ref{hops, s.slot(name)}, true
		}
		hops++
	}
	return ref{}, false
}

func (s *symbols) define(name string, op loadOp) int {
	op.slot, op.name = s.slot(name), name
	s.refs[name] = true
	s.loads[name] = op
	return op.slot
}

func (s *symbols) store(name string) {
	s.stores[name] = true
	if s.refs[name] {
		return
	}
	if outer, ok := s.parent.find(name); ok {
		s.define(name, loadOp{kind: loadAlias, from: outer})
		return
	}
	s.define(name, loadOp{kind: loadMissing})
}

func (s *symbols) param(name string) int {
	s.stores[name] = true
	return s.define(name, loadOp{kind: loadParam})
}

func (s *symbols) load(name string) {
	if _, ok := s.find(name); !ok {
		s.define(name, loadOp{kind: loadResolve})
	}
}

func (s *symbols) copy() *symbols {
	c := &symbols{s.parent, s.slots, map[string]bool{}, map[string]loadOp{}, map[string]bool{}}
	c.merge(s)
	return c
}

func (s *symbols) merge(o *symbols) {
	for k := range o.refs {
		s.refs[k] = true
	}
	for k, v := range o.loads {
		s.loads[k] = v
	}
	for k := range o.stores {
		s.stores[k] = true
	}
}

// branches takes over what the branches of an if did. A name that only they store keeps its outer value where a branch
// was not taken.
func (s *symbols) branches(all ...*symbols) {
	fresh := map[string]bool{}
	for _, b := range all {
		for k := range b.stores {
			if !s.stores[k] {
				fresh[k] = true
			}
		}
	}
	for _, b := range all {
		s.merge(b)
	}
	for k := range fresh {
		op := loadOp{slot: s.slot(k), kind: loadResolve, name: k}
		if outer, ok := s.parent.find(k); ok {
			op.kind, op.from = loadAlias, outer
		}
		s.loads[k] = op
	}
}

// info gives the finished frame.
func (s *symbols) info() *frameInfo {
	f := &frameInfo{n: len(s.slots)}
	for _, op := range s.loads {
		if op.kind == loadResolve || op.kind == loadAlias {
			f.loads = append(f.loads, op)
		}
	}
	return f
}

// visit notes what the statements read and assign in this frame; bodies with frames of their own are left out.
func (s *symbols) visit(list []stmt) {
	for _, n := range list {
		s.visitOne(n)
	}
}

func (s *symbols) visitOne(n stmt) {
	switch n := n.(type) {
	case *output:
		s.expr(n.x)
	case *ifStmt:
		s.expr(n.test)
		body, elif, els := s.copy(), s.copy(), s.copy()
		body.visit(n.body)
		for _, e := range n.elif {
			elif.visitOne(e)
		}
		els.visit(n.els)
		s.branches(body, elif, els)
	case *forStmt:
		s.expr(n.iter)
	case *setStmt:
		s.expr(n.x)
		s.target(n.target, false)
	case *setBlock:
		s.target(n.target, false)
	case *withStmt:
		for _, v := range n.vals {
			s.expr(v)
		}
	case *filterBlock:
		s.expr(n.filter)
	case *macroStmt:
		s.store(n.name)
	case *callBlock:
		if n.call != nil {
			s.expr(n.call)
		}
	case *load:
		s.expr(n.template)
		for _, t := range n.targets {
			s.store(t)
		}
	}
}

func (s *symbols) expr(x expr) {
	walkExpr(x, func(n *name) { s.load(n.id) })
}

func (s *symbols) target(x expr, param bool) {
	switch x := x.(type) {
	case *name:
		if param {
			s.param(x.id)
		} else {
			s.store(x.id)
		}
	case *nsRef:
		s.load(x.id)
	case *listExpr:
		for _, item := range x.items {
			s.target(item, param)
		}
	}
}
