package tokenizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// bpe is byte-pair encoding as the reference library runs it: a word becomes symbols (bytes in a byte-level
// vocabulary, characters otherwise), and the pair whose merge has the lowest rank, leftmost first, is joined until no
// pair has a merge. Source: Sennrich et al. 2016, arXiv:1508.07909.
type bpe struct {
	vocab *vocab
	pairs *pairTable

	unk          int32 // -1: characters without a token vanish; missingUnk
	fuseUnk      bool  // a run of unknown characters is one unk
	ignoreMerges bool  // a word that is a token is that token, whatever the merges say
	prefix       string
	suffix       string
	bytes        [256]int32 // byte-level: the symbol of a byte. Else, with fallback: its <0xNN> token. -1: none
	fallback     bool
	ascii        [128]int32 // symbol of an ASCII character; -1: none
	cut          string     // words may be cut in front of this character, "" for nowhere; see cutFinder
	noCut        []rune     // but not behind these

	// whole says for each id whether its text encodes to just that id: 0 not known yet, 1 yes, 2 no. It spares most
	// words their merges. Only a cache: entries are written once or twice with the same value.
	whole []atomic.Uint32
}

// missingUnk stands for an unknown token that the file names but the vocabulary lacks: to need it is an error.
const missingUnk = -2

var errMissingUnk = errors.New("a character is unknown and unk_token is not in the vocabulary")

// init finishes a model whose vocab is indexed and whose options are set.
func (m *bpe) init() {
	m.whole = make([]atomic.Uint32, len(m.vocab.where))
	for b := range m.bytes {
		m.bytes[b] = -1
		var text string
		if m.vocab.byteLevel {
			text = string([]byte{byte(b)})
		} else {
			text = fmt.Sprintf("<0x%02X>", b)
		}
		if id, ok := m.vocab.find(text); ok {
			m.bytes[b] = id
		}
	}
	for c := range m.ascii {
		m.ascii[c] = -1
		if id, ok := m.vocab.find(string(rune(c))); ok {
			m.ascii[c] = id
		}
	}
}

// encode appends the tokens of one pre-token to e.ids.
func (m *bpe) encode(e *encoder, word string) {
	if m.cut == "" {
		m.encodeWord(e, word)
		return
	}
	for len(word) > 0 {
		n := m.nextCut(word)
		m.encodeWord(e, word[:n])
		word = word[n:]
	}
}

// nextCut returns the length of the first part of word that no merge reaches over: up to a cut character that does not
// stand behind another one, or behind a character that merges join with it.
func (m *bpe) nextCut(word string) int {
	for i := 1; i < len(word); {
		k := strings.Index(word[i:], m.cut)
		if k < 0 {
			break
		}
		i += k
		if before, _ := utf8.DecodeLastRuneInString(word[:i]); !slices.Contains(m.noCut, before) {
			return i
		}
		i += len(m.cut)
	}
	return len(word)
}

func hasPrefixAt(s string, i int, prefix string) bool {
	return len(s)-i >= len(prefix) && s[i:i+len(prefix)] == prefix
}

func (m *bpe) encodeWord(e *encoder, word string) {
	if m.prefix == "" && m.suffix == "" || m.ignoreMerges {
		if id, ok := m.vocab.find(word); ok && (m.ignoreMerges || m.isWhole(e, id, word)) {
			e.ids = append(e.ids, id)
			return
		}
	}
	m.merge(e, m.symbols(e, word))
}

// isWhole reports whether word, the text of id, encodes to id.
func (m *bpe) isWhole(e *encoder, id int32, word string) bool {
	switch m.whole[id].Load() {
	case 1:
		return true
	case 2:
		return false
	}
	n := len(e.ids)
	m.merge(e, m.symbols(e, word))
	whole := len(e.ids) == n+1 && e.ids[n] == id
	e.ids = e.ids[:n]
	state := uint32(2)
	if whole {
		state = 1
	}
	m.whole[id].Store(state)
	return whole
}

// symbols returns what a word is before merging. The result is valid until the next call with the same encoder.
func (m *bpe) symbols(e *encoder, word string) []int32 {
	e.syms = e.syms[:0]
	inUnk := false // the last symbol is an unk that the next unknown character joins
	for i := 0; i < len(word); {
		n := 1
		if word[i] >= utf8.RuneSelf && !m.vocab.byteLevel {
			_, n = utf8.DecodeRuneInString(word[i:])
		}
		if id := m.symbol(word, i, n); id >= 0 {
			e.syms = append(e.syms, id)
			inUnk = false
		} else if !m.fallBack(e, word, i, n) {
			inUnk = m.unknown(e, inUnk)
		}
		i += n
	}
	return e.syms
}

// symbol returns the symbol of the n bytes at i, -1 for none.
func (m *bpe) symbol(word string, i, n int) int32 {
	text := word[i : i+n]
	switch {
	case m.prefix != "" && i > 0:
		text = m.prefix + text
		if m.suffix != "" && i+n == len(word) {
			text += m.suffix
		}
	case m.suffix != "" && i+n == len(word):
		text += m.suffix
	case m.vocab.byteLevel:
		return m.bytes[word[i]]
	case n == 1:
		return m.ascii[word[i]]
	}
	if id, ok := m.vocab.find(text); ok {
		return id
	}
	return -1
}

// unknown appends the symbol of a character without a token and returns the new inUnk.
func (m *bpe) unknown(e *encoder, inUnk bool) bool {
	if m.unk == missingUnk {
		e.fail(errMissingUnk)
	}
	if m.unk < 0 {
		return inUnk
	}
	if !m.fuseUnk || !inUnk {
		e.syms = append(e.syms, m.unk)
	}
	return true
}

// fallBack appends the byte tokens of a character, if the model has them all.
func (m *bpe) fallBack(e *encoder, word string, i, n int) bool {
	if !m.fallback || m.vocab.byteLevel {
		return false
	}
	for _, b := range []byte(word[i : i+n]) {
		if m.bytes[b] < 0 {
			return false
		}
	}
	for _, b := range []byte(word[i : i+n]) {
		e.syms = append(e.syms, m.bytes[b])
	}
	return true
}

const metaspace = "▁" // U+2581, SentencePiece's mark for a space
