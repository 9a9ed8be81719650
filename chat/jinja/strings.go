package jinja

import (
	"strings"
	"unicode/utf8"
)

// stringMethods are the methods of str.
var stringMethods = methodTable{
	"upper": caseMethod(upper), "lower": caseMethod(lower), "title": caseMethod(title), "capitalize": caseMethod(capitalize),
	"swapcase": caseMethod(swapcase), "casefold": caseMethod(casefold),
	"strip": stripMethod(true, true), "lstrip": stripMethod(true, false), "rstrip": stripMethod(false, true),
	"split": splitMethod(split), "rsplit": splitMethod(rsplit), "splitlines": splitLinesMethod,
	"startswith": affixMethod("startswith", strings.HasPrefix), "endswith": affixMethod("endswith", strings.HasSuffix),
	"find": findMethod("find", strings.Index, false), "rfind": findMethod("rfind", strings.LastIndex, false),
	"index": findMethod("index", strings.Index, true), "rindex": findMethod("rindex", strings.LastIndex, true),
	"count": countMethod, "replace": replaceMethod, "join": joinMethod, "format": formatMethod, "format_map": formatMapMethod,
	"partition": partitionMethod("partition", strings.Index), "rpartition": partitionMethod("rpartition", strings.LastIndex),
	"removeprefix": trimMethod("removeprefix", strings.TrimPrefix), "removesuffix": trimMethod("removesuffix", strings.TrimSuffix),
	"center": padMethod("center"), "ljust": padMethod("ljust"), "rjust": padMethod("rjust"),
	"zfill": zfillMethod, "expandtabs": expandTabsMethod,
	"isalpha": runeTest("isalpha", isAlpha), "isdigit": runeTest("isdigit", isDigitRune), "isdecimal": runeTest("isdecimal", isDecimal),
	"isnumeric": runeTest("isnumeric", isNumeric), "isalnum": runeTest("isalnum", isAlnum), "isspace": runeTest("isspace", isSpace),
	"isprintable": textTest("isprintable", isPrintableText), "isascii": textTest("isascii", isASCII),
	"islower": textTest("islower", isLower), "isupper": textTest("isupper", isUpper), "istitle": textTest("istitle", isTitle),
	"isidentifier": textTest("isidentifier", isIdentifierText),
}

func (st *state) self(v Value) string {
	s, _ := text(v)
	st.bytes(len(s))
	return s
}

func caseMethod(f func(string) string) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		a.bind("method", 0)
		s := f(st.self(self))
		st.room(len(s))
		return sameMarkup(self, s)
	}
}

// positional gives between least and most positional arguments; there can be no named ones.
func (a *args) positional(fn string, least, most int) []Value {
	if len(a.names) > 0 {
		raise("TypeError", "str.%s() takes no keyword arguments", fn)
	}
	if n := len(a.pos); n < least || n > most {
		raise("TypeError", "%s expected at least %d and at most %d arguments, got %d", fn, least, most, n)
	}
	out := make([]Value, most)
	copy(out, a.pos)
	return out
}

func needText(fn string, v Value) string {
	s, ok := text(v)
	if !ok {
		raise("TypeError", "%s arg must be str, not %s", fn, v.typeName())
	}
	return s
}

// needInt gives the integer v, cut to a range that later sums cannot leave.
func needInt(v Value) int {
	if b, ok := v.(bigInt); ok {
		return b.Sign() << 40
	}
	n, ok := integer(v)
	if !ok {
		raise("TypeError", "%s object cannot be interpreted as an integer", quote(v.typeName()))
	}
	return int(max(-(1 << 40), min(n, 1<<40)))
}

func isNone(v Value) bool {
	_, none := v.(None)
	return v == nil || none
}

func stripMethod(left, right bool) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		b := a.positional("strip", 0, 1)
		return sameMarkup(self, st.strip(st.self(self), b[0], left, right))
	}
}

func (st *state) strip(s string, chars Value, left, right bool) string {
	cut := isSpace
	if !isNone(chars) {
		set := needText("strip", chars)
		st.step(len(set) / itemsPerStep)
		in := map[rune]bool{}
		for _, r := range set {
			in[r] = true
		}
		cut = func(r rune) bool { return in[r] }
	}
	if left {
		s = strings.TrimLeftFunc(s, cut)
	}
	if right {
		s = strings.TrimRightFunc(s, cut)
	}
	return s
}

func splitMethod(f func(s, sep string, blank bool, most int) []string) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		b := a.bind("split", 0, "sep", "maxsplit")
		most := -1
		if b[1] != nil {
			most = needInt(b[1])
		}
		sep := ""
		if !isNone(b[0]) {
			if sep = needText("split", b[0]); sep == "" {
				raise("ValueError", "empty separator")
			}
		}
		return st.strings(self, f(st.self(self), sep, isNone(b[0]), most))
	}
}

// strings makes a list of parts of self.
func (st *state) strings(self Value, parts []string) Value {
	st.items(2 * len(parts))
	out := make([]Value, len(parts))
	for i, p := range parts {
		out[i] = sameMarkup(self, p)
	}
	return &list{items: out}
}

func split(s, sep string, blank bool, most int) []string {
	if !blank {
		if most < 0 {
			return strings.Split(s, sep)
		}
		return strings.SplitN(s, sep, most+1)
	}
	var out []string
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 || most >= 0 && len(out) >= most {
			return append(out, s)
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}

func rsplit(s, sep string, blank bool, most int) []string {
	if most < 0 {
		return split(s, sep, blank, most)
	}
	var out []string
	if blank {
		for s = strings.TrimRightFunc(s, isSpace); s != ""; s = strings.TrimRightFunc(s, isSpace) {
			at := strings.LastIndexFunc(s, isSpace)
			if at < 0 || len(out) >= most {
				out = append(out, s)
				break
			}
			_, n := utf8.DecodeRuneInString(s[at:])
			out = append(out, s[at+n:])
			s = s[:at]
		}
	} else {
		for len(out) < most {
			at := strings.LastIndex(s, sep)
			if at < 0 {
				break
			}
			out = append(out, s[at+len(sep):])
			s = s[:at]
		}
		out = append(out, s)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func splitLinesMethod(st *state, self Value, a *args) Value {
	b := a.bind("splitlines", 0, "keepends")
	return st.strings(self, splitLines(st.self(self), intOption(b[0])))
}

func splitLines(s string, keep bool) []string {
	var out []string
	for s != "" {
		end := strings.IndexFunc(s, isLineBreak)
		if end < 0 {
			return append(out, s)
		}
		_, n := utf8.DecodeRuneInString(s[end:])
		if strings.HasPrefix(s[end:], "\r\n") {
			n = 2
		}
		if keep {
			out = append(out, s[:end+n])
		} else {
			out = append(out, s[:end])
		}
		s = s[end+n:]
	}
	return out
}

func isLineBreak(r rune) bool {
	return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

// window is s[start:end] as find, count and startswith take it. from is the number of runes before it; ok is false if
// start lies beyond the end.
func (st *state) window(s string, start, end Value) (part string, from int, ok bool) {
	if isNone(start) && isNone(end) {
		return s, 0, true
	}
	n := utf8.RuneCountInString(s)
	b := &sliceValue{None{}, None{}, None{}}
	if !isNone(start) {
		b.start = start
		if needInt(start) > n {
			return "", 0, false
		}
	}
	if !isNone(end) {
		b.stop = end
	}
	lo, hi, _ := sliceBounds(b, n)
	if lo > hi {
		return "", 0, false
	}
	return st.sliceText(s, &sliceValue{Int(lo), Int(hi), None{}}), lo, true
}

func affixMethod(fn string, has func(s, affix string) bool) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		b := a.positional(fn, 1, 3)
		s, _, ok := st.window(st.self(self), b[1], b[2])
		options := []Value{b[0]}
		if l, isList := b[0].(*list); isList && l.tuple {
			options = l.items
		} else if _, isText := text(b[0]); !isText {
			raise("TypeError", "%s first arg must be str or a tuple of str, not %s", fn, b[0].typeName())
		}
		st.items(len(options))
		for _, o := range options {
			affix, isText := text(o)
			if !isText {
				raise("TypeError", "tuple for %s must only contain str, not %s", fn, o.typeName())
			}
			if ok && has(s, affix) {
				return Bool(true)
			}
		}
		return Bool(false)
	}
}

func findMethod(fn string, find func(s, sub string) int, must bool) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		b := a.positional(fn, 1, 3)
		sub := needText(fn, b[0])
		s, from, ok := st.window(st.self(self), b[1], b[2])
		at := -1
		if ok {
			at = find(s, sub)
		}
		if at < 0 {
			if must {
				raise("ValueError", "substring not found")
			}
			return Int(-1)
		}
		return Int(from + utf8.RuneCountInString(s[:at]))
	}
}

func countMethod(st *state, self Value, a *args) Value {
	b := a.positional("count", 1, 3)
	sub := needText("count", b[0])
	s, _, ok := st.window(st.self(self), b[1], b[2])
	if !ok {
		return Int(0)
	}
	return Int(strings.Count(s, sub))
}

func replaceMethod(st *state, self Value, a *args) Value {
	b := a.positional("replace", 2, 3)
	old, new := needText("replace", b[0]), needText("replace", b[1])
	if _, ok := self.(markup); ok {
		new = string(st.escape(b[1]))
	}
	n := -1
	if b[2] != nil {
		n = needInt(b[2])
	}
	return sameMarkup(self, st.replace(st.self(self), old, new, n))
}

func (st *state) replace(s, old, new string, n int) string {
	found := strings.Count(s, old)
	if n >= 0 {
		found = min(found, n)
	}
	st.room(len(s) + found*(len(new)-len(old)))
	return strings.Replace(s, old, new, n)
}

func joinMethod(st *state, self Value, a *args) Value {
	b := a.positional("join", 1, 1)
	_, safe := self.(markup)
	var parts []string
	n, sep := 0, st.self(self)
	next := st.tryIter(b[0])
	if next == nil {
		raise("TypeError", "can only join an iterable")
	}
	for i := 0; ; i++ {
		v, ok := next()
		if !ok {
			break
		}
		s, isText := text(v)
		if safe {
			s, isText = string(st.escape(v)), true
		}
		if !isText {
			raise("TypeError", "sequence item %d: expected str instance, %s found", i, v.typeName())
		}
		st.grow(n, len(s)+len(sep))
		n += len(s) + len(sep)
		parts = append(parts, s)
	}
	return sameMarkup(self, strings.Join(parts, sep))
}

func partitionMethod(fn string, find func(s, sep string) int) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		sep := needText(fn, a.positional(fn, 1, 1)[0])
		if sep == "" {
			raise("ValueError", "empty separator")
		}
		s := st.self(self)
		m := func(s string) Value { return sameMarkup(self, s) }
		at := find(s, sep)
		switch {
		case at >= 0:
			return tuple(m(s[:at]), m(sep), m(s[at+len(sep):]))
		case fn == "partition":
			return tuple(m(s), m(""), m(""))
		}
		return tuple(m(""), m(""), m(s))
	}
}

func trimMethod(fn string, trim func(s, affix string) string) func(*state, Value, *args) Value {
	return func(st *state, self Value, a *args) Value {
		return sameMarkup(self, trim(st.self(self), needText(fn, a.positional(fn, 1, 1)[0])))
	}
}
