package jinja

import (
	"math/big"
	"strings"
	"unicode/utf8"
)

func formatMethod(st *state, self Value, a *args) Value {
	f := &strFormat{st: st, args: a}
	_, f.safe = self.(markup)
	return sameMarkup(self, f.text(st.self(self), 2))
}

func formatMapMethod(st *state, self Value, a *args) Value {
	d, ok := a.positional("format_map", 1, 1)[0].(*dict)
	if !ok {
		raise("TypeError", "format_map() argument must be a mapping")
	}
	b := &args{}
	st.dynNamed(b, d)
	return formatMethod(st, self, b)
}

// strFormat is str.format at work.
type strFormat struct {
	st   *state
	args *args
	auto int // next automatic number, -1: fields are numbered by hand
	used bool
	safe bool // the text is markup, so escape what goes in
}

// text fills in the fields of s; depth counts how far fields may nest.
func (f *strFormat) text(s string, depth int) string {
	if depth < 0 {
		raise("ValueError", "Max string recursion exceeded")
	}
	var b strings.Builder
	put := func(t string) {
		f.st.grow(b.Len(), len(t))
		b.WriteString(t)
	}
	for s != "" {
		at := strings.IndexAny(s, "{}")
		if at < 0 {
			put(s)
			break
		}
		put(s[:at])
		switch {
		case at+1 < len(s) && s[at+1] == s[at]:
			put(s[at : at+1])
			s = s[at+2:]
		case s[at] == '}':
			raise("ValueError", "Single '}' encountered in format string")
		default:
			field, rest := fieldEnd(s[at+1:])
			put(f.field(field, depth))
			s = rest
		}
	}
	return b.String()
}

// fieldEnd splits after the brace that closes a field.
func fieldEnd(s string) (field, rest string) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		case '[':
			if j := strings.IndexByte(s[i:], ']'); j > 0 && depth == 1 {
				i += j
			}
		}
	}
	if s == "" {
		raise("ValueError", "Single '{' encountered in format string")
	}
	raise("ValueError", "expected '}' before end of string")
	return "", ""
}

func (f *strFormat) field(s string, depth int) string {
	name, rest := s, ""
	inBracket := false
	for i := 0; i < len(s); i++ {
		if s[i] == '[' {
			inBracket = true
		} else if s[i] == ']' {
			inBracket = false
		} else if !inBracket && (s[i] == '!' || s[i] == ':') {
			name, rest = s[:i], s[i:]
			break
		}
	}
	v := f.lookup(name)
	if strings.HasPrefix(rest, "!") {
		if len(rest) < 2 {
			raise("ValueError", "end of string while looking for conversion specifier")
		}
		if len(rest) > 2 && rest[2] != ':' {
			raise("ValueError", "expected ':' after conversion specifier")
		}
		switch rest[1] {
		case 's':
			v = String(f.st.display(v))
		case 'r':
			v = String(f.st.repr(v))
		case 'a':
			v = String(asciiOnly(f.st.repr(v)))
		default:
			raise("ValueError", "Unknown conversion specifier %c", rest[1])
		}
		rest = rest[2:]
	}
	format := f.text(strings.TrimPrefix(rest, ":"), depth-1)
	if _, ok := v.(markup); ok && f.safe {
		if format != "" {
			raise("ValueError", "Unsupported format specification for Markup.")
		}
		return f.st.display(v)
	}
	if s := f.st.formatValue(v, format); !f.safe {
		return s
	} else {
		return string(f.st.escape(String(s)))
	}
}

// lookup finds the value of a field like 0.name[key].
func (f *strFormat) lookup(s string) Value {
	end := strings.IndexAny(s, ".[")
	if end < 0 {
		end = len(s)
	}
	v := f.argument(s[:end])
	for s = s[end:]; s != ""; {
		if s[0] == '.' {
			end := strings.IndexAny(s[1:], ".[")
			if end < 0 {
				end = len(s) - 1
			}
			if end == 0 {
				raise("ValueError", "Empty attribute in format string")
			}
			v = f.st.getattr(v, s[1:1+end])
			s = s[1+end:]
			continue
		}
		if s[0] != '[' {
			raise("ValueError", "Only '.' or '[' may follow ']' in format field specifier")
		}
		end := strings.IndexByte(s, ']')
		if end < 0 {
			raise("ValueError", "Missing ']' in format string")
		}
		if key := s[1:end]; key == "" {
			raise("ValueError", "Empty attribute in format string")
		} else if digits(key) == len(key) && !strings.Contains(key, "_") {
			v = f.st.getitem(v, Int(parseWidth(key)))
		} else {
			v = f.st.getitem(v, String(key))
		}
		s = s[end+1:]
	}
	return v
}

func (f *strFormat) argument(s string) Value {
	if s != "" && (digits(s) != len(s) || strings.Contains(s, "_")) {
		v := f.args.named(s)
		if v == nil {
			raise("KeyError", "%s", quote(s))
		}
		return v
	}
	i := f.auto
	if s == "" {
		if f.auto < 0 {
			raise("ValueError", "cannot switch from manual field specification to automatic field numbering")
		}
		f.auto++
		f.used = true
	} else {
		if f.used {
			raise("ValueError", "cannot switch from automatic field numbering to manual field specification")
		}
		f.auto = -1
		i = parseWidth(s)
	}
	if i >= len(f.args.pos) {
		raise("IndexError", "Replacement index %d out of range for positional args tuple", i)
	}
	return f.args.pos[i]
}

// formatValue is format(v, s).
func (st *state) formatValue(v Value, s string) string {
	if s == "" {
		return st.display(v)
	}
	switch v.(type) {
	case String, markup, Int, Bool, bigInt, Float:
	default:
		raise("TypeError", "unsupported format string passed to %s.__format__", v.typeName())
	}
	f := parseSpec(s, v)
	if t, ok := text(v); ok {
		if f.verb != 0 && f.verb != 's' {
			raise("ValueError", "Unknown format code '%c' for object of type 'str'", f.verb)
		}
		if f.sign != 0 {
			raise("ValueError", "Sign not allowed in string format specifier")
		}
		if f.align == '=' {
			raise("ValueError", "'=' alignment not allowed in string format specifier")
		}
		if f.prec >= 0 {
			t = st.sliceText(t, &sliceValue{None{}, Int(f.prec), None{}})
		}
		if f.zero {
			f.fill, f.zero = "0", false
		}
		return st.align(f, "", t, '<')
	}
	if _, isFloat := v.(Float); !isFloat && strings.IndexByte("\x00bcdnoxX", f.verb) >= 0 {
		return st.formatIntSpec(f, toBig(v))
	}
	if strings.IndexByte("\x00eEfFgGn%", f.verb) < 0 {
		raise("ValueError", "Unknown format code '%c' for object of type %s", f.verb, quote(v.typeName()))
	}
	if f.verb == 'n' {
		f.verb = 'g'
	}
	if f.prec < 0 && f.verb != 0 {
		f.prec = 6
	}
	sign, digits := formatFloat(f, toFloat(v))
	return st.align(f, sign, st.grouped(f, sign, digits, 3), '>')
}

func (st *state) formatIntSpec(f *spec, n *big.Int) string {
	if f.prec >= 0 {
		raise("ValueError", "Precision not allowed in integer format specifier")
	}
	if f.verb == 'c' {
		return st.align(f, "", string(rune(n.Int64())), '<')
	}
	every := 3
	if f.verb == 'x' || f.verb == 'X' || f.verb == 'o' || f.verb == 'b' {
		every = 4
	}
	sign, digits := formatInt(f, n)
	return st.align(f, sign, st.grouped(f, sign, digits, every), '>')
}

// grouped puts separators between the digits before the point. With zero padding, the zeros are grouped too.
func (st *state) grouped(f *spec, sign, s string, every int) string {
	if f.group == "" {
		return s
	}
	end := 0
	for end < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 && (every == 4 || s[end] <= '9') {
		end++
	}
	whole, rest := s[:end], s[end:]
	if f.zero && f.align == 0 || f.align == '=' && f.fill == "0" {
		for len(whole)+(len(whole)-1)/every+len(rest)+len(sign) < f.width {
			st.bytes(bytesPerStep)
			whole = "0" + whole
		}
	}
	var b strings.Builder
	for i := range whole {
		if i > 0 && (len(whole)-i)%every == 0 {
			b.WriteString(f.group)
		}
		b.WriteByte(whole[i])
	}
	return b.String() + rest
}

// parseSpec reads [[fill]align][sign][#][0][width][group][.precision][type].
func parseSpec(s string, v Value) *spec {
	f := &spec{fill: " ", prec: -1}
	if _, n := utf8.DecodeRuneInString(s); len(s) > n && strings.IndexByte("<>=^", s[n]) >= 0 {
		f.fill, f.align, s = s[:n], s[n], s[n+1:]
	} else if strings.IndexByte("<>=^", s[0]) >= 0 {
		f.align, s = s[0], s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		if s[0] != '-' {
			f.sign = s[0]
		}
		s = s[1:]
	}
	if strings.HasPrefix(s, "#") {
		f.alt, s = true, s[1:]
	}
	if strings.HasPrefix(s, "0") {
		f.zero, s = true, s[1:]
		if f.align != 0 && f.fill == " " {
			f.fill = "0"
		}
	}
	if n := countDigits(s); n > 0 {
		f.width, s = parseWidth(s[:n]), s[n:]
	}
	if s != "" && (s[0] == ',' || s[0] == '_') {
		f.group, s = s[:1], s[1:]
	}
	if strings.HasPrefix(s, ".") {
		n := countDigits(s[1:])
		if n == 0 {
			raise("ValueError", "Format specifier missing precision")
		}
		f.prec, s = parseWidth(s[1:1+n]), s[1+n:]
	}
	if len(s) > 1 {
		raise("ValueError", "Invalid format specifier")
	}
	if s != "" {
		f.verb = s[0]
	}
	return f
}

func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}
