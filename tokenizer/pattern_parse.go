package tokenizer

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errPattern means that a regular expression is outside of what pattern can do. Nothing is said about its validity.
var errPattern = errors.New("not a pre-tokenizer pattern")

type patternParser struct {
	src   string
	pos   int
	fold  bool // inside (?i:…)
	depth int
	p     *pattern
	sets  map[string]uint32 // bit by source text and fold
	edges []rune            // characters at which some class begins, or ends just before
}

// compilePattern compiles a regular expression in Oniguruma's notation, or fails with errPattern.
func compilePattern(src string) (*pattern, error) {
	ps := &patternParser{src: src, p: &pattern{}, sets: map[string]uint32{}}
	alts, err := ps.alternatives()
	if err != nil {
		return nil, err
	}
	if ps.pos != len(src) {
		return nil, errPattern
	}
	p := ps.p
	p.alts = alts
	for _, alt := range alts {
		if alt.shortest() == 0 {
			return nil, errPattern // empty matches need rules of their own
		}
	}
	for c := range p.ascii {
		p.ascii[c] = p.classify(rune(c))
	}
	p.markFixed(alts, nil, ps.masks())
	if !groupsFixed(alts, false) {
		return nil, errPattern
	}
	return p, nil
}

// groupsFixed reports whether no run inside of a group may have to give characters back: match does not return into
// groups.
func groupsFixed(alts []sequence, inGroup bool) bool {
	for _, alt := range alts {
		for _, it := range alt {
			if it.kind == groupItem && !groupsFixed(it.alts, true) {
				return false
			}
			if inGroup && it.kind == runItem && !it.fixed && it.min != it.max {
				return false
			}
		}
	}
	return true
}

// masks returns all distinct masks. Classes change only at category boundaries and at those that their parts name.
func (ps *patternParser) masks() []uint32 {
	seen := map[uint32]bool{}
	for c := range ps.p.ascii {
		seen[ps.p.ascii[c]] = true
	}
	for _, run := range categoryRuns {
		seen[ps.p.classify(rune(run>>5))] = true
	}
	// What spaceSet and wordSet have beyond categories begins or ends here.
	edges := []rune{0x85, 0x86, 0x200C, 0x200E, 0x24B6, 0x24EA, 0x1F130, 0x1F14A, 0x1F150, 0x1F16A, 0x1F170, 0x1F18A}
	for _, r := range append(edges, ps.edges...) {
		seen[ps.p.classify(r)] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// shortest returns the fewest characters that seq matches.
func (seq sequence) shortest() int {
	sum := 0
	for _, it := range seq {
		switch it.kind {
		case runItem:
			sum += it.min
		case groupItem:
			if it.min == 0 {
				continue
			}
			best := it.alts[0].shortest()
			for _, alt := range it.alts[1:] {
				best = min(best, alt.shortest())
			}
			sum += best
		}
	}
	return sum
}

// markFixed sets item.fixed of all runs that never need to give characters back: the end of the pattern follows, or
// something that begins with a class that shares no character with theirs. masks are all that occur.
func (p *pattern) markFixed(alts []sequence, after sequence, masks []uint32) {
	for _, alt := range alts {
		for k := range alt {
			rest := append(append(sequence{}, alt[k+1:]...), after...)
			switch it := &alt[k]; it.kind {
			case groupItem:
				p.markFixed(it.alts, rest, masks)
			case runItem:
				it.fixed = len(rest) == 0 || rest[0].kind == runItem && rest[0].min > 0 && disjoint(masks, it.bit, rest[0].bit)
			}
		}
	}
}

// disjoint reports whether no character is in both classes.
func disjoint(masks []uint32, a, b uint32) bool {
	return !slices.ContainsFunc(masks, func(m uint32) bool { return m&a != 0 && m&b != 0 })
}

func (ps *patternParser) more() bool { return ps.pos < len(ps.src) }

func (ps *patternParser) eat(s string) bool {
	if strings.HasPrefix(ps.src[ps.pos:], s) {
		ps.pos += len(s)
		return true
	}
	return false
}

func (ps *patternParser) alternatives() ([]sequence, error) {
	if ps.depth++; ps.depth > 8 {
		return nil, errPattern
	}
	defer func() { ps.depth-- }()
	var alts []sequence
	for {
		seq, err := ps.sequence()
		if err != nil {
			return nil, err
		}
		alts = append(alts, seq)
		if !ps.eat("|") {
			return alts, nil
		}
	}
}

func (ps *patternParser) sequence() (sequence, error) {
	var seq sequence
	for ps.more() && ps.src[ps.pos] != '|' && ps.src[ps.pos] != ')' {
		it, err := ps.item()
		if err != nil {
			return nil, err
		}
		seq = append(seq, it)
	}
	if len(seq) == 0 {
		return nil, errPattern
	}
	return seq, nil
}

func (ps *patternParser) item() (item, error) {
	switch {
	case ps.eat("(?!"):
		return ps.look(true)
	case ps.eat("(?="):
		return ps.look(false)
	case ps.eat("(?i:"):
		return ps.group(true)
	case ps.eat("(?:"):
		return ps.group(ps.fold)
	case ps.eat("("):
		if ps.more() && ps.src[ps.pos] == '?' {
			return item{}, errPattern
		}
		return ps.group(ps.fold)
	}
	bit, err := ps.class()
	if err != nil {
		return item{}, err
	}
	it := item{kind: runItem, bit: bit}
	it.min, it.max, err = ps.count()
	return it, err
}

func (ps *patternParser) look(negative bool) (item, error) {
	bit, err := ps.class()
	if err != nil || !ps.eat(")") {
		return item{}, errPattern
	}
	return item{kind: lookItem, bit: bit, negative: negative}, nil
}

func (ps *patternParser) group(fold bool) (item, error) {
	outer := ps.fold
	ps.fold = fold
	alts, err := ps.alternatives()
	ps.fold = outer
	if err != nil || !ps.eat(")") {
		return item{}, errPattern
	}
	it := item{kind: groupItem, alts: alts}
	if it.min, it.max, err = ps.count(); err != nil || it.max != 1 {
		return item{}, errPattern
	}
	for _, alt := range alts {
		if alt.shortest() == 0 {
			return item{}, errPattern
		}
	}
	return it, nil
}

// count reads ?, *, +, {n}, {n,} or {n,m}; nothing is once.
func (ps *patternParser) count() (least, most int, err error) {
	switch {
	case ps.eat("?"):
		least, most = 0, 1
	case ps.eat("*"):
		least, most = 0, -1
	case ps.eat("+"):
		least, most = 1, -1
	case ps.more() && ps.src[ps.pos] == '{':
		if least, most, err = ps.braces(); err != nil {
			return 0, 0, err
		}
	default:
		return 1, 1, nil
	}
	if ps.more() && strings.IndexByte("?+*{", ps.src[ps.pos]) >= 0 {
		return 0, 0, errPattern // lazy and possessive counts
	}
	return least, most, nil
}

func (ps *patternParser) braces() (least, most int, err error) {
	body, _, ok := strings.Cut(ps.src[ps.pos+1:], "}")
	if !ok {
		return 0, 0, errPattern
	}
	ps.pos += len(body) + 2
	low, high, ranged := strings.Cut(body, ",")
	if least, err = strconv.Atoi(low); err != nil || least < 0 || least > 1000 {
		return 0, 0, errPattern
	}
	switch {
	case !ranged:
		return least, least, nil
	case high == "":
		return least, -1, nil
	}
	if most, err = strconv.Atoi(high); err != nil || most < least || most == 0 || most > 1000 {
		return 0, 0, errPattern
	}
	return least, most, nil
}

// class reads one character, escape or bracket expression and returns its bit.
func (ps *patternParser) class() (uint32, error) {
	start := ps.pos
	set, err := ps.set()
	if err != nil {
		return 0, err
	}
	key := ps.src[start:ps.pos]
	if ps.fold {
		key = "(?i)" + key
	}
	if bit, ok := ps.sets[key]; ok {
		return bit, nil
	}
	if len(ps.p.classes) == 32 {
		return 0, errPattern
	}
	bit := uint32(1) << len(ps.p.classes)
	ps.p.classes = append(ps.p.classes, set)
	ps.sets[key] = bit
	return bit, nil
}

func (ps *patternParser) next() rune {
	r, n := utf8.DecodeRuneInString(ps.src[ps.pos:])
	ps.pos += n
	return r
}
