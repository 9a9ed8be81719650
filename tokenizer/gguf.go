package tokenizer

import (
	"errors"
	"fmt"
	"slices"
)

// Token types in GGUF and SentencePiece files.
const (
	typeNormal = 1 + iota
	typeUnknown
	typeControl
	typeUserDefined
	typeUnused
	typeByte
)

// FromGGUF loads the tokenizer of a GGUF file from its metadata: the tokenizer.ggml.* keys. Arrays are []string,
// []int32, []uint32, []float32, []uint8 or []int8, numbers any Go number type.
//
// A pre-tokenizer name stands for the pipeline of the model's own tokenizer.json, NFC included where it has it.
func FromGGUF(meta map[string]any) (*Tokenizer, error) {
	g := ggufMeta(meta)
	f, err := g.file()
	if err != nil {
		return nil, fmt.Errorf("cannot read tokenizer.ggml metadata: %w", err)
	}
	t, err := f.build()
	if err != nil {
		return nil, fmt.Errorf("cannot read tokenizer.ggml metadata: %w", err)
	}
	g.finish(t)
	return t, nil
}

type ggufMeta map[string]any

const ggufPrefix = "tokenizer.ggml."

func (g ggufMeta) text(key string) string {
	s, _ := g[ggufPrefix+key].(string)
	return s
}

func (g ggufMeta) flag(key string, def bool) bool {
	if b, ok := g[ggufPrefix+key].(bool); ok {
		return b
	}
	return def
}

func (g ggufMeta) strings(key string) []string {
	list, _ := g[ggufPrefix+key].([]string)
	return list
}

// id returns a token id, -1 when the key is missing.
func (g ggufMeta) id(key string) int32 {
	var n int64 = -1
	switch v := g[ggufPrefix+key].(type) {
	case uint32:
		n = int64(v)
	case int32:
		n = int64(v)
	case uint64:
		n = int64(min(v, 1<<40))
	case int64:
		n = v
	case int:
		n = int64(v)
	case uint16:
		n = int64(v)
	case uint8:
		n = int64(v)
	}
	if n < 0 || n >= int64(len(g.strings("tokens"))) {
		return -1
	}
	return int32(n)
}

// types returns the type of every token.
func (g ggufMeta) types(n int) ([]int32, error) {
	types, ok := g[ggufPrefix+"token_type"].([]int32)
	if !ok {
		types = slices.Repeat([]int32{typeNormal}, n)
		if list, ok := g[ggufPrefix+"token_type"].([]uint32); ok {
			types = types[:0]
			for _, v := range list {
				types = append(types, int32(v))
			}
		}
	}
	if len(types) != n {
		return nil, fmt.Errorf("%d token types for %d tokens", len(types), n)
	}
	return types, nil
}

// charsMap returns precompiled_charsmap, which writers store as unsigned or signed bytes.
func (g ggufMeta) charsMap() []byte {
	switch v := g[ggufPrefix+"precompiled_charsmap"].(type) {
	case []uint8:
		return v
	case []int8:
		out := make([]byte, len(v))
		for i, b := range v {
			out[i] = byte(b)
		}
		return out
	}
	return nil
}

// file writes the metadata as a tokenizer.json would say it.
func (g ggufMeta) file() (*file, error) {
	tokens := g.strings("tokens")
	if len(tokens) == 0 || len(tokens) > maxTokenID {
		return nil, fmt.Errorf("%d tokens in tokenizer.ggml.tokens", len(tokens))
	}
	types, err := g.types(len(tokens))
	if err != nil {
		return nil, err
	}
	scores, _ := g[ggufPrefix+"scores"].([]float32)
	spm := &spmModel{
		pieces: tokens, types: types, scores: scores, unk: g.id("unknown_token_id"), charsMap: g.charsMap(),
		addPrefix: g.flag("add_space_prefix", true), trim: g.flag("remove_extra_whitespaces", false),
	}
	switch model := g.text("model"); model {
	case "gpt2":
		return g.byteLevelFile(tokens, types)
	case "llama":
		return spm.bpeFile()
	case "t5":
		return spm.unigramFile()
	case "bert":
		return g.wordPieceFile(tokens, types)
	case "":
		return nil, errors.New("no tokenizer.ggml.model")
	default:
		return nil, fmt.Errorf("tokenizer.ggml.model is %q, known are gpt2, llama, t5, bert", model)
	}
}

func (g ggufMeta) byteLevelFile(tokens []string, types []int32) (*file, error) {
	p, err := findPipeline(g.text("pre"))
	if err != nil {
		return nil, err
	}
	f := &file{pre: p.node(), decod: node{"type": "ByteLevel"}, fixedIDs: true}
	f.raw = endsInBytes(f.pre)
	if p.nfc {
		f.normalizer = node{"type": "NFC"}
	}
	f.model = modelFile{raw: f.raw, options: node{"type": "BPE", "ignore_merges": p.ignoreMerges}, vocab: newVocab(f.raw, len(tokens))}
	if err := f.addPieces(tokens, types); err != nil {
		return nil, err
	}
	f.model.merges = &mergeList{raw: f.raw}
	for _, m := range g.strings("merges") {
		f.model.merges.addLine([]byte(m))
	}
	f.addBOS = p.addBOS
	return f, f.model.merges.bad
}

// addPieces fills the vocabulary. Control and user-defined tokens become added tokens and are kept out of it.
func (f *file) addPieces(tokens []string, types []int32) error {
	v := f.model.vocab
	for i, tok := range tokens {
		id := int32(i)
		switch types[i] {
		case typeControl, typeUserDefined:
			f.added = append(f.added, addedToken{id: id, content: tok, special: types[i] == typeControl})
			v.reserve(id)
		case typeUnused:
			if err := v.addUnindexed(id, tok); err != nil {
				return err
			}
		default:
			if err := v.add(id, []byte(tok)); err != nil {
				return err
			}
		}
	}
	return nil
}

// wordPieceFile undoes what the converter does: ▁ in front of words and no ## in front of the rest.
func (g ggufMeta) wordPieceFile(tokens []string, types []int32) (*file, error) {
	pieces := slices.Clone(tokens)
	for i, tok := range tokens {
		if types[i] != typeNormal && types[i] != typeUnknown || len(tok) > 1 && tok[0] == '[' && tok[len(tok)-1] == ']' {
			continue
		}
		if hasPrefixAt(tok, 0, metaspace) {
			pieces[i] = tok[len(metaspace):]
		} else {
			pieces[i] = "##" + tok
		}
	}
	f := &file{
		normalizer: node{"type": "BertNormalizer"}, pre: node{"type": "BertPreTokenizer"},
		decod: node{"type": "WordPiece", "prefix": "##"}, fixedIDs: true,
	}
	unk := "[UNK]"
	if id := g.id("unknown_token_id"); id >= 0 {
		unk = pieces[id]
	}
	f.model = modelFile{options: node{"type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": "##"}, vocab: newVocab(false, len(tokens))}
	return f, f.addPieces(pieces, types)
}

// finish sets what stands beside the vocabulary.
func (g ggufMeta) finish(t *Tokenizer) {
	t.bos, t.eos = g.id("bos_token_id"), g.id("eos_token_id")
	for _, key := range []string{"eos_token_id", "eot_token_id", "eom_token_id"} {
		if id := g.id(key); id >= 0 && !slices.Contains(t.stops, id) {
			t.stops = append(t.stops, id)
		}
	}
	bert := g.text("model") == "bert"
	spm := g.text("model") == "llama"
	t.before, t.after = nil, nil
	if g.flag("add_bos_token", t.addsBOS || spm || bert) && t.bos >= 0 {
		t.before = []int32{t.bos}
	}
	if sep := g.id("seperator_token_id"); bert && sep >= 0 { // the key is spelled like this
		t.after = []int32{sep}
	} else if g.flag("add_eos_token", g.text("model") == "t5") && t.eos >= 0 {
		t.after = []int32{t.eos}
	}
	t.addsBOS = len(t.before) > 0
}
