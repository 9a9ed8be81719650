package tokenizer

import "strings"

// Stream turns ids into text as they come. It belongs to one goroutine.
type Stream struct {
	t           *Tokenizer
	keepSpecial bool
	first       stage
	raw         *byteLevelStage // first, when the vocabulary is kept in bytes
	out         *text
}

// NewStream starts decoding a new text. The pieces that Push and Flush return, joined, are what Decode returns for all
// ids, and each is valid UTF-8: a character that comes in several tokens is held back until it is complete.
func (t *Tokenizer) NewStream(keepSpecial bool) *Stream {
	s := &Stream{t: t, keepSpecial: keepSpecial, out: &text{}}
	s.first = s.out
	if t.decoders == nil {
		s.first = &spaceStage{next: s.out}
	}
	for i := len(t.decoders) - 1; i >= 0; i-- {
		s.first, _ = newStage(t.decoders[i], s.first, t.fusedAt(i)) // checked when loaded
	}
	if t.vocab.byteLevel {
		s.raw, _ = s.first.(*byteLevelStage)
	}
	return s
}

// fusedAt reports whether a decoder in front of number i joins all tokens.
func (t *Tokenizer) fusedAt(i int) bool {
	for _, n := range t.decoders[:i] {
		if joins(n) {
			return true
		}
	}
	return false
}

// Push takes the next token and returns the text that it completes, often "".
func (s *Stream) Push(id int32) string {
	s.push(id)
	return s.out.take()
}

func (s *Stream) push(id int32) {
	if a := s.t.added[id]; a != nil {
		if s.keepSpecial || !a.special {
			s.first.push(a.content)
		}
		return
	}
	switch {
	case !s.t.vocab.has(id):
	case s.raw != nil:
		s.raw.bytes(s.t.vocab.text(id))
	default:
		s.first.push(s.t.vocab.piece(id))
	}
}

// Flush ends the text and returns what was held back: U+FFFD for a character that was not completed.
func (s *Stream) Flush() string {
	s.first.end()
	return s.out.take()
}

// Decode returns the text of ids, without special tokens unless keepSpecial is set. Ids without a token are skipped,
// and bytes that are not UTF-8 become U+FFFD.
func (t *Tokenizer) Decode(ids []int32, keepSpecial bool) string {
	s := t.NewStream(keepSpecial)
	for _, id := range ids {
		s.push(id)
	}
	return s.Flush()
}

// TokenBytes returns the bytes that a token adds in the middle of a text: all of it for a byte-level token, a space for
// ▁, one byte for <0x0A>. It may be part of a character. A special token's bytes are its name. nil: no such token.
func (t *Tokenizer) TokenBytes(id int32) []byte {
	a := t.added[id]
	switch {
	case a == nil && !t.vocab.has(id):
		return nil
	case a == nil && t.vocab.byteLevel:
		return append([]byte{}, t.vocab.text(id)...)
	case a != nil && a.special:
		return []byte(a.content)
	}
	tok := t.Token(id)
	for _, n := range t.decoders {
		switch n.kind() {
		case "ByteLevel":
			if raw, ok := appendAlphabetBytes(nil, []byte(tok)); ok {
				return raw
			}
		case "ByteFallback":
			if b, ok := byteToken(tok); ok {
				return []byte{b}
			}
		case "Replace":
			tok = n.replace.normalize(tok)
		case "Metaspace":
			tok = strings.ReplaceAll(tok, n.str("replacement"), " ")
		case "WordPiece":
			if rest, ok := strings.CutPrefix(tok, n.str("prefix")); ok {
				tok = rest
			} else {
				tok = " " + tok
			}
		case "BPEDecoder":
			tok = strings.ReplaceAll(tok, n.str("suffix"), " ")
		}
	}
	return []byte(tok)
}
