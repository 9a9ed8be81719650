package tokenizer

import (
	"slices"
	"strings"
)

// configure applies a tokenizer_config.json: the names of BOS and EOS, and for the tokenizer classes that rebuild their
// post-processor from them (in transformers' LlamaTokenizerFast and its kin) add_bos_token and add_eos_token.
func (t *Tokenizer) configure(data []byte) error {
	config := node{}
	if data != nil {
		r := &jsonReader{buf: data}
		r.object(func(key []byte) {
			switch k := string(key); k {
			case "bos_token", "eos_token", "tokenizer_class", "add_bos_token", "add_eos_token":
				config[k] = r.value()
			default:
				r.skip()
			}
		})
		r.end()
		if r.err != nil {
			return r.err
		}
	}
	t.bos = t.named(config.tokenText("bos_token"))
	t.eos = t.named(config.tokenText("eos_token"))
	if rebuildsFrame(config.str("tokenizer_class")) {
		t.reframe(config)
	}
	if t.eos >= 0 {
		t.stops = []int32{t.eos}
	}
	if t.bos < 0 && len(t.before) == 1 {
		t.bos = t.before[0]
	}
	t.addsBOS = t.bos >= 0 && len(t.before) > 0 && t.before[0] == t.bos
	return nil
}

func (t *Tokenizer) named(token string) int32 {
	if id, ok := t.ID(token); ok && token != "" {
		return id
	}
	return -1
}

func rebuildsFrame(class string) bool {
	class = strings.TrimSuffix(class, "Fast")
	return slices.Contains([]string{"LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"}, class)
}

// reframe sets what AddSpecial adds from add_bos_token and add_eos_token, where the file has them.
func (t *Tokenizer) reframe(config node) {
	if add, ok := config["add_bos_token"].(bool); ok {
		t.before = nil
		if add && t.bos >= 0 {
			t.before = []int32{t.bos}
		}
	}
	if add, ok := config["add_eos_token"].(bool); ok {
		t.after = nil
		if add && t.eos >= 0 {
			t.after = []int32{t.eos}
		}
	}
}
