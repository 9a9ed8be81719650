package tokenizer

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// EncodeOptions says what Encode does beyond cutting text into tokens. The zero value takes all text literally.
type EncodeOptions struct {
	// ParseSpecial turns special tokens that stand in the text ("<|im_end|>") into their ids. Leave it off for text
	// from users. Added tokens that are not special are always recognised.
	ParseSpecial bool
	// AddSpecial adds what the tokenizer's post-processor adds, such as a BOS token.
	AddSpecial bool
}

// maxTextBytes bounds one text: positions inside of Encode are 32 bits wide.
const maxTextBytes = math.MaxInt32 / 4

// encoder is the scratch memory of one Encode call.
type encoder struct {
	t   *Tokenizer
	ids []int32
	err error

	syms, work, seam []int32
	merges           []merge
	starts           []uint32
	heap             mergeHeap
	buf              []byte
	lattice          []latticeNode
}

// fail keeps the first error.
func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Encode appends the ids of text to dst. Bytes that are not UTF-8 count as U+FFFD each.
// Time is linear in len(text). It fails only for text of 512 MiB or more, for models without an unknown token that meet
// an unknown character, and when a pattern that needs backtracking takes too long; dst is then returned as it was.
func (t *Tokenizer) Encode(dst []int32, text string, o EncodeOptions) ([]int32, error) {
	if len(text) > maxTextBytes {
		return dst, fmt.Errorf("cannot encode %d bytes: the limit is %d", len(text), maxTextBytes)
	}
	if !utf8.ValidString(text) {
		text = replaceInvalid(text)
	}
	e, _ := t.encoders.Get().(*encoder)
	if e == nil {
		e = &encoder{t: t}
	}
	e.ids, e.err = dst, nil
	if o.AddSpecial {
		e.ids = append(e.ids, t.before...)
	}
	e.text(text, o.ParseSpecial)
	if o.AddSpecial {
		e.ids = append(e.ids, t.after...)
	}
	out, err := e.ids, e.err
	e.ids = nil
	t.encoders.Put(e)
	if err != nil {
		return dst, fmt.Errorf("cannot encode text: %w", err)
	}
	return out, nil
}

// text encodes all of a text: added tokens that are not normalized first, then those that are, then the model.
func (e *encoder) text(s string, parseSpecial bool) {
	found := func(a *addedToken) { e.ids = append(e.ids, a.id) }
	e.t.rawAdded.split(s, parseSpecial, func(part string, start int) {
		norm := e.t.normalize(part)
		e.t.normAdded.split(norm, parseSpecial, func(sub string, offset int) {
			e.next(0, sub, start == 0 && offset == 0)
		}, found)
	}, found)
}

// next gives a piece of text to pre-tokenizer number step, or to the model behind the last one. first says that the
// piece stands at the very beginning of the text.
func (e *encoder) next(step int, piece string, first bool) {
	if piece == "" || e.err != nil {
		return
	}
	if step < len(e.t.pre) {
		e.t.pre[step].split(e, step, piece, first)
		return
	}
	e.t.model.encode(e, piece)
}

func (t *Tokenizer) normalize(s string) string {
	for _, n := range t.norm {
		s = n.normalize(s)
	}
	return s
}

// replaceInvalid replaces each byte that is not part of valid UTF-8 by U+FFFD.
func replaceInvalid(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}
