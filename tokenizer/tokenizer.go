// Package tokenizer turns text into token ids and back, exactly as the Hugging Face tokenizers library does.
//
// It reads tokenizer.json (FromJSON), SentencePiece models (FromSentencePiece) and GGUF metadata (FromGGUF), and runs
// their pipeline: added tokens, normalizers, pre-tokenizers, one of the models BPE, unigram, WordPiece and word-level,
// post-processor; and for decoding the decoders, whole (Decode) or token by token (Stream).
package tokenizer

import "sync"

// A Tokenizer is immutable once it is loaded and safe for concurrent use.
type Tokenizer struct {
	vocab *vocab
	model model
	norm  []normalizer
	pre   []preTokenizer

	added     map[int32]*addedToken
	addedIDs  map[string]int32
	rawAdded  *matcher // added tokens that are looked for in the text as it is
	normAdded *matcher // and in normalized text

	before, after []int32 // ids that AddSpecial puts around a text
	decoders      []decoderStep
	size          int
	bos, eos      int32 // -1: none
	stops         []int32
	addsBOS       bool

	encoders sync.Pool // *encoder
}

// model cuts one pre-token, never empty, into tokens and appends their ids to e.ids.
type model interface {
	encode(e *encoder, piece string)
}

// ID returns the id of a token by its text in the file, such as "Ġthe", "▁the" or "<|im_end|>".
func (t *Tokenizer) ID(token string) (int32, bool) {
	if id, ok := t.addedIDs[token]; ok {
		return id, true
	}
	return t.vocab.findPiece(token)
}

// Token returns the text of a token as the file has it, "" for an id without a token.
func (t *Tokenizer) Token(id int32) string {
	if a := t.added[id]; a != nil {
		return a.content
	}
	return t.vocab.piece(id)
}

// Has reports whether id has a token: ids may have gaps, and models may be padded beyond Size.
func (t *Tokenizer) Has(id int32) bool { return t.added[id] != nil || t.vocab.has(id) }

// IsSpecial reports whether id is a special token, which Decode leaves out unless told to keep it.
func (t *Tokenizer) IsSpecial(id int32) bool {
	a := t.added[id]
	return a != nil && a.special
}

// Size returns one more than the highest id. A model's V may be larger, padded.
func (t *Tokenizer) Size() int { return t.size }

// BOS returns the token that begins a text, if the tokenizer names one.
func (t *Tokenizer) BOS() (id int32, ok bool) { return t.bos, t.bos >= 0 }

// EOS returns the token that ends a text or a turn, if the tokenizer names one.
func (t *Tokenizer) EOS() (id int32, ok bool) { return t.eos, t.eos >= 0 }

// Stops returns the tokens that end a generation: EOS, and with GGUF files the end-of-turn and end-of-message tokens. A
// generation_config.json may name more. The slice is not to be changed.
func (t *Tokenizer) Stops() []int32 { return t.stops }

// AddsBOS reports whether Encode with AddSpecial begins with the BOS token.
func (t *Tokenizer) AddsBOS() bool { return t.addsBOS }
