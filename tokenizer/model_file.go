package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
)

// modelFile is the model object of a tokenizer.json.
type modelFile struct {
	options node // all but vocab and merges
	vocab   *vocab
	scores  []float64 // unigram: by id
	merges  *mergeList
	spm     *spmModel // instead of merges
	raw     bool
	indexed chan struct{} // closed when the vocabulary's index is built; nil: nobody builds it
}

// read reads the model. The vocabulary and the merges, nearly all of the file, go straight into their tables.
func (m *modelFile) read(r *jsonReader, raw bool) {
	m.raw, m.options = raw, node{}
	m.merges = &mergeList{raw: raw}
	r.object(func(key []byte) {
		switch string(key) {
		case "vocab":
			if m.readVocab(r); r.err == nil && m.indexed == nil {
				m.indexed = make(chan struct{})
				go func(v *vocab, done chan struct{}) { // while the merges are read
					v.index()
					close(done)
				}(m.vocab, m.indexed)
			}
		case "merges":
			m.merges.read(r)
		default:
			k := string(key)
			m.options[k] = r.value()
		}
	})
}

func (m *modelFile) readVocab(r *jsonReader) {
	if m.vocab != nil {
		r.fail("a second vocab")
		return
	}
	m.vocab = newVocab(m.raw, min(1<<18, len(r.buf)/24))
	add := func(id int32, piece []byte) {
		if int(id) > len(r.buf) && r.err == nil { // memory is taken per id, so a short file must not name a high one
			r.fail("token id %d in a file of %d bytes", id, len(r.buf))
			return
		}
		if err := m.vocab.add(id, piece); err != nil && r.err == nil {
			r.fail("%w", err)
		}
	}
	if r.peek() == '{' {
		r.object(func(piece []byte) { add(r.id(), piece) })
		return
	}
	r.array(func() {
		var piece []byte
		i := 0
		r.array(func() {
			switch i++; i {
			case 1:
				piece = bytes.Clone(r.str())
			case 2:
				m.scores = append(m.scores, r.float())
			default:
				r.fail("want [token, score]")
			}
		})
		if i != 2 && r.err == nil {
			r.fail("want [token, score]")
		}
		add(int32(len(m.vocab.where)), piece)
	})
}

// build makes the model that the options describe.
func (m *modelFile) build() (model, error) {
	if m.vocab == nil {
		return nil, errors.New("the model has no vocab")
	}
	if m.indexed == nil {
		m.vocab.index()
	} else {
		<-m.indexed
	}
	kind := m.options.kind()
	if kind == "" { // files of before 2020 do not say
		kind = "BPE"
		if m.scores != nil {
			kind = "Unigram"
		} else if _, ok := m.options["max_input_chars_per_word"]; ok {
			kind = "WordPiece"
		}
	}
	switch kind {
	case "BPE":
		return m.buildBPE()
	case "Unigram":
		return m.buildUnigram()
	case "WordPiece":
		return newWordPiece(m.vocab, m.options)
	case "WordLevel":
		return newWordLevel(m.vocab, m.options)
	}
	return nil, fmt.Errorf("unknown model %q", kind)
}

func (m *modelFile) buildBPE() (model, error) {
	if d, ok := m.options["dropout"].(float64); ok && d != 0 {
		return nil, fmt.Errorf("dropout is %v: such a tokenizer gives other ids each time", d)
	}
	b := &bpe{
		vocab: m.vocab, unk: -1,
		fuseUnk:      m.options.boolean("fuse_unk", false),
		fallback:     m.options.boolean("byte_fallback", false),
		ignoreMerges: m.options.boolean("ignore_merges", false),
		prefix:       m.options.str("continuing_subword_prefix"),
		suffix:       m.options.str("end_of_word_suffix"),
	}
	if unk := m.options.str("unk_token"); unk != "" {
		if id, ok := m.vocab.findPiece(unk); ok {
			b.unk = id
		} else {
			b.unk = missingUnk
		}
	}
	if m.spm != nil {
		m.spm.merges(b)
	} else if err := m.merges.build(b); err != nil {
		return nil, err
	}
	b.init()
	return b, nil
}
