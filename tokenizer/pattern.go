package tokenizer

import (
	"sync/atomic"
	"unicode/utf8"
)

// pattern is a compiled regular expression of the shape that pre-tokenizers use: alternatives of character classes
// with greedy counts, one-character lookaheads and groups. It finds what a backtracking engine finds (first
// alternative that matches, greedy, with backtracking) but compares classes by table and never retries a run that
// cannot end earlier. compilePattern refuses everything else, which then goes to regexp2.
type pattern struct {
	alts    []sequence
	classes []runeSet // class i is bit i of a character's mask
	ascii   [128]uint32
	blocks  [0x110000 / 256]atomic.Pointer[[256]uint32] // masks, made when a block is first met
}

type sequence []item

// item is one step of a sequence. Exactly one of run, look and group is in use.
type item struct {
	kind     itemKind
	bit      uint32     // run, look: the class
	min, max int        // run, group: how often; max < 0 is no limit
	fixed    bool       // run: what follows cannot begin with the class, so giving characters back is useless
	negative bool       // look
	alts     []sequence // group
}

type itemKind uint8

const (
	runItem itemKind = iota
	lookItem
	groupItem
)

// mask returns the classes that r is in.
func (p *pattern) mask(r rune) uint32 {
	if r < 128 {
		return p.ascii[r]
	}
	block := p.blocks[r>>8].Load()
	if block == nil {
		block = p.fill(r >> 8)
	}
	return block[r&255]
}

func (p *pattern) fill(n rune) *[256]uint32 {
	var block [256]uint32
	for i := range block {
		block[i] = p.classify(n<<8 | rune(i))
	}
	p.blocks[n].Store(&block)
	return &block
}

func (p *pattern) classify(r rune) uint32 {
	var mask uint32
	for i, set := range p.classes {
		if set.has(r) {
			mask |= 1 << i
		}
	}
	return mask
}

// at returns the mask and width of the character at i of s; width 0 at the end.
func (p *pattern) at(s string, i int) (mask uint32, width int) {
	if i >= len(s) {
		return 0, 0
	}
	if c := s[i]; c < utf8.RuneSelf {
		return p.ascii[c], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return p.mask(r), n
}

// find returns the first match at or behind i, or -1, -1. Matches are never empty.
func (p *pattern) find(s string, i int) (start, end int) {
	for i < len(s) {
		for _, alt := range p.alts {
			if end := p.match(alt, s, i); end >= 0 {
				return i, end
			}
		}
		_, n := p.at(s, i)
		i += n
	}
	return -1, -1
}

// match returns the end of the match of seq at i, or -1.
func (p *pattern) match(seq sequence, s string, i int) int {
	for k := range seq {
		it := &seq[k]
		switch it.kind {
		case lookItem:
			mask, _ := p.at(s, i)
			if (mask&it.bit != 0) == it.negative {
				return -1
			}
		case groupItem:
			return p.matchGroup(it, seq[k+1:], s, i)
		default:
			end, n := p.run(it, s, i)
			if n < it.min {
				return -1
			}
			if !it.fixed && n > it.min {
				return p.giveBack(it, seq[k+1:], s, end, n)
			}
			i = end
		}
	}
	return i
}

// run takes as many characters of the class as there are and the item allows.
func (p *pattern) run(it *item, s string, i int) (end, n int) {
	for n != it.max {
		mask, width := p.at(s, i)
		if mask&it.bit == 0 {
			break
		}
		i += width
		n++
	}
	return i, n
}

// giveBack matches rest behind a run of n characters that ends at end, and behind ever shorter ones.
func (p *pattern) giveBack(it *item, rest sequence, s string, end, n int) int {
	for {
		if m := p.match(rest, s, end); m >= 0 {
			return m
		}
		if n == it.min {
			return -1
		}
		_, width := utf8.DecodeLastRuneInString(s[:end])
		end -= width
		n--
	}
}

func (p *pattern) matchGroup(it *item, rest sequence, s string, i int) int {
	for _, alt := range it.alts {
		if m := p.match(alt, s, i); m >= 0 {
			if end := p.match(rest, s, m); end >= 0 {
				return end
			}
		}
	}
	if it.min == 0 {
		return p.match(rest, s, i)
	}
	return -1
}
