package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// FromSentencePiece loads a SentencePiece model (tokenizer.model, spiece.model): BPE or unigram. The pipeline is that of
// its conversion to tokenizer.json. Without a tokenizer_config.json, which may be nil, AddSpecial adds BOS to BPE models
// (Llama) and EOS to unigram models (T5).
func FromSentencePiece(model, tokenizerConfig []byte) (*Tokenizer, error) {
	t, err := readSentencePiece(model)
	if err != nil {
		return nil, fmt.Errorf("cannot read tokenizer.model: %w", err)
	}
	before, after := t.before, t.after
	bos, eos := t.bos, t.eos
	if err := t.configure(tokenizerConfig); err != nil {
		return nil, fmt.Errorf("cannot read tokenizer_config.json: %w", err)
	}
	if t.bos < 0 {
		t.bos = bos
	}
	if t.eos < 0 && eos >= 0 {
		t.eos, t.stops = eos, []int32{eos}
	}
	if t.before == nil && t.after == nil && tokenizerConfig == nil {
		t.before, t.after = before, after
	}
	t.addsBOS = t.bos >= 0 && len(t.before) > 0 && t.before[0] == t.bos
	return t, nil
}

// spmProto is what is read of a ModelProto.
type spmProto struct {
	spmModel
	kind     uint64 // 1 unigram, 2 BPE, 3 word, 4 char
	bos, eos int32
}

func readSentencePiece(data []byte) (*Tokenizer, error) {
	p := &spmProto{kind: 1, bos: 1, eos: 2}
	p.addPrefix, p.trim = true, true
	p.unk = -1
	if err := protoFields(data, p.field); err != nil {
		return nil, err
	}
	if len(p.pieces) == 0 || len(p.pieces) > maxTokenID {
		return nil, fmt.Errorf("%d pieces", len(p.pieces))
	}
	var f *file
	var err error
	switch p.kind {
	case 1:
		f, err = p.unigramFile()
	case 2:
		f, err = p.bpeFile()
	default:
		return nil, fmt.Errorf("model type %d: only unigram (1) and BPE (2) are known", p.kind)
	}
	if err != nil {
		return nil, err
	}
	t, err := f.build()
	if err != nil {
		return nil, err
	}
	t.bos, t.eos = p.control(p.bos), p.control(p.eos)
	if p.kind == 2 && t.bos >= 0 {
		t.before = []int32{t.bos}
	}
	if p.kind == 1 && t.eos >= 0 {
		t.after = []int32{t.eos}
	}
	return t, nil
}

// control returns id if it is a control token.
func (p *spmProto) control(id int32) int32 {
	if id >= 0 && int(id) < len(p.types) && p.types[id] == typeControl {
		return id
	}
	return -1
}

func (p *spmProto) field(f protoField) error {
	switch f.number {
	case 1:
		return p.piece(f.data)
	case 2:
		return protoFields(f.data, p.trainer)
	case 3:
		return protoFields(f.data, p.normalizer)
	}
	return nil
}

func (p *spmProto) piece(msg []byte) error {
	text, score, kind := "", float32(0), int32(typeNormal)
	err := protoFields(msg, func(f protoField) error {
		switch f.number {
		case 1:
			text = string(f.data)
		case 2:
			score = math.Float32frombits(uint32(f.num))
		case 3:
			kind = int32(min(f.num, 100))
		}
		return nil
	})
	if err == nil && !utf8.ValidString(text) {
		err = errors.New("a piece is not UTF-8")
	}
	p.pieces, p.scores, p.types = append(p.pieces, text), append(p.scores, score), append(p.types, kind)
	return err
}

// trainer reads the fields of TrainerSpec that matter to encoding.
func (p *spmProto) trainer(f protoField) error {
	switch f.number {
	case 3:
		p.kind = f.num
	case 40:
		p.unk = int32(f.num)
	case 41:
		p.bos = int32(f.num)
	case 42:
		p.eos = int32(f.num)
	}
	return nil
}

func (p *spmProto) normalizer(f protoField) error {
	switch f.number {
	case 2:
		p.charsMap = f.data
	case 3:
		p.addPrefix = f.num != 0
	case 4:
		p.trim = f.num != 0
	}
	return nil
}
