package tokenizer

import "fmt"

// preTokenizer cuts a piece of text into smaller ones and hands each to e.next(step+1, …).
type preTokenizer interface {
	split(e *encoder, step int, piece string, first bool)
}

// behavior says what becomes of the delimiters that a splitter finds.
type behavior uint8

const (
	isolated           behavior = iota // a piece of its own
	removed                            // gone
	mergedWithPrevious                 // the end of the piece in front
	mergedWithNext                     // the beginning of the piece behind
	contiguous                         // as isolated, but neighbours together
)

var behaviors = map[string]behavior{
	"Isolated": isolated, "Removed": removed, "MergedWithPrevious": mergedWithPrevious, "MergedWithNext": mergedWithNext,
	"Contiguous": contiguous,
}

// finder finds delimiters: the first match at or behind i, start < 0 when there is none. A match may be empty.
type finder interface {
	find(s string, i int) (start, end int)
}

// splitter is the Split pre-tokenizer and all that are special cases of it.
type splitter struct {
	delimiter finder
	behavior  behavior
	invert    bool // matches are text, and what is between them delimiters
}

func (p *splitter) split(e *encoder, step int, piece string, first bool) {
	delimiter := p.delimiter
	if b, ok := delimiter.(*backtracker); ok {
		var err error
		if delimiter, err = b.all(piece); err != nil {
			e.fail(err)
			return
		}
	}
	if p.behavior == isolated { // inverted or not
		isolate(e, delimiter, step+1, piece, first)
		return
	}
	c := cutter{e: e, step: step + 1, s: piece, first: first, behavior: p.behavior}
	done := 0
	for done < len(piece) {
		start, end := delimiter.find(piece, done)
		if start < 0 {
			break
		}
		if done < start {
			c.part(done, start, p.invert)
		}
		c.part(start, end, !p.invert)
		done = end
	}
	if done < len(piece) {
		c.part(done, len(piece), p.invert)
	}
	c.flush()
}

func isolate(e *encoder, delimiter finder, step int, piece string, first bool) {
	for done := 0; done < len(piece); {
		start, end := delimiter.find(piece, done)
		if start < 0 {
			start, end = len(piece), len(piece)
		}
		if done < start {
			e.next(step, piece[done:start], first && done == 0)
		}
		if start < end {
			e.next(step, piece[start:end], first && start == 0)
		}
		done = end
	}
}

// cutter joins the alternating parts of a piece as its behavior says. One piece is held back, as a later part may
// still belong to it.
type cutter struct {
	e          *encoder
	step       int
	s          string
	first      bool
	behavior   behavior
	start, end int // the piece held back
	held       bool
	afterMatch bool // the part before was a delimiter
}

func (c *cutter) part(start, end int, match bool) {
	join := false
	switch c.behavior {
	case removed:
		if match {
			c.flush()
			return
		}
	case contiguous:
		join = match == c.afterMatch
	case mergedWithPrevious:
		join = match && !c.afterMatch
	case mergedWithNext:
		join = !match && c.afterMatch
	}
	c.afterMatch = match
	if join && c.held {
		c.end = end
		return
	}
	c.flush()
	c.start, c.end, c.held = start, end, true
}

func (c *cutter) flush() {
	if c.held && c.start < c.end {
		c.e.next(c.step, c.s[c.start:c.end], c.first && c.start == 0)
	}
	c.held = false
}

// newSplit builds Split{pattern, behavior, invert}.
func newSplit(n node) (preTokenizer, error) {
	b, ok := behaviors[n.str("behavior")]
	if !ok {
		return nil, fmt.Errorf("Split: unknown behavior %q", n.str("behavior"))
	}
	f, err := newFinder(n["pattern"])
	if err != nil {
		return nil, fmt.Errorf("Split: %w", err)
	}
	return &splitter{delimiter: f, behavior: b, invert: n.boolean("invert", false)}, nil
}
