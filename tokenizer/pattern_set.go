package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// runeSet is a set of characters.
type runeSet interface{ has(r rune) bool }

type (
	runeRange  struct{ low, high rune }
	categories uint32 // bits of general categories
	spaceSet   struct{}
	wordSet    struct{}
	scriptSet  struct{ table *unicode.RangeTable }
	notSet     struct{ set runeSet }
	foldSet    struct{ set runeSet } // and what differs only in case
	anySet     []runeSet             // union
	allSet     []runeSet             // intersection
)

func (s runeRange) has(r rune) bool  { return r >= s.low && r <= s.high }
func (s categories) has(r rune) bool { return 1<<category(r)&s != 0 }
func (spaceSet) has(r rune) bool     { return isSpace(r) }

// has is Oniguruma's \w: Unicode's, but without the joiners, and with the Latin-1 digits ² ³ ¹ and fractions.
func (wordSet) has(r rune) bool {
	switch r {
	case 0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE:
		return true
	case 0x200C, 0x200D:
		return false
	}
	return isWordRune(r)
}

func (s scriptSet) has(r rune) bool { return unicode.Is(s.table, r) }
func (s notSet) has(r rune) bool    { return !s.set.has(r) }

func (s foldSet) has(r rune) bool {
	if s.set.has(r) {
		return true
	}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if s.set.has(f) {
			return true
		}
	}
	return false
}

func (s anySet) has(r rune) bool {
	for _, part := range s {
		if part.has(r) {
			return true
		}
	}
	return false
}

func (s allSet) has(r rune) bool {
	for _, part := range s {
		if !part.has(r) {
			return false
		}
	}
	return true
}

// set reads one character, escape or bracket expression.
func (ps *patternParser) set() (runeSet, error) {
	if !ps.more() {
		return nil, errPattern
	}
	switch c := ps.next(); c {
	case '[':
		return ps.bracket()
	case '\\':
		return ps.escape()
	case '.', '^', '$', '*', '+', '?', '(', ')', '{':
		return nil, errPattern
	default:
		return ps.char(c), nil
	}
}

// between is the range of low to high. It notes where the range begins and ends.
func (ps *patternParser) between(low, high rune) runeRange {
	ps.edges = append(ps.edges, low, min(high+1, utf8.MaxRune))
	for c := low; ps.fold && c <= high; c++ {
		for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
			ps.edges = append(ps.edges, f, f+1)
		}
	}
	return runeRange{low, high}
}

// char is one literal character, with its case variants inside (?i:…).
func (ps *patternParser) char(c rune) runeSet {
	if !ps.fold {
		return ps.between(c, c)
	}
	set := anySet{ps.between(c, c)}
	for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
		set = append(set, ps.between(f, f))
	}
	return set
}

var escapedRunes = map[rune]rune{'n': '\n', 'r': '\r', 't': '\t', 'f': '\f', 'v': '\v', 'e': 0x1B, 'a': 7}

// escape reads what stands behind a backslash.
func (ps *patternParser) escape() (runeSet, error) {
	if !ps.more() {
		return nil, errPattern
	}
	c := ps.next()
	switch c {
	case 's':
		return spaceSet{}, nil
	case 'S':
		return notSet{spaceSet{}}, nil
	case 'w':
		return wordSet{}, nil
	case 'W':
		return notSet{wordSet{}}, nil
	case 'd':
		return catNd, nil
	case 'D':
		return notSet{catNd}, nil
	case 'p', 'P':
		set, err := ps.property()
		if c == 'P' && err == nil {
			set = notSet{set}
		}
		return set, err
	}
	if r, ok := escapedRunes[c]; ok {
		return ps.between(r, r), nil
	}
	if strings.ContainsRune(`\/|()[]{}^$.*+?-'"&!#%,:;<=>@_~ `+"`", c) {
		return ps.between(c, c), nil
	}
	return nil, errPattern
}

// property reads {Name} behind \p: a general category or a script.
func (ps *patternParser) property() (runeSet, error) {
	if !ps.eat("{") {
		return nil, errPattern
	}
	name, _, ok := strings.Cut(ps.src[ps.pos:], "}")
	if !ok {
		return nil, errPattern
	}
	ps.pos += len(name) + 1
	negated := strings.HasPrefix(name, "^")
	name = strings.TrimPrefix(name, "^")
	var set runeSet
	if cats, ok := categoryNames[name]; ok {
		set = cats
	} else if table, ok := unicode.Scripts[name]; ok {
		set = ps.script(table)
	} else {
		return nil, errPattern
	}
	if negated {
		set = notSet{set}
	}
	return set, nil
}

// script is the set of a script's characters.
func (ps *patternParser) script(table *unicode.RangeTable) runeSet {
	for _, r := range table.R16 {
		ps.spread(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range table.R32 {
		ps.spread(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return scriptSet{table}
}

func (ps *patternParser) spread(low, high, stride rune) {
	if stride == 1 {
		ps.between(low, high)
		return
	}
	for c := low; c <= high; c += stride {
		ps.between(c, c)
	}
}

// bracket reads a character class behind its opening bracket, with nested classes and && intersections.
func (ps *patternParser) bracket() (runeSet, error) {
	if ps.depth++; ps.depth > 8 {
		return nil, errPattern
	}
	defer func() { ps.depth-- }()
	negated := ps.eat("^")
	var all allSet
	var union anySet
	for first := true; ; first = false {
		switch {
		case !ps.more():
			return nil, errPattern
		case ps.eat("&&"):
			all = append(all, union)
			union = nil
			continue
		case ps.eat("[:"):
			return nil, errPattern
		case first && ps.src[ps.pos] == ']':
			return nil, errPattern
		case ps.eat("]"):
			var set runeSet = append(all, union)
			if ps.fold {
				set = foldSet{set}
			}
			if negated {
				set = notSet{set}
			}
			return set, nil
		}
		part, err := ps.member()
		if err != nil {
			return nil, err
		}
		union = append(union, part)
	}
}

// member reads one character, range, escape or nested class inside of brackets.
func (ps *patternParser) member() (runeSet, error) {
	if ps.eat("[") {
		return ps.bracket()
	}
	var low runeSet
	if c := ps.next(); c != '\\' {
		low = ps.between(c, c)
	} else {
		var err error
		if low, err = ps.escape(); err != nil {
			return nil, err
		}
	}
	from, single := low.(runeRange)
	rest := ps.src[ps.pos:]
	if !strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "-]") || strings.HasPrefix(rest, "-[") {
		return low, nil
	}
	if !single {
		return nil, errPattern
	}
	ps.pos++
	high := ps.next()
	if high == '\\' {
		set, err := ps.escape()
		if err != nil {
			return nil, err
		}
		to, ok := set.(runeRange)
		if !ok {
			return nil, errPattern
		}
		high = to.low
	}
	if high < from.low {
		return nil, errPattern
	}
	return ps.between(from.low, high), nil
}
