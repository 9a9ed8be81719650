package jinja

import (
	"math"
	"math/big"
	"math/bits"
)

var opText = map[tokenKind]string{
	"add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "** or pow()",
	"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=",
}

// arith is a binary operator of Python.
func (st *state) arith(op tokenKind, l, r Value) Value {
	checkDefined(l)
	if op == "mod" {
		if _, ok := text(l); ok {
			return st.percent(l, r)
		}
	}
	checkDefined(r)
	if isNumber(l) && isNumber(r) {
		return st.numeric(op, l, r)
	}
	switch op {
	case "add":
		if v := st.add(l, r); v != nil {
			return v
		}
	case "mul":
		if v := st.repeat(l, r); v != nil {
			return v
		}
		if v := st.repeat(r, l); v != nil {
			return v
		}
	}
	raise("TypeError", "unsupported operand type(s) for %s: %s and %s", opText[op], quote(l.typeName()), quote(r.typeName()))
	return nil
}

func checkDefined(v Value) {
	if u, ok := v.(*undefined); ok {
		raise(u.kind, "%s", u.hint)
	}
}

func isNumber(v Value) bool {
	switch v.(type) {
	case Int, Bool, bigInt, Float:
		return true
	}
	return false
}

// add joins strings and lists, nil if l and r are not of one kind.
func (st *state) add(l, r Value) Value {
	if a, ok := text(l); ok {
		b, ok := text(r)
		if !ok {
			raise("TypeError", `can only concatenate str (not "%s") to str`, r.typeName())
		}
		_, lm := l.(markup)
		_, rm := r.(markup)
		if lm || rm {
			e := string(st.escape(l)) + string(st.escape(r))
			st.room(len(e))
			return markup(e)
		}
		st.room(len(a) + len(b))
		return String(a + b)
	}
	a, ok := l.(*list)
	if !ok {
		return nil
	}
	b, ok := r.(*list)
	if !ok || a.tuple != b.tuple {
		kind := "list"
		if a.tuple {
			kind = "tuple"
		}
		raise("TypeError", `can only concatenate %s (not "%s") to %s`, kind, r.typeName(), kind)
	}
	st.items(len(a.items) + len(b.items))
	out := make([]Value, 0, len(a.items)+len(b.items))
	return &list{items: append(append(out, a.items...), b.items...), tuple: a.tuple}
}

// repeat is a sequence times a number, nil if v and n are something else.
func (st *state) repeat(v, n Value) Value {
	k, ok := integer(n)
	if _, big := n.(bigInt); big {
		if _, isText := text(v); isText {
			limit("template makes a string of more than %d bytes", maxOutput)
		}
	}
	if !ok {
		return nil
	}
	k = max(k, 0)
	switch v := v.(type) {
	case String, markup:
		s, _ := text(v)
		return sameMarkup(v, st.repeatText(s, k))
	case *list:
		if len(v.items) > 0 {
			st.many(k)
			st.many(k * int64(len(v.items)))
		}
		var out []Value
		for i := int64(0); i < k && len(v.items) > 0; i++ {
			out = append(out, v.items...)
		}
		return &list{items: out, tuple: v.tuple}
	}
	return nil
}

// sameMarkup gives s as the kind of string that v is.
func sameMarkup(v Value, s string) Value {
	if _, ok := v.(markup); ok {
		return markup(s)
	}
	return String(s)
}

func (st *state) numeric(op tokenKind, l, r Value) Value {
	_, lf := l.(Float)
	_, rf := r.(Float)
	if lf || rf {
		return floatArith(op, toFloat(l), toFloat(r))
	}
	a, aok := integer(l)
	b, bok := integer(r)
	if op == "div" {
		return trueDivide(toBig(l), toBig(r))
	}
	if aok && bok {
		if v, ok := smallArith(op, a, b); ok {
			return v
		}
	}
	return st.bigArith(op, toBig(l), toBig(r))
}

// smallArith computes with 64 bits; ok is false if the result may not fit.
func smallArith(op tokenKind, a, b int64) (Value, bool) {
	switch op {
	case "add":
		if s := a + b; (s > a) == (b > 0) {
			return Int(s), true
		}
	case "sub":
		if s := a - b; (s < a) == (b > 0) {
			return Int(s), true
		}
	case "mul":
		hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b)))
		if hi == 0 && lo <= math.MaxInt64 && a != math.MinInt64 && b != math.MinInt64 {
			return Int(a * b), true
		}
	case "floordiv", "mod":
		if b == 0 || a == math.MinInt64 {
			return nil, false
		}
		q, m := a/b, a%b
		if m != 0 && (m < 0) != (b < 0) {
			q, m = q-1, m+b
		}
		if op == "mod" {
			return Int(m), true
		}
		return Int(q), true
	}
	return nil, false
}

func toBig(v Value) *big.Int {
	if b, ok := v.(bigInt); ok {
		return b.Int
	}
	n, _ := integer(v)
	return big.NewInt(n)
}

// normInt gives b as the smallest kind of integer. b may not be changed afterwards.
func normInt(b *big.Int) Value {
	if b.IsInt64() {
		return Int(b.Int64())
	}
	return bigInt{b}
}

func (st *state) bigArith(op tokenKind, a, b *big.Int) Value {
	words := (a.BitLen() + b.BitLen()) / 64
	st.step(words * words / 1024)
	z := new(big.Int)
	switch op {
	case "add":
		z.Add(a, b)
	case "sub":
		z.Sub(a, b)
	case "mul":
		z.Mul(a, b)
	case "floordiv", "mod":
		if b.Sign() == 0 {
			if op == "mod" {
				raise("ZeroDivisionError", "integer modulo by zero")
			}
			raise("ZeroDivisionError", "integer division or modulo by zero")
		}
		m := new(big.Int)
		z.QuoRem(a, b, m)
		if m.Sign() != 0 && m.Sign() != b.Sign() {
			z.Sub(z, big.NewInt(1))
			m.Add(m, b)
		}
		if op == "mod" {
			z = m
		}
	case "pow":
		return st.bigPow(a, b)
	}
	checkBits(z.BitLen())
	return normInt(z)
}

func checkBits(n int) {
	if n > maxIntBits {
		limit("template makes an integer of more than %d bits", maxIntBits)
	}
}

func (st *state) bigPow(a, b *big.Int) Value {
	if b.Sign() < 0 {
		return floatArith("pow", bigToFloat(a), bigToFloat(b))
	}
	if a.BitLen() > 1 {
		if !b.IsInt64() || b.Int64() > maxIntBits {
			checkBits(maxIntBits + 1)
		}
		checkBits((a.BitLen() - 1) * int(b.Int64()))
		st.step(a.BitLen() * int(b.Int64()) / 64)
	} else if b.BitLen() > 1 { // 0, 1 or -1 to whatever power
		b = big.NewInt(2 - int64(b.Bit(0)))
	}
	z := new(big.Int).Exp(a, b, nil)
	checkBits(z.BitLen())
	return normInt(z)
}

// unary is not, - and +.
func (st *state) unary(op tokenKind, v Value) Value {
	if op == "not" {
		return Bool(!truth(v))
	}
	checkDefined(v)
	sign := map[tokenKind]string{"sub": "-", "add": "+"}[op]
	switch x := v.(type) {
	case Float:
		if op == "sub" {
			return -x
		}
		return x
	case Int, Bool, bigInt:
		if op == "sub" {
			return normInt(new(big.Int).Neg(toBig(x)))
		}
		return normInt(toBig(x))
	}
	raise("TypeError", "bad operand type for unary %s: %s", sign, quote(v.typeName()))
	return nil
}
