package tokenizer

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// spmModel is a SentencePiece model, from its own file or from GGUF.
type spmModel struct {
	pieces    []string
	scores    []float32
	types     []int32
	unk       int32
	charsMap  []byte
	addPrefix bool // a space in front of the text
	trim      bool // spaces at the ends go, runs of them are one
}

// bpeFile writes a SentencePiece BPE model as its conversion to tokenizer.json would.
func (m *spmModel) bpeFile() (*file, error) {
	f, err := m.file("BPE")
	if err != nil {
		return nil, err
	}
	if len(m.charsMap) > 0 || m.trim {
		m.normalizing(f)
	} else {
		m.plain(f)
	}
	f.model.spm = m
	return f, nil
}

// plain is the pipeline of Llama-2 and Gemma: spaces become ▁ and there is no pre-tokenizer.
func (m *spmModel) plain(f *file) {
	steps := []any{node{"type": "Replace", "pattern": node{"String": " "}, "content": metaspace}}
	decoders := []any{
		node{"type": "Replace", "pattern": node{"String": metaspace}, "content": " "},
		node{"type": "ByteFallback"}, node{"type": "Fuse"},
	}
	if m.addPrefix {
		steps = append([]any{node{"type": "Prepend", "prepend": metaspace}}, steps...)
		decoders = append(decoders, node{"type": "Strip", "content": " ", "start": 1.0, "stop": 0.0})
	}
	f.normalizer = node{"type": "Sequence", "normalizers": steps}
	f.decod = node{"type": "Sequence", "decoders": decoders}
}

// normalizing is the pipeline of T5 and its like: SentencePiece's normalization, then Metaspace.
func (m *spmModel) normalizing(f *file) {
	var steps []any
	if len(m.charsMap) > 0 {
		steps = append(steps, node{"type": "Precompiled", "precompiled_charsmap": base64.StdEncoding.EncodeToString(m.charsMap)})
	}
	if m.trim {
		steps = append(steps, node{"type": "Strip", "strip_left": false, "strip_right": true},
			node{"type": "Replace", "pattern": node{"Regex": " {2,}"}, "content": metaspace})
	}
	f.normalizer = node{"type": "Sequence", "normalizers": steps}
	scheme := "never"
	if m.addPrefix {
		scheme = "always"
	}
	f.pre = node{"type": "Metaspace", "replacement": metaspace, "prepend_scheme": scheme}
	f.decod = f.pre
}

func (m *spmModel) unigramFile() (*file, error) {
	f, err := m.file("Unigram")
	if err != nil {
		return nil, err
	}
	m.normalizing(f)
	f.model.options["unk_id"] = float64(max(m.unk, 0))
	f.model.scores = make([]float64, len(m.scores))
	for i, s := range m.scores {
		f.model.scores[i] = float64(s)
	}
	return f, nil
}

// file fills in the vocabulary.
func (m *spmModel) file(kind string) (*file, error) {
	if len(m.scores) != len(m.pieces) {
		return nil, fmt.Errorf("%d scores for %d tokens", len(m.scores), len(m.pieces))
	}
	fallback := slices.Contains(m.types, typeByte)
	options := node{"type": kind, "byte_fallback": fallback, "fuse_unk": true}
	if m.unk < 0 {
		m.unk = int32(slices.Index(m.types, typeUnknown))
	}
	if m.unk >= 0 && int(m.unk) < len(m.pieces) {
		options["unk_token"] = m.pieces[m.unk]
	} else if kind == "Unigram" {
		return nil, errors.New("no unknown token")
	}
	f := &file{fixedIDs: true}
	f.model = modelFile{options: options, vocab: newVocab(false, len(m.pieces))}
	for i, piece := range m.pieces {
		if err := f.model.vocab.add(int32(i), []byte(piece)); err != nil {
			return nil, err
		}
		switch m.types[i] {
		case typeControl, typeUnknown, typeUserDefined:
			f.added = append(f.added, addedToken{id: int32(i), content: piece, special: m.types[i] != typeUserDefined})
		}
	}
	return f, nil
}

// merges enters every way to make a token of two others. The rank is that of the token made, by score, so that the best
// token goes first and of equal ones the leftmost, as in SentencePiece.
func (m *spmModel) merges(b *bpe) {
	order := make([]int32, 0, len(m.pieces))
	for i := range int32(len(m.pieces)) {
		if t := m.types[i]; t == typeNormal || t == typeUserDefined || t == typeUnused {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, c int32) int { return cmp.Compare(m.scores[c], m.scores[a]) })
	b.pairs = newPairTable(3 * len(order))
	var cuts cutFinder
	rank := uint32(0)
	for k, id := range order {
		if k > 0 && m.scores[order[k-1]] != m.scores[id] {
			rank = uint32(k)
		}
		piece := m.pieces[id]
		for i := 1; i < len(piece); i++ {
			if !utf8.RuneStart(piece[i]) {
				continue
			}
			left, ok1 := b.vocab.find(piece[:i])
			right, ok2 := b.vocab.find(piece[i:])
			if ok1 && ok2 {
				b.pairs.set(left, right, makeMerge(rank, id))
				cuts.merge(piece[:i], piece[i:])
			}
		}
	}
	cuts.set(b)
}
