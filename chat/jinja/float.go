package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// toFloat is float(v) of a number.
func toFloat(v Value) float64 {
	switch v := v.(type) {
	case Float:
		return float64(v)
	case bigInt:
		return bigToFloat(v.Int)
	}
	n, _ := integer(v)
	return float64(n)
}

func bigToFloat(b *big.Int) float64 {
	f, _ := new(big.Float).SetInt(b).Float64()
	if math.IsInf(f, 0) {
		raise("OverflowError", "int too large to convert to float")
	}
	return f
}

// bigFromFloat is int(f) of a finite f.
func bigFromFloat(f float64) *big.Int {
	b, _ := big.NewFloat(f).Int(nil)
	return b
}

// trueDivide is a / b rounded once.
func trueDivide(a, b *big.Int) Value {
	if b.Sign() == 0 {
		raise("ZeroDivisionError", "division by zero")
	}
	f, _ := new(big.Rat).SetFrac(a, b).Float64()
	if math.IsInf(f, 0) {
		raise("OverflowError", "integer division result too large for a float")
	}
	return Float(f)
}

func floatArith(op tokenKind, a, b float64) Value {
	switch op {
	case "add":
		return Float(a + b)
	case "sub":
		return Float(a - b)
	case "mul":
		return Float(a * b)
	case "div":
		if b == 0 {
			raise("ZeroDivisionError", "float division by zero")
		}
		return Float(a / b)
	case "floordiv":
		if b == 0 {
			raise("ZeroDivisionError", "float floor division by zero")
		}
		q, _ := floatDivMod(a, b)
		return Float(q)
	case "mod":
		if b == 0 {
			raise("ZeroDivisionError", "float modulo")
		}
		_, m := floatDivMod(a, b)
		return Float(m)
	}
	return floatPow(a, b)
}

// floatDivMod follows CPython's float_divmod.
func floatDivMod(a, b float64) (q, m float64) {
	m = math.Mod(a, b)
	q = (a - m) / b
	if m != 0 {
		if (b < 0) != (m < 0) {
			m += b
			q--
		}
	} else {
		m = math.Copysign(0, b)
	}
	if q != 0 {
		floor := math.Floor(q)
		if q-floor > 0.5 {
			floor++
		}
		return floor, m
	}
	return math.Copysign(0, a/b), m
}

func floatPow(a, b float64) Value {
	if a == 0 && b < 0 {
		raise("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	}
	if a < 0 && b != math.Trunc(b) && !math.IsInf(a, 0) {
		raise("TypeError", "complex numbers are not supported")
	}
	f := math.Pow(a, b)
	if math.IsInf(f, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		raise("OverflowError", "(34, 'Numerical result out of range')")
	}
	return Float(f)
}

// floatRepr is Python's repr(f).
func floatRepr(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	exp, _ := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if exp < -4 || exp >= 16 {
		return s
	}
	s = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
