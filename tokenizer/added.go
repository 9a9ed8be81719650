package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// addedToken is a token that is cut out of the text before the model sees it.
type addedToken struct {
	id         int32
	content    string
	singleWord bool // only between characters that are not part of a word
	lstrip     bool // takes the white space in front of it along
	rstrip     bool // takes the white space behind it along
	normalized bool // is looked for in normalized text
	special    bool
}

// matcher finds added tokens: leftmost first, then longest. It is a trie over bytes.
type matcher struct {
	nodes  []trieNode
	starts [256]bool // bytes with which some token begins
	tokens []addedToken
}

type trieNode struct {
	next  []trieEdge // by byte
	token int32      // index in matcher.tokens, -1: none ends here
}

type trieEdge struct {
	b  byte
	to int32
}

// newMatcher looks for tokens[i] as texts[i]. Where two texts are the same the later token is found.
func newMatcher(tokens []addedToken, texts []string) *matcher {
	m := &matcher{nodes: []trieNode{{token: -1}}, tokens: tokens}
	for i, text := range texts {
		if text == "" {
			continue
		}
		m.starts[text[0]] = true
		at := int32(0)
		for _, b := range []byte(text) {
			at = m.grow(at, b)
		}
		m.nodes[at].token = int32(i)
	}
	return m
}

func (m *matcher) grow(at int32, b byte) int32 {
	next := m.nodes[at].next
	i, ok := slices.BinarySearchFunc(next, b, func(e trieEdge, b byte) int { return int(e.b) - int(b) })
	if !ok {
		m.nodes = append(m.nodes, trieNode{token: -1})
		next = slices.Insert(next, i, trieEdge{b, int32(len(m.nodes) - 1)})
		m.nodes[at].next = next
	}
	return next[i].to
}

func (n *trieNode) step(b byte) int32 {
	for i := range n.next {
		if n.next[i].b == b {
			return n.next[i].to
		}
	}
	return -1
}

// find returns the first token at or behind i of s, or a nil token.
func (m *matcher) find(s string, i int) (start, end int, token *addedToken) {
	for ; i < len(s); i++ {
		if !m.starts[s[i]] {
			continue
		}
		if end, k := m.longest(s, i); k >= 0 {
			return i, end, &m.tokens[k]
		}
	}
	return len(s), len(s), nil
}

func (m *matcher) longest(s string, i int) (end int, token int32) {
	token = -1
	for at := int32(0); i < len(s); {
		if at = m.nodes[at].step(s[i]); at < 0 {
			break
		}
		i++
		if k := m.nodes[at].token; k >= 0 {
			end, token = i, k
		}
	}
	return end, token
}

// split cuts s at the added tokens and calls text and found for the parts, in order. Special tokens are left in the
// text unless parseSpecial is set. Empty parts are not reported.
func (m *matcher) split(s string, parseSpecial bool, text func(part string, start int), found func(t *addedToken)) {
	done := 0
	for i := 0; i < len(s); {
		start, end, t := m.find(s, i)
		if t == nil {
			break
		}
		i = end
		if t.special && !parseSpecial || t.singleWord && !aloneAt(s, start, end) {
			continue
		}
		if t.lstrip {
			start = max(done, len(trimSpaceRight(s[:start])))
		}
		if t.rstrip {
			end = len(s) - len(trimSpaceLeft(s[end:]))
		}
		if done < start {
			text(s[done:start], done)
		}
		found(t)
		done = end
	}
	if done < len(s) {
		text(s[done:], done)
	}
}

// aloneAt reports whether neither neighbour of s[start:end] is a word character.
func aloneAt(s string, start, end int) bool {
	before, n := utf8.DecodeLastRuneInString(s[:start])
	if n > 0 && isWordRune(before) {
		return false
	}
	after, n := utf8.DecodeRuneInString(s[end:])
	return n == 0 || !isWordRune(after)
}

func trimSpaceLeft(s string) string {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if !isSpace(r) {
			break
		}
		s = s[n:]
	}
	return s
}

func trimSpaceRight(s string) string {
	for len(s) > 0 {
		r, n := utf8.DecodeLastRuneInString(s)
		if !isSpace(r) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}
