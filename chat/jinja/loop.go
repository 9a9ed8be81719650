package jinja

// loop is the special variable of a for loop.
type loop struct {
	st      *state
	src     Value // what is iterated, for its length
	next    func() (Value, bool)
	n       int // -1: not counted yet
	index0  int
	depth0  int
	current Value
	before  Value
	after   Value // nil: not looked at yet
	ended   bool  // looked ahead and there was nothing
	changed []Value
	recurse func(v Value, depth int) Value // nil: the loop is not recursive
}

func (*loop) typeName() string { return "LoopContext" }

func (l *loop) advance() bool {
	v := l.peek()
	if v == nil {
		return false
	}
	l.after = nil
	l.index0++
	l.before, l.current = l.current, v
	return true
}

// peek gives the next item without moving on, nil at the end.
func (l *loop) peek() Value {
	if l.after == nil && !l.ended {
		v, ok := l.next()
		if ok {
			l.after = v
		} else {
			l.ended = true
		}
	}
	return l.after
}

func (l *loop) length() int {
	if l.n >= 0 {
		return l.n
	}
	if n, ok := length(l.src); ok {
		l.n = n
		return n
	}
	var rest []Value
	l.peek()
	for {
		v, ok := l.next()
		if !ok {
			break
		}
		rest = append(rest, v)
	}
	l.st.items(len(rest))
	l.n = len(rest) + l.index0 + 1
	if l.after != nil {
		l.n++
	}
	l.next = sliceIter(rest)
	return l.n
}

// attr gives an attribute of the loop variable, nil if there is none of that name.
func (l *loop) attr(name string) Value {
	switch name {
	case "index":
		return Int(l.index0 + 1)
	case "index0":
		return Int(l.index0)
	case "first":
		return Bool(l.index0 == 0)
	case "last":
		return Bool(l.peek() == nil)
	case "length":
		return Int(l.length())
	case "revindex":
		return Int(l.length() - l.index0)
	case "revindex0":
		return Int(l.length() - l.index0 - 1)
	case "depth":
		return Int(l.depth0 + 1)
	case "depth0":
		return Int(l.depth0)
	case "previtem":
		if l.index0 == 0 {
			return &undefined{"there is no previous item", "UndefinedError"}
		}
		return l.before
	case "nextitem":
		if v := l.peek(); v != nil {
			return v
		}
		return &undefined{"there is no next item", "UndefinedError"}
	case "cycle":
		return &native{"cycle", l.cycle}
	case "changed":
		return &native{"changed", l.hasChanged}
	}
	return nil
}

func (l *loop) cycle(_ *state, a *args) Value {
	a.noNames("cycle")
	if len(a.pos) == 0 {
		raise("TypeError", "no items for cycling given")
	}
	return a.pos[l.index0%len(a.pos)]
}

func (l *loop) hasChanged(st *state, a *args) Value {
	a.noNames("changed")
	same := l.changed != nil && len(l.changed) == len(a.pos)
	for i := 0; same && i < len(a.pos); i++ {
		same = st.equal(l.changed[i], a.pos[i])
	}
	if same {
		return Bool(false)
	}
	l.changed = append([]Value{}, a.pos...)
	return Bool(true)
}

func (st *state) execFor(n *forStmt, f *frame) control {
	v := st.eval(n.iter, f)
	if !n.recursive {
		return st.loop(n, v, f, 0)
	}
	text := st.recursiveLoop(n, v, f, 0)
	st.print(text)
	return goOn
}

func (st *state) recursiveLoop(n *forStmt, v Value, f *frame, depth int) Value {
	st.enterCall()
	line := st.line
	text, _ := st.capture(func() control { return st.loop(n, v, f, depth) })
	st.line = line
	st.calls--
	return st.marked(text)
}

// loop runs a for loop over v and gives the control of its else branch.
func (st *state) loop(n *forStmt, v Value, f *frame, depth int) control {
	st.line = n.at()
	next := st.iter(v)
	src := v
	if n.test != nil {
		next = st.filtered(n, next, f)
		src = nil
	}
	l := &loop{st: st, src: src, next: next, n: -1, index0: -1, depth0: depth}
	if n.recursive {
		l.recurse = func(v Value, depth int) Value { return st.recursiveLoop(n, v, f, depth) }
	}
	completed := false // Jinja2 runs else unless some round came to the end of the body
	for l.advance() {
		in := st.enter(n.inner, f)
		st.line = n.at()
		st.assign(n.target, l.current, in)
		if n.extended {
			in.set(n.loopRef, l)
		}
		c := st.run(n.body, in)
		if c == doBreak {
			break
		}
		completed = completed || c == goOn
		st.step(1)
	}
	if completed || n.els == nil {
		return goOn
	}
	return st.run(n.els, st.enter(n.elseInfo, f))
}

// filtered leaves out the items that fail the loop's own test.
func (st *state) filtered(n *forStmt, next func() (Value, bool), f *frame) func() (Value, bool) {
	return func() (Value, bool) {
		for {
			v, ok := next()
			if !ok {
				return nil, false
			}
			st.step(1)
			in := st.enter(n.testInfo, f)
			st.assign(n.testTarget, v, in)
			if truth(st.eval(n.test, in)) {
				return v, true
			}
		}
	}
}
