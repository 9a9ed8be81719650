package jinja

// builtinTests are Jinja2's.
var builtinTests = map[string]builtin{
	"odd":         plainTest("odd", func(st *state, v Value) bool { return st.equal(st.arith("mod", v, Int(2)), Int(1)) }),
	"even":        plainTest("even", func(st *state, v Value) bool { return st.equal(st.arith("mod", v, Int(2)), Int(0)) }),
	"divisibleby": binaryTest("divisibleby", "num", func(st *state, v, n Value) bool { return st.equal(st.arith("mod", v, n), Int(0)) }),
	"defined":     plainTest("defined", func(_ *state, v Value) bool { return !isUndefined(v) }),
	"undefined":   plainTest("undefined", func(_ *state, v Value) bool { return isUndefined(v) }),
	"filter":      plainTest("filter", func(st *state, v Value) bool { return known(st.filters, v) }),
	"test":        plainTest("test", func(st *state, v Value) bool { return known(st.tests, v) }),
	"none":        plainTest("none", func(_ *state, v Value) bool { return isNone(v) }),
	"boolean":     plainTest("boolean", func(_ *state, v Value) bool { _, ok := v.(Bool); return ok }),
	"false":       plainTest("false", func(_ *state, v Value) bool { return v == Bool(false) }),
	"true":        plainTest("true", func(_ *state, v Value) bool { return v == Bool(true) }),
	"integer":     plainTest("integer", func(_ *state, v Value) bool { _, b := v.(Bool); _, f := v.(Float); return isNumber(v) && !b && !f }),
	"float":       plainTest("float", func(_ *state, v Value) bool { _, ok := v.(Float); return ok }),
	"lower":       plainTest("lower", func(st *state, v Value) bool { return isLower(st.display(v)) }),
	"upper":       plainTest("upper", func(st *state, v Value) bool { return isUpper(st.display(v)) }),
	"string":      plainTest("string", func(_ *state, v Value) bool { _, ok := text(v); return ok }),
	"mapping":     plainTest("mapping", func(_ *state, v Value) bool { _, ok := v.(*dict); return ok }),
	"number":      plainTest("number", func(_ *state, v Value) bool { return isNumber(v) }),
	"sequence":    plainTest("sequence", func(_ *state, v Value) bool { return isSequence(v) }),
	"iterable":    plainTest("iterable", func(st *state, v Value) bool { return st.tryIter(v) != nil }),
	"callable":    plainTest("callable", func(_ *state, v Value) bool { return isCallable(v) }),
	"escaped":     plainTest("escaped", func(_ *state, v Value) bool { _, ok := v.(markup); return ok }),
	"sameas":      binaryTest("sameas", "other", sameAs),
	"in":          binaryTest("in", "seq", func(st *state, v, seq Value) bool { return st.contains(seq, v) }),
	"==":          compareTest("eq"), "eq": compareTest("eq"), "equalto": compareTest("eq"),
	"!=": compareTest("ne"), "ne": compareTest("ne"),
	">": compareTest("gt"), "gt": compareTest("gt"), "greaterthan": compareTest("gt"),
	"<": compareTest("lt"), "lt": compareTest("lt"), "lessthan": compareTest("lt"),
	">=": compareTest("gteq"), "ge": compareTest("gteq"),
	"<=": compareTest("lteq"), "le": compareTest("lteq"),
}

func plainTest(name string, f func(*state, Value) bool) builtin {
	return builtin{func(st *state, v Value, a *args) Value {
		a.bind(name, 0)
		return Bool(f(st, v))
	}}
}

func binaryTest(name, param string, f func(st *state, v, x Value) bool) builtin {
	return builtin{func(st *state, v Value, a *args) Value {
		return Bool(f(st, v, a.bind(name, 1, param)[0]))
	}}
}

// compareTest takes its operand by position only, as Python's operator functions do.
func compareTest(op tokenKind) builtin {
	return builtin{func(st *state, v Value, a *args) Value {
		if len(a.names) > 0 || len(a.pos) != 1 {
			raise("TypeError", "%s expected 2 arguments, got %d", string(op), 1+len(a.pos))
		}
		return Bool(st.compare(op, v, a.pos[0]))
	}}
}

func isUndefined(v Value) bool { _, ok := v.(*undefined); return ok }

func known(table map[string]builtin, v Value) bool {
	hash(v) // what cannot be a key is an error
	s, ok := text(v)
	return ok && table[s].call != nil
}

func isSequence(v Value) bool {
	switch v.(type) {
	case String, markup, *list, *dict, *rangeValue, *undefined:
		return true
	}
	return false
}

func isCallable(v Value) bool {
	switch v.(type) {
	case *native, *macro, *joiner, *loop, *undefined, dictType:
		return true
	}
	return false
}

func sameAs(_ *state, v, other Value) bool {
	a, aok := text(v)
	b, bok := text(other)
	if aok && bok {
		return a == b
	}
	return identical(v, other)
}
