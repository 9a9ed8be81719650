package weft

import (
	"fmt"
	"os"

	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tokenizer"
)

// Text is the text side of a model: what turns conversations into prompts, and prompts into token ids.
type Text struct {
	Tokenizer *tokenizer.Tokenizer // nil when there is none
	Template  *chat.Template       // nil when there is none
	BOS, EOS  string               // what a template's bos_token and eos_token stand for
}

// OpenText opens the text side of the model at path, without its weights. A directory needs only tokenizer files.
func OpenText(path string) (*Text, error) {
	if st, err := os.Stat(path); path != Builtin && err == nil && st.IsDir() {
		return openTokenizerDir(path)
	}
	c, err := OpenWeights(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m := &Model{name: nameOf(path), checkpoint: c}
	if err := m.openText(); err != nil {
		return nil, err
	}
	t := &Text{Tokenizer: m.tokenizer, Template: m.template}
	t.BOS, t.EOS = specialText(t.Tokenizer)
	return t, nil
}

func openTokenizerDir(path string) (*Text, error) {
	tok, err := tokenizer.FromDir(path)
	if err != nil {
		return nil, err
	}
	t := &Text{Tokenizer: tok}
	t.BOS, t.EOS = specialText(tok)
	source, err := weights.ChatTemplate(path)
	if err != nil || source == "" {
		return t, err
	}
	if t.Template, err = chat.Parse(source); err != nil {
		return nil, fmt.Errorf("cannot read the chat template in %s: %w", path, err)
	}
	return t, nil
}
