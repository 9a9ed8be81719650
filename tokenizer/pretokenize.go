package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// gpt2Pattern is what ByteLevel cuts words with. Source: GPT-2.
const gpt2Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// newPreTokenizers builds the steps of a pre_tokenizer. A step that does nothing is left out.
// raw says that ByteLevel need not translate to the byte alphabet, because the model's vocabulary is kept in bytes.
func newPreTokenizers(n node, raw bool) ([]preTokenizer, error) {
	switch n.kind() {
	case "Sequence":
		list, err := n.nodes("pretokenizers")
		var steps []preTokenizer
		for _, part := range list {
			more, err := newPreTokenizers(part, raw)
			if err != nil {
				return nil, err
			}
			steps = append(steps, more...)
		}
		return steps, err
	case "ByteLevel":
		return newByteLevel(n, raw)
	case "BertPreTokenizer":
		return []preTokenizer{
			&splitter{delimiter: runeFinder(isSpace), behavior: removed},
			&splitter{delimiter: runeFinder(isPunctuation)},
		}, nil
	}
	step, err := newPreTokenizer(n)
	return []preTokenizer{step}, err
}

func newPreTokenizer(n node) (preTokenizer, error) {
	switch n.kind() {
	case "Split":
		return newSplit(n)
	case "Metaspace":
		return newMetaspace(n)
	case "Digits":
		if n.boolean("individual_digits", false) {
			return &splitter{delimiter: runeFinder(isNumeric)}, nil
		}
		return &splitter{delimiter: runeFinder(isNumeric), behavior: contiguous}, nil
	case "Punctuation":
		b, ok := behaviors[n.str("behavior")]
		if !ok && n.str("behavior") != "" {
			return nil, fmt.Errorf("Punctuation: unknown behavior %q", n.str("behavior"))
		}
		return &splitter{delimiter: runeFinder(isPunctuation), behavior: b}, nil
	case "Whitespace":
		return &splitter{delimiter: wordFinder{}, behavior: removed, invert: true}, nil
	case "WhitespaceSplit":
		return &splitter{delimiter: runeFinder(isSpace), behavior: removed}, nil
	case "CharDelimiterSplit":
		c, err := n.oneRune("delimiter")
		return &splitter{delimiter: literal(string(c)), behavior: removed}, err
	case "UnicodeScripts":
		return scriptSplitter{}, nil
	case "FixedLength":
		length := n.integer("length", 5)
		if length < 1 {
			return nil, fmt.Errorf("FixedLength: length is %d", length)
		}
		return fixedSplitter(length), nil
	}
	return nil, fmt.Errorf("unknown pre-tokenizer %q", n.kind())
}

func newByteLevel(n node, raw bool) ([]preTokenizer, error) {
	var steps []preTokenizer
	if n.boolean("add_prefix_space", true) {
		steps = append(steps, spacePrefixer{})
	}
	if n.boolean("use_regex", true) {
		f, err := newRegex(gpt2Pattern)
		if err != nil {
			return nil, err
		}
		steps = append(steps, &splitter{delimiter: f})
	}
	if !raw {
		steps = append(steps, alphabetStep{})
	}
	return steps, nil
}

// spacePrefixer puts a space in front of each piece that has none.
type spacePrefixer struct{}

func (spacePrefixer) split(e *encoder, step int, piece string, first bool) {
	if piece[0] != ' ' {
		piece = " " + piece
	}
	e.next(step+1, piece, first)
}

// alphabetStep writes each byte as its character of the byte alphabet.
type alphabetStep struct{}

func (alphabetStep) split(e *encoder, step int, piece string, first bool) {
	e.next(step+1, string(appendAlphabet(nil, piece)), first)
}

// wordFinder finds \w+|[^\w\s]+.
type wordFinder struct{}

func (wordFinder) find(s string, i int) (start, end int) {
	start = -1
	var inWord bool
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		word := isWordRune(r)
		switch {
		case start < 0 && (word || !isSpace(r)):
			start, inWord = i, word
		case start >= 0 && (word != inWord || !word && isSpace(r)):
			return start, i
		}
		i += n
	}
	return start, i
}

// metaspacer writes spaces as ▁ and cuts in front of them.
type metaspacer struct {
	mark    string
	prepend string // "always", "first", "never"
	cut     bool
}

func newMetaspace(n node) (*metaspacer, error) {
	m := &metaspacer{cut: n.boolean("split", true), prepend: n.str("prepend_scheme")}
	c, err := n.oneRune("replacement")
	if err != nil {
		return nil, err
	}
	m.mark = string(c)
	if m.prepend == "" {
		m.prepend = "always"
		if !n.boolean("add_prefix_space", true) {
			m.prepend = "never"
		}
	}
	if m.prepend != "always" && m.prepend != "first" && m.prepend != "never" {
		return nil, fmt.Errorf("Metaspace: unknown prepend_scheme %q", m.prepend)
	}
	return m, nil
}

func (m *metaspacer) split(e *encoder, step int, piece string, first bool) {
	piece = strings.ReplaceAll(piece, " ", m.mark)
	if m.prepend == "always" || m.prepend == "first" && first {
		if !strings.HasPrefix(piece, m.mark) {
			piece = m.mark + piece
		}
	}
	if !m.cut {
		e.next(step+1, piece, first)
		return
	}
	start := 0
	for i := len(m.mark); i < len(piece); {
		k := strings.Index(piece[i:], m.mark)
		if k < 0 {
			break
		}
		e.next(step+1, piece[start:i+k], first && start == 0)
		start = i + k
		i = start + len(m.mark)
	}
	e.next(step+1, piece[start:], first && start == 0)
}

// fixedSplitter cuts pieces of so many characters.
type fixedSplitter int

func (f fixedSplitter) split(e *encoder, step int, piece string, first bool) {
	start, n := 0, 0
	for i := range piece {
		if n == int(f) {
			e.next(step+1, piece[start:i], first && start == 0)
			start, n = i, 0
		}
		n++
	}
	e.next(step+1, piece[start:], first && start == 0)
}
