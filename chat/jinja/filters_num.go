package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

func filterAbs(_ *state, v Value, a *args) Value {
	a.bind("abs", 0)
	switch v := v.(type) {
	case Float:
		return Float(math.Abs(float64(v)))
	case Int, Bool, bigInt:
		return normInt(new(big.Int).Abs(toBig(v)))
	}
	raise("TypeError", "bad operand type for abs(): %s", quote(v.typeName()))
	return nil
}

func filterInt(_ *state, v Value, a *args) Value {
	b := a.bind("int", 0, "default", "base")
	def, base := Value(Int(0)), 10
	if b[0] != nil {
		def = b[0]
	}
	if b[1] != nil {
		base = needInt(b[1])
	}
	switch x := v.(type) {
	case Int, bigInt:
		return v
	case Bool:
		return normInt(toBig(x))
	case Float:
		if math.IsNaN(float64(x)) {
			return def
		}
		if math.IsInf(float64(x), 0) {
			raise("OverflowError", "cannot convert float infinity to integer")
		}
		return truncate(float64(x))
	case String, markup:
		s, _ := text(x)
		if n, ok := parseInt(s, base); ok {
			return n
		}
		if f, ok := parseFloat(s); ok && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return truncate(f)
		}
		return def
	}
	checkDefined(v)
	return def
}

// parseInt is int(s, base).
func parseInt(s string, base int) (Value, bool) {
	s = strings.TrimFunc(s, isSpace)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if base != 0 && (base < 2 || base > 36) {
		return nil, false
	}
	if len(s) > 2 && s[0] == '0' {
		prefix := map[byte]int{'x': 16, 'o': 8, 'b': 2}[s[1]|0x20]
		if prefix != 0 && (base == prefix || base == 0) {
			s, base = strings.TrimPrefix(s[2:], "_"), prefix
		}
	}
	if base == 0 {
		base = 10
		if len(s) > 1 && s[0] == '0' && strings.Trim(s, "0_") != "" {
			return nil, false
		}
	}
	if s == "" || s[0] == '_' || s[len(s)-1] == '_' || strings.Contains(s, "__") || s[0] == '+' || s[0] == '-' {
		return nil, false
	}
	s = strings.ReplaceAll(asciiDigits(s), "_", "")
	if len(s) > maxIntDigits {
		return nil, false // CPython refuses, and the filter falls back
	}
	n, ok := new(big.Int).SetString(s, base)
	if !ok {
		return nil, false
	}
	if negative {
		n.Neg(n)
	}
	return normInt(n), true
}

// asciiDigits replaces the decimal digits of other scripts.
func asciiDigits(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= 0x80 && isDecimal(r) {
			zero := r
			for isDecimal(zero-1) && r-zero < 9 {
				zero--
			}
			return '0' + (r - zero)
		}
		return r
	}, s)
}

// parseFloat is float(s).
func parseFloat(s string) (float64, bool) {
	s = asciiDigits(strings.TrimFunc(s, isSpace))
	if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	for i := range s {
		if s[i] == '_' && (!isDigit(s[i-1]) || !isDigit(s[i+1])) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func filterFloat(_ *state, v Value, a *args) Value {
	b := a.bind("float", 0, "default")
	if isNumber(v) {
		return Float(toFloat(v))
	}
	checkDefined(v)
	if s, ok := text(v); ok {
		if f, ok := parseFloat(s); ok {
			return Float(f)
		}
	}
	if b[0] != nil {
		return b[0]
	}
	return Float(0)
}

func filterRound(st *state, v Value, a *args) Value {
	b := a.bind("round", 0, "precision", "method")
	method, precision := "common", 0
	if b[0] != nil {
		precision = needInt(b[0])
	}
	if b[1] != nil {
		method, _ = text(b[1])
	}
	if method != "common" && method != "ceil" && method != "floor" {
		raise("FilterArgumentError", "method must be common, ceil or floor")
	}
	if !isNumber(v) {
		raise("TypeError", "type %s doesn't define __round__ method", v.typeName())
	}
	if method == "common" {
		return st.round(v, precision)
	}
	scale := st.arith("pow", Int(10), Int(precision))
	scaled := toFloat(st.arith("mul", v, scale))
	f := math.Ceil
	if method == "floor" {
		f = math.Floor
	}
	return st.arith("div", truncate(f(scaled)), scale)
}

// round is Python's round(v, n): half to even.
func (st *state) round(v Value, n int) Value {
	x, ok := v.(Float)
	if !ok {
		if n >= 0 {
			return normInt(toBig(v))
		}
		unit := toBig(st.arith("pow", Int(10), Int(min(-n, maxIntBits))))
		q, m := new(big.Int).DivMod(toBig(v), unit, new(big.Int))
		twice := new(big.Int).Lsh(m, 1).Cmp(unit)
		if twice > 0 || twice == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		return normInt(q.Mul(q, unit))
	}
	f := float64(x)
	if math.IsNaN(f) || math.IsInf(f, 0) || n > 330 {
		return x
	}
	if n < -310 {
		return Float(math.Copysign(0, f))
	}
	if n >= 0 {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', n, 64), 64)
		return Float(r)
	}
	whole := st.roundExact(f, n)
	return Float(whole)
}

// roundExact rounds f to 10^-n, half to even, exactly.
func (st *state) roundExact(f float64, n int) float64 {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-n)), nil)
	q := new(big.Rat).Quo(new(big.Rat).SetFloat64(f), new(big.Rat).SetInt(unit))
	floor := new(big.Int).Div(q.Num(), q.Denom())
	rest := new(big.Rat).Sub(q, new(big.Rat).SetInt(floor))
	half := rest.Cmp(big.NewRat(1, 2))
	if half > 0 || half == 0 && floor.Bit(0) == 1 {
		floor.Add(floor, big.NewInt(1))
	}
	r, _ := new(big.Float).SetInt(floor.Mul(floor, unit)).Float64()
	return r
}

func filterFileSize(st *state, v Value, a *args) Value {
	b := a.bind("filesizeformat", 0, "binary")
	checkDefined(v)
	f, ok := 0.0, isNumber(v)
	if ok {
		f = toFloat(v)
	} else if s, isText := text(v); isText {
		f, ok = parseFloat(s)
	}
	if _, isText := text(v); !ok && !isText {
		raise("TypeError", "float() argument must be a string or a real number, not %s", quote(v.typeName()))
	}
	if !ok {
		raise("ValueError", "could not convert string to float: %s", st.repr(v))
	}
	base, suffix := 1000.0, "B"
	units := "kMGTPEZY"
	if option(b[0]) {
		base, suffix, units = 1024, "iB", "KMGTPEZY"
	}
	switch {
	case f == 1:
		return String("1 Byte")
	case f < base:
		return String(bigText(bigInt{toBig(truncate(f))}) + " Bytes")
	}
	unit := base
	for i := range units {
		unit *= base
		if f < unit || i == len(units)-1 {
			return String(strconv.FormatFloat(base*f/unit, 'f', 1, 64) + " " + units[i:i+1] + suffix)
		}
	}
	return nil
}
