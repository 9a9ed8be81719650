package tokenizer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// FromDir loads the tokenizer of a Hugging Face model directory: tokenizer.json, or else tokenizer.model, with
// tokenizer_config.json if it is there.
func FromDir(dir string) (*Tokenizer, error) {
	config, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot load tokenizer: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err == nil {
		return FromJSON(data, config)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot load tokenizer: %w", err)
	}
	data, err = os.ReadFile(filepath.Join(dir, "tokenizer.model"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot load tokenizer: %s has neither tokenizer.json nor tokenizer.model", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load tokenizer: %w", err)
	}
	return FromSentencePiece(data, config)
}

// FromJSON loads a tokenizer.json. tokenizerConfig, the tokenizer_config.json beside it, names the BOS and EOS tokens
// and may say whether they are added; it may be nil. Neither slice is kept.
func FromJSON(tokenizerJSON, tokenizerConfig []byte) (*Tokenizer, error) {
	f, err := readFile(tokenizerJSON)
	if err != nil {
		return nil, fmt.Errorf("cannot read tokenizer.json: %w", err)
	}
	t, err := f.build()
	if err != nil {
		return nil, fmt.Errorf("cannot read tokenizer.json: %w", err)
	}
	if err := t.configure(tokenizerConfig); err != nil {
		return nil, fmt.Errorf("cannot read tokenizer_config.json: %w", err)
	}
	return t, nil
}

// file is a tokenizer.json, read but not yet put together.
type file struct {
	added                        []addedToken
	normalizer, pre, post, decod node
	raw                          bool // the vocabulary is kept in bytes
	fixedIDs                     bool // added tokens come with their ids
	addBOS                       bool // the default where nothing says
	model                        modelFile
}

func readFile(data []byte) (*file, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	r := &jsonReader{buf: data}
	f := &file{}
	modelAt := -1
	r.object(func(key []byte) {
		switch string(key) {
		case "added_tokens":
			f.added = readAdded(r)
		case "normalizer":
			f.normalizer, _ = r.value().(node)
		case "pre_tokenizer":
			f.pre, _ = r.value().(node)
		case "post_processor":
			f.post, _ = r.value().(node)
		case "decoder":
			f.decod, _ = r.value().(node)
		case "model":
			// The model comes last in files as the library writes them; whether its vocabulary is in bytes depends on
			// the pre-tokenizer.
			if modelAt = r.pos; f.pre != nil {
				f.raw = endsInBytes(f.pre)
				f.model.read(r, f.raw)
				modelAt = -2
			} else {
				r.skip()
			}
		default:
			r.skip()
		}
	})
	r.end()
	if r.err == nil && modelAt == -1 {
		return nil, errors.New("no model")
	}
	if r.err == nil && modelAt >= 0 {
		r.pos = modelAt
		f.raw = f.pre != nil && endsInBytes(f.pre)
		f.model.read(r, f.raw)
	}
	return f, r.err
}

// endsInBytes reports whether the last step of a pre-tokenizer, and no other, is ByteLevel.
func endsInBytes(pre node) bool {
	if pre.kind() != "Sequence" {
		return pre.kind() == "ByteLevel"
	}
	list, err := pre.nodes("pretokenizers")
	if err != nil || len(list) == 0 {
		return false
	}
	for _, n := range list[:len(list)-1] {
		if n.kind() == "ByteLevel" || n.kind() == "Sequence" {
			return false
		}
	}
	return endsInBytes(list[len(list)-1])
}

func readAdded(r *jsonReader) []addedToken {
	var list []addedToken
	r.array(func() {
		n, ok := r.value().(node)
		if !ok && r.err == nil {
			r.fail("an added token is not an object")
			return
		}
		list = append(list, addedFrom(n))
	})
	return list
}

func addedFrom(n node) addedToken {
	return addedToken{
		content: n.str("content"), singleWord: n.boolean("single_word", false), lstrip: n.boolean("lstrip", false),
		rstrip: n.boolean("rstrip", false), normalized: n.boolean("normalized", true), special: n.boolean("special", false),
	}
}

// build puts the parts together.
func (f *file) build() (*Tokenizer, error) {
	t := &Tokenizer{bos: -1, eos: -1}
	var err error
	if t.model, err = f.model.build(); err != nil {
		return nil, err
	}
	t.vocab = f.model.vocab
	if f.normalizer != nil {
		if t.norm, err = newNormalizers(f.normalizer); err != nil {
			return nil, err
		}
	}
	if f.pre != nil {
		if t.pre, err = newPreTokenizers(f.pre, f.raw); err != nil {
			return nil, err
		}
	}
	if f.decod != nil {
		if t.decoders, err = flattenDecoders(f.decod); err != nil {
			return nil, err
		}
	}
	var around frame
	if f.post != nil {
		if err = around.add(f.post); err != nil {
			return nil, err
		}
	}
	t.before, t.after = around.before, around.after
	t.addsBOS = f.addBOS
	t.addTokens(f.added, f.fixedIDs)
	return t, nil
}

// addTokens gives the added tokens their ids: that of the model if it has the token, else the next free one. The ids in
// the file are not asked, as in the reference. With fixed they come with their ids.
func (t *Tokenizer) addTokens(list []addedToken, fixed bool) {
	t.added, t.addedIDs = map[int32]*addedToken{}, map[string]int32{}
	t.size = len(t.vocab.where)
	next := int32(t.vocab.count)
	for _, a := range list {
		if a.content == "" {
			continue
		}
		id, ok := t.ID(a.content)
		if fixed {
			id = a.id
		} else if !ok {
			id = next
		}
		a.id = id
		t.added[id], t.addedIDs[a.content] = &a, id
		next = max(next, id+1)
		t.size = max(t.size, int(id)+1)
	}
	t.makeMatchers()
}

// makeMatchers sorts the added tokens by where they are looked for.
func (t *Tokenizer) makeMatchers() {
	var raw, normed []addedToken
	var rawTexts, normTexts []string
	for id := range int32(t.size) {
		switch a := t.added[id]; {
		case a == nil:
		case a.normalized:
			normed = append(normed, *a)
			normTexts = append(normTexts, t.normalize(a.content))
		default:
			raw = append(raw, *a)
			rawTexts = append(rawTexts, a.content)
		}
	}
	t.rawAdded, t.normAdded = newMatcher(raw, rawTexts), newMatcher(normed, normTexts)
}
