package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// spec is a format specification: of %-formatting, or Python's format mini-language.
type spec struct {
	fill  string
	align byte // < > = ^, 0: the type's own
	sign  byte // + or space, 0: only minus
	alt   bool
	width int
	group string // "", "," or "_"
	prec  int    // -1: not given
	verb  byte   // 0: not given
	zero  bool
}

// percent is text % v.
func (st *state) percent(l, v Value) Value {
	s := st.self(l)
	p := &percentFormat{st: st, arg: v}
	if _, ok := l.(markup); ok {
		p.safe = true
	}
	if t, ok := v.(*list); ok && t.tuple {
		p.args = t.items
	} else {
		p.args = []Value{v}
		p.single = true
	}
	out := p.run(s)
	if p.next < len(p.args) && !(p.single && p.mapping()) {
		raise("TypeError", "not all arguments converted during string formatting")
	}
	return sameMarkup(l, out)
}

type percentFormat struct {
	st     *state
	arg    Value
	args   []Value
	next   int
	single bool // arg was not a tuple
	safe   bool // the text is markup, so escape what goes in
	b      strings.Builder
}

func (p *percentFormat) mapping() bool {
	switch p.arg.(type) {
	case *dict, *list, *undefined, *rangeValue:
		return true
	}
	return false
}

func (p *percentFormat) take() Value {
	if p.next >= len(p.args) {
		raise("TypeError", "not enough arguments for format string")
	}
	p.next++
	return p.args[p.next-1]
}

func (p *percentFormat) put(s string) {
	p.st.grow(p.b.Len(), len(s))
	p.b.WriteString(s)
}

func (p *percentFormat) run(s string) string {
	for {
		at := strings.IndexByte(s, '%')
		if at < 0 {
			p.put(s)
			return p.b.String()
		}
		p.put(s[:at])
		s = p.directive(s[at+1:])
	}
}

// directive formats one %… and gives what follows it.
func (p *percentFormat) directive(s string) string {
	f := spec{fill: " ", prec: -1}
	var arg Value
	if strings.HasPrefix(s, "(") {
		key, rest := closing(s[1:])
		d, ok := p.arg.(*dict)
		if !ok || !p.single {
			raise("TypeError", "format requires a mapping")
		}
		v, ok := d.get(String(key))
		if !ok {
			raise("KeyError", "%s", quote(key))
		}
		arg, s = v, rest
		p.next = len(p.args)
	}
	for ; s != "" && strings.IndexByte("-+ #0", s[0]) >= 0; s = s[1:] {
		switch s[0] {
		case '-':
			f.align = '<'
		case '#':
			f.alt = true
		case '0':
			f.zero = true
		case '+':
			f.sign = '+'
		case ' ':
			if f.sign == 0 {
				f.sign = ' '
			}
		}
	}
	f.width, s = p.number(s, 0)
	if f.width < 0 {
		f.align, f.width = '<', -f.width
	}
	if strings.HasPrefix(s, ".") {
		f.prec, s = p.number(s[1:], 0)
		f.prec = max(f.prec, 0)
	}
	if s != "" && strings.IndexByte("hlL", s[0]) >= 0 {
		s = s[1:]
	}
	if s == "" {
		raise("ValueError", "incomplete format")
	}
	f.verb = s[0]
	if f.verb == '%' {
		p.put("%")
		return s[1:]
	}
	if arg == nil {
		arg = p.take()
	}
	p.put(p.convert(&f, arg, s))
	return s[1:]
}

// closing splits "key)rest" at the bracket that closes.
func closing(s string) (key, rest string) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		}
	}
	raise("ValueError", "incomplete format key")
	return "", ""
}

// number reads a width or precision, which * takes from the arguments.
func (p *percentFormat) number(s string, def int) (int, string) {
	if strings.HasPrefix(s, "*") {
		n, ok := integer(p.take())
		if !ok {
			raise("TypeError", "* wants int")
		}
		return checkWidth(n), s[1:]
	}
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n == 0 {
		return def, s
	}
	return parseWidth(s[:n]), s[n:]
}

func parseWidth(s string) int {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = math.MaxInt32
	}
	return checkWidth(n)
}

func checkWidth(n int64) int {
	if n > maxOutput || n < -maxOutput {
		limit("template makes a string of more than %d bytes", maxOutput)
	}
	return int(n)
}

func (p *percentFormat) convert(f *spec, v Value, s string) string {
	switch f.verb {
	case 's', 'r', 'a':
		f.zero = false
		t := ""
		switch {
		case f.verb == 's' && p.safe:
			t = string(p.st.escape(v))
		case f.verb == 's':
			t = p.st.display(v)
		default:
			t = p.st.repr(v)
			if f.verb == 'a' {
				t = asciiOnly(t)
			}
			if p.safe {
				t = htmlEscapes.Replace(t)
			}
		}
		if f.prec >= 0 {
			t = p.st.sliceText(t, &sliceValue{None{}, Int(f.prec), None{}})
		}
		return p.st.align(f, "", t, '>')
	case 'c':
		t, ok := text(v)
		if n, isInt := integer(v); isInt {
			t, ok = string(rune(n)), n >= 0 && n <= utf8.MaxRune
		}
		if !ok || utf8.RuneCountInString(t) != 1 {
			raise("TypeError", "%%c requires int or char")
		}
		return p.st.align(f, "", t, '>')
	case 'd', 'i', 'u', 'o', 'x', 'X':
		return p.st.percentInt(f, v)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if !isNumber(v) {
			checkDefined(v)
			raise("TypeError", "must be real number, not %s", v.typeName())
		}
		if f.prec < 0 {
			f.prec = 6
		}
		sign, digits := formatFloat(f, toFloat(v))
		return p.st.align(f, sign, digits, '>')
	}
	r, _ := utf8.DecodeRuneInString(s)
	raise("ValueError", "unsupported format character '%c' (0x%x) at index %d", r, r, p.b.Len()+1)
	return ""
}

// percentInt formats an integer, to which %d also cuts floats.
func (st *state) percentInt(f *spec, v Value) string {
	checkDefined(v)
	decimal := f.verb == 'd' || f.verb == 'i' || f.verb == 'u'
	if x, ok := v.(Float); ok && decimal {
		v = truncate(float64(x))
	} else if !isNumber(v) || ok {
		if decimal {
			raise("TypeError", "%%%c format: a real number is required, not %s", f.verb, v.typeName())
		}
		raise("TypeError", "%%%c format: an integer is required, not %s", f.verb, v.typeName())
	}
	if decimal {
		f.verb = 'd'
	}
	sign, digits := formatInt(f, toBig(v))
	if n := f.prec - len(digits); n > 0 {
		digits = st.repeatText("0", int64(n)) + digits
	}
	return st.align(f, sign, digits, '>')
}

// truncate is int(f).
func truncate(f float64) Value {
	switch {
	case math.IsNaN(f):
		raise("ValueError", "cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		raise("OverflowError", "cannot convert float infinity to integer")
	}
	return normInt(bigFromFloat(f))
}

// formatInt gives the sign, with the prefix of the # flag, and the digits.
func formatInt(f *spec, n *big.Int) (sign, digits string) {
	base, prefix := 10, ""
	switch f.verb {
	case 'b':
		base, prefix = 2, "0b"
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0"+string(f.verb)
	}
	if base == 10 {
		digits = strings.TrimPrefix(bigText(bigInt{n}), "-")
	} else {
		digits = new(big.Int).Abs(n).Text(base)
	}
	if f.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	sign = signText(f, n.Sign() < 0)
	if f.alt {
		sign += prefix
	}
	return sign, digits
}

func signText(f *spec, negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+':
		return "+"
	case f.sign == ' ':
		return " "
	}
	return ""
}

// formatFloat gives the sign and the digits for the verbs e, f, g, % and 0 (repr-like).
func formatFloat(f *spec, x float64) (sign, digits string) {
	sign = signText(f, math.Signbit(x) && !math.IsNaN(x))
	x = math.Abs(x)
	verb := f.verb | 0x20
	switch {
	case math.IsNaN(x):
		digits = "nan"
	case math.IsInf(x, 0):
		digits = "inf"
	case f.verb == '%':
		digits = strconv.FormatFloat(x*100, 'f', f.prec, 64) + "%"
	case verb == 'g' || f.verb == 0:
		digits = general(f, x)
	default:
		digits = strconv.FormatFloat(x, verb, f.prec, 64)
		if f.alt && f.prec == 0 {
			digits = strings.Replace(digits+".", "e", ".e", 1)
			if strings.Contains(digits, ".e") {
				digits = strings.TrimSuffix(digits, ".")
			}
		}
	}
	if f.verb >= 'A' && f.verb <= 'Z' {
		digits = strings.ToUpper(digits)
	}
	return sign, digits
}

// general is C's %g; without a verb, at least one digit follows the point.
func general(f *spec, x float64) string {
	p := f.prec
	if p < 0 { // no precision and no verb: repr
		return floatRepr(x)
	}
	p = max(p, 1)
	s := strconv.FormatFloat(x, 'e', p-1, 64)
	at := strings.IndexByte(s, 'e')
	exp, _ := strconv.Atoi(s[at+1:])
	limit := p
	if f.verb == 0 {
		limit = p - 1 // so that a digit is left for after the point
	}
	if exp < -4 || exp >= limit && !(f.verb == 0 && exp < p-1) {
		mantissa := s[:at]
		if !f.alt && strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		}
		return mantissa + s[at:]
	}
	s = strconv.FormatFloat(x, 'f', max(0, p-1-exp), 64)
	if !f.alt && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if f.verb == 0 && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// align groups digits and pads them to the width.
func (st *state) align(f *spec, sign, body string, def byte) string {
	how := f.align
	fill := f.fill
	if f.zero && how == 0 {
		how, fill = '=', "0"
	}
	if how == 0 {
		how = def
	}
	n := f.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if n <= 0 {
		return sign + body
	}
	pad := st.repeatText(fill, int64(n))
	switch how {
	case '<':
		return sign + body + pad
	case '=':
		return sign + pad + body
	case '^':
		left := len(fill) * (n / 2)
		return pad[:left] + sign + body + pad[left:]
	}
	return pad + sign + body
}

// asciiOnly escapes what is not ASCII in a repr.
func asciiOnly(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteString(asciiEscape(r))
		}
	}
	return b.String()
}
