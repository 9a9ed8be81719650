package tokenizer

import (
	"bytes"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// mergeList holds the merges of a file until the vocabulary is known: pairs of texts, in order of rank.
type mergeList struct {
	raw  bool
	data []byte
	ends []uint32 // of left, right, left, right … in data
	bad  error
}

// read reads merges as "a b" strings or as ["a", "b"] pairs.
func (l *mergeList) read(r *jsonReader) {
	r.array(func() {
		if r.peek() != '[' {
			if line := r.str(); !bytes.HasPrefix(line, []byte("#version")) && r.err == nil {
				l.addLine(line)
			}
		} else {
			n := 0
			r.array(func() { l.part(r.str()); n++ })
			if n != 2 && r.err == nil {
				r.fail("a merge has %d parts, want 2", n)
			}
		}
		if l.bad != nil && r.err == nil {
			r.fail("%w", l.bad)
		}
	})
}

func (l *mergeList) addLine(line []byte) {
	left, right, ok := bytes.Cut(line, []byte(" "))
	if !ok || bytes.IndexByte(right, ' ') >= 0 {
		l.bad = fmt.Errorf("merge %q does not have two parts", line)
		return
	}
	l.part(left)
	l.part(right)
}

// part appends one side of a merge.
func (l *mergeList) part(text []byte) {
	if len(l.data)+len(text) >= 1<<31 {
		l.bad = fmt.Errorf("merges hold more than 2 GiB of text")
		return
	}
	if l.raw { // a side with other characters stays empty: no text leads to such a merge, and build leaves it out
		l.data, _ = appendAlphabetBytes(l.data, text)
	} else {
		l.data = append(l.data, text...)
	}
	l.ends = append(l.ends, uint32(len(l.data)))
}

// resolved is a merge with ids: left, right and what they make.
type resolved struct{ left, right, joined int32 }

// skipped marks a merge that no text leads to.
var skipped = resolved{-1, -1, -1}

// build fills b.pairs: the rank of a merge is its place in the list. Looking the texts up is most of the time of loading
// a tokenizer, so it is spread over all processors.
func (l *mergeList) build(b *bpe) error {
	n := len(l.ends) / 2
	list := make([]resolved, n)
	workers := max(1, min(runtime.GOMAXPROCS(0), n/10_000))
	var group errgroup.Group
	for w := range workers {
		group.Go(func() error { return l.resolve(b, list, n*w/workers, n*(w+1)/workers) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	b.pairs = newPairTable(n)
	for rank, m := range list {
		if m != skipped {
			b.pairs.set(m.left, m.right, makeMerge(uint32(rank), m.joined))
		}
	}
	l.findCuts(b)
	return nil
}

// sides returns the texts of merge i.
func (l *mergeList) sides(i int) (left, right []byte) {
	start := uint32(0)
	if i > 0 {
		start = l.ends[2*i-1]
	}
	return l.data[start:l.ends[2*i]], l.data[l.ends[2*i]:l.ends[2*i+1]]
}

func (l *mergeList) findCuts(b *bpe) {
	var cuts cutFinder
	for i := range len(l.ends) / 2 {
		if left, right := l.sides(i); len(right) >= len(metaspace) && right[0] == metaspace[0] && len(left) > 0 {
			cuts.merge(string(left), string(right))
		}
	}
	cuts.set(b)
}

// resolve looks up merges from to to.
func (l *mergeList) resolve(b *bpe, list []resolved, from, to int) error {
	var buf []byte
	var joined int32 // by the merge before: tokens mostly have ids in the order of their merges
	for i := from; i < to; i++ {
		left, right := l.sides(i)
		if l.raw && (len(left) == 0 || len(right) == 0) {
			list[i] = skipped
			continue
		}
		if len(right) < len(b.prefix) {
			return fmt.Errorf("merge %q is shorter than continuing_subword_prefix", right)
		}
		buf = append(append(buf[:0], left...), right[len(b.prefix):]...)
		x, ok1 := b.vocab.findBytes(left)
		y, ok2 := b.vocab.findBytes(right)
		z, ok3 := b.vocab.findNear(buf, joined)
		joined = z
		if !ok1 || !ok2 || !ok3 {
			return fmt.Errorf("merge %d, %q with %q: not all in the vocabulary", i, left, right)
		}
		list[i] = resolved{x, y, z}
	}
	return nil
}
