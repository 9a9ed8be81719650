package jinja

import (
	"math"
	"math/big"
	"strings"
)

// compare is a comparison operator of Python.
func (st *state) compare(op tokenKind, l, r Value) bool {
	switch op {
	case "eq":
		return st.equal(l, r)
	case "ne":
		return !st.equal(l, r)
	case "in":
		return st.contains(r, l)
	case "notin":
		return !st.contains(r, l)
	}
	return st.ordered(op, l, r)
}

// equal is l == r.
func (st *state) equal(l, r Value) bool {
	st.step(1)
	if isNumber(l) && isNumber(r) {
		return compareNumbers(l, r) == 0
	}
	if a, ok := text(l); ok {
		b, ok := text(r)
		if ok && len(a) == len(b) {
			st.bytes(len(a))
			return a == b
		}
		return false
	}
	switch a := l.(type) {
	case None:
		_, ok := r.(None)
		return ok
	case *undefined:
		_, ok := r.(*undefined)
		return ok
	case *list:
		b, ok := r.(*list)
		return ok && a.tuple == b.tuple && st.equalLists(a.items, b.items)
	case *dict:
		b, ok := r.(*dict)
		return ok && st.equalDicts(a, b)
	case *rangeValue:
		b, ok := r.(*rangeValue)
		return ok && a.n == b.n && (a.n == 0 || a.start == b.start && (a.n == 1 || a.step == b.step))
	case *dictView:
		b, ok := r.(*dictView)
		if !ok || a.what == viewValues || b.what == viewValues {
			return ok && a == b
		}
		return a.d.len() == b.d.len() && st.viewIn(a, b)
	case *sliceValue, selfRef:
		return false
	}
	return l == r
}

// viewIn tells whether all of a is in b.
func (st *state) viewIn(a, b *dictView) bool {
	for next := st.iter(a); ; {
		v, ok := next()
		if !ok {
			return true
		}
		if !st.contains(b, v) {
			return false
		}
	}
}

func (st *state) equalLists(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	st.nest()
	defer func() { st.deep-- }()
	for i := range a {
		if !st.same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// same is what Python uses inside containers: identical, or equal.
func (st *state) same(a, b Value) bool {
	return identical(a, b) || st.equal(a, b)
}

func identical(a, b Value) bool {
	switch a := a.(type) {
	case Float, String, markup, bigInt, *sliceValue:
		return false
	case Int:
		b, ok := b.(Int)
		return ok && a == b
	}
	return a == b
}

func (st *state) equalDicts(a, b *dict) bool {
	if a.len() != b.len() {
		return false
	}
	st.nest()
	defer func() { st.deep-- }()
	for i, k := range a.keys {
		v, ok := b.get(k)
		if !ok || !st.same(a.vals[i], v) {
			return false
		}
	}
	return true
}

// compareNumbers gives -1, 0 or 1, and 2 where one is not a number.
func compareNumbers(l, r Value) int {
	a, aok := integer(l)
	b, bok := integer(r)
	if aok && bok {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	if special(l) || special(r) {
		x, y := roughFloat(l), roughFloat(r)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		case x == y:
			return 0
		}
		return 2
	}
	return exact(l).Cmp(exact(r))
}

// special tells whether v is an infinity or not a number.
func special(v Value) bool {
	f, ok := v.(Float)
	return ok && (math.IsNaN(float64(f)) || math.IsInf(float64(f), 0))
}

// roughFloat is v as a float for comparing it with an infinity.
func roughFloat(v Value) float64 {
	if f, ok := v.(Float); ok {
		return float64(f)
	}
	return 0
}

func exact(v Value) *big.Rat {
	if f, ok := v.(Float); ok {
		return new(big.Rat).SetFloat64(float64(f))
	}
	return new(big.Rat).SetInt(toBig(v))
}

// ordered is <, <=, > and >=.
func (st *state) ordered(op tokenKind, l, r Value) bool {
	st.step(1)
	checkDefined(l)
	checkDefined(r)
	c := 2
	a, aok := text(l)
	b, bok := text(r)
	la, lok := l.(*list)
	lb, rok := r.(*list)
	switch {
	case isNumber(l) && isNumber(r):
		c = compareNumbers(l, r)
	case aok && bok:
		st.bytes(min(len(a), len(b)))
		c = strings.Compare(a, b)
	case lok && rok && la.tuple == lb.tuple:
		return st.orderedLists(op, la.items, lb.items)
	default:
		raise("TypeError", "%s not supported between instances of %s and %s", quote(opText[op]), quote(l.typeName()), quote(r.typeName()))
	}
	switch op {
	case "lt":
		return c == -1
	case "lteq":
		return c == -1 || c == 0
	case "gt":
		return c == 1
	}
	return c == 1 || c == 0
}

func (st *state) orderedLists(op tokenKind, a, b []Value) bool {
	st.nest()
	defer func() { st.deep-- }()
	for i := 0; i < len(a) && i < len(b); i++ {
		if !st.same(a[i], b[i]) {
			return st.ordered(op, a[i], b[i])
		}
	}
	return st.ordered(op, Int(len(a)), Int(len(b)))
}

// contains is x in v.
func (st *state) contains(v, x Value) bool {
	switch c := v.(type) {
	case String, markup:
		s, _ := text(c)
		sub, ok := text(x)
		if !ok {
			raise("TypeError", "'in <string>' requires string as left operand, not %s", x.typeName())
		}
		st.bytes(len(s))
		return strings.Contains(s, sub)
	case *dict:
		_, ok := c.get(x)
		return ok
	case *dictView:
		if c.what == viewKeys {
			_, ok := c.d.get(x)
			return ok
		}
		if c.what == viewItems {
			pair, ok := x.(*list)
			if !ok || !pair.tuple || len(pair.items) != 2 {
				return false
			}
			got, ok := c.d.get(pair.items[0])
			return ok && st.same(got, pair.items[1])
		}
	case *undefined:
		return false
	}
	next := st.tryIter(v)
	if next == nil {
		raise("TypeError", "argument of type %s is not iterable", quote(v.typeName()))
	}
	for {
		got, ok := next()
		if !ok {
			return false
		}
		if st.same(got, x) {
			return true
		}
	}
}
