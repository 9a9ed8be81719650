package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// stage is one decoder at work on a stream: it gets tokens, or what the stage in front made of them, one at a time.
type stage interface {
	push(tok string)
	end()
}

// text is the last stage: it collects what came out.
type text struct{ buf []byte }

func (t *text) push(tok string) { t.buf = append(t.buf, tok...) }
func (t *text) end()            {}

// take returns what has been collected since the last call.
func (t *text) take() string {
	s := string(t.buf)
	t.buf = t.buf[:0]
	return s
}

// decoderStep is one decoder of a chain. replace is set for Replace, so that its pattern is compiled once.
type decoderStep struct {
	node
	replace *replacer
}

// flattenDecoders returns the decoders of a decoder node in order, checked.
func flattenDecoders(n node) ([]decoderStep, error) {
	if n.kind() == "Sequence" {
		list, err := n.nodes("decoders")
		var out []decoderStep
		for _, part := range list {
			more, err := flattenDecoders(part)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		return out, err
	}
	step := decoderStep{node: n}
	if n.kind() == "Replace" {
		var err error
		if step.replace, err = newReplacer(n); err != nil {
			return nil, err
		}
	}
	_, err := newStage(step, &text{}, false)
	return []decoderStep{step}, err
}

// newStage builds the decoder n in front of next. fused says that it gets pieces of one single token, because a
// decoder before it joins all.
func newStage(n decoderStep, next stage, fused bool) (stage, error) {
	switch kind := n.kind(); kind {
	case "Fuse":
		return next, nil
	case "ByteLevel":
		return &byteLevelStage{next: next}, nil
	case "Strip":
		c, err := n.oneRune("content")
		s := stripStage{next: next, content: c, start: n.integer("start", 0), stop: n.integer("stop", 0)}
		if fused {
			return &stripStream{stripStage: s, left: s.start}, err
		}
		return &s, err
	case "Replace":
		s := &replaceStage{n.replace, next}
		if l, ok := n.replace.pattern.(literal); fused && !(ok && utf8.RuneCountInString(string(l)) == 1) {
			return &fuseStage{next: s}, nil
		}
		return s, nil
	}
	s, err := newTokenStage(n.node, next)
	if fused && err == nil {
		return &fuseStage{next: s}, nil
	}
	return s, err
}

// newTokenStage builds the decoders that must see whole tokens.
func newTokenStage(n node, next stage) (stage, error) {
	switch n.kind() {
	case "ByteFallback":
		return &fallbackStage{next: next}, nil
	case "Metaspace":
		m, err := newMetaspace(n)
		if err != nil {
			return nil, err
		}
		return &metaspaceStage{next: next, mark: m.mark, drop: m.prepend != "never"}, nil
	case "WordPiece":
		return &wordPieceStage{next: next, prefix: n.str("prefix"), cleanup: n.boolean("cleanup", true)}, nil
	case "BPEDecoder":
		return &suffixStage{next: next, suffix: n.str("suffix")}, nil
	case "CTC":
		return &ctcStage{next: next, pad: n.str("pad_token"), delimiter: n.str("word_delimiter_token"), cleanup: n.boolean("cleanup", true)}, nil
	}
	return nil, fmt.Errorf("unknown decoder %q", n.kind())
}

// joins reports whether the decoders behind n get one token that is all tokens.
func joins(n decoderStep) bool { return n.kind() == "Fuse" || n.kind() == "ByteLevel" }
