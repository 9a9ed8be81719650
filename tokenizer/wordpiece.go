package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// wordPiece takes the longest token from the left, and unk for the whole word if that does not work out.
// Source: Wu et al. 2016, arXiv:1609.08144, as BERT runs it.
type wordPiece struct {
	vocab    *vocab
	unk      int32 // -1: none
	prefix   string
	maxChars int
}

func newWordPiece(v *vocab, options node) (model, error) {
	w := &wordPiece{vocab: v, unk: -1, prefix: options.str("continuing_subword_prefix"), maxChars: options.integer("max_input_chars_per_word", 100)}
	if id, ok := v.find(options.str("unk_token")); ok {
		w.unk = id
	}
	return w, nil
}

func (w *wordPiece) encode(e *encoder, word string) {
	n := len(e.ids)
	if utf8.RuneCountInString(word) > w.maxChars || !w.pieces(e, word) {
		e.ids = e.ids[:n]
		if w.unk < 0 {
			e.fail(fmt.Errorf("%.40q is unknown and the vocabulary has no unknown token", word))
			return
		}
		e.ids = append(e.ids, w.unk)
	}
}

// pieces appends the tokens of word and reports whether there are any.
func (w *wordPiece) pieces(e *encoder, word string) bool {
	for start := 0; start < len(word); {
		e.buf = e.buf[:0]
		if start > 0 {
			e.buf = append(e.buf, w.prefix...)
		}
		prefix := len(e.buf)
		e.buf = append(e.buf, word[start:]...)
		piece := e.buf
		for {
			if id, ok := w.vocab.find(string(piece)); ok {
				e.ids = append(e.ids, id)
				break
			}
			_, n := utf8.DecodeLastRune(piece[prefix:])
			piece = piece[:len(piece)-n]
			if len(piece) == prefix {
				return false
			}
		}
		start += len(piece) - prefix
	}
	return true
}

// wordLevel has a token for each word.
type wordLevel struct {
	vocab *vocab
	unk   int32 // -1: none
}

func newWordLevel(v *vocab, options node) (model, error) {
	w := &wordLevel{vocab: v, unk: -1}
	if id, ok := v.find(options.str("unk_token")); ok {
		w.unk = id
	}
	return w, nil
}

func (w *wordLevel) encode(e *encoder, word string) {
	id, ok := w.vocab.find(word)
	if !ok {
		id = w.unk
	}
	if id < 0 {
		e.fail(fmt.Errorf("%.40q is unknown and the vocabulary has no unknown token", word))
		return
	}
	e.ids = append(e.ids, id)
}
