package tokenizer

import (
	"bytes"
	"fmt"
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

// build fills b.pairs: the rank of a merge is its place in the list.
func (l *mergeList) build(b *bpe) error {
	b.pairs = newPairTable(len(l.ends) / 2)
	crossing := false
	start := uint32(0)
	var buf []byte
	for i := 0; i+1 < len(l.ends); i += 2 {
		left, right := l.data[start:l.ends[i]], l.data[l.ends[i]:l.ends[i+1]]
		joined := l.data[start:l.ends[i+1]]
		start = l.ends[i+1]
		if l.raw && (len(left) == 0 || len(right) == 0) {
			continue
		}
		if b.prefix != "" {
			if len(right) < len(b.prefix) {
				return fmt.Errorf("merge %q is shorter than continuing_subword_prefix", right)
			}
			buf = append(append(buf[:0], left...), right[len(b.prefix):]...)
			joined = buf
		}
		x, ok1 := b.vocab.find(string(left))
		y, ok2 := b.vocab.find(string(right))
		z, ok3 := b.vocab.find(string(joined))
		if !ok1 || !ok2 || !ok3 {
			return fmt.Errorf("merge %d, %q with %q: not all in the vocabulary", i/2, left, right)
		}
		b.pairs.set(x, y, makeMerge(uint32(i/2), z))
		crossing = crossing || bytes.HasPrefix(right, []byte(metaspace)) && !bytes.HasSuffix(left, []byte(metaspace))
	}
	b.setCut(!crossing)
	return nil
}
