package golden

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vocabSize is the tiny model's.
const vocabSize = 160

// Chat writes the tiny Qwen3 with a tokenizer of one token a character and a chat template, and returns its directory.
func Chat(t testing.TB) string {
	t.Helper()
	dir := Copy(t, "qwen3")
	vocab := map[string]int{"<pad>": 0, "<s>": 1, "</s>": 2, "Ġ": 3, "Ċ": 4}
	for c := '!'; c <= '~'; c++ {
		vocab[string(c)] = len(vocab)
	}
	for a, b := 'a', 'a'; len(vocab) < vocabSize; b++ { // the model knows more tokens than there are characters
		if b > 'z' {
			a, b = a+1, 'a'
		}
		vocab[string(a)+string(b)] = len(vocab)
	}
	special := func(id int, text string) map[string]any {
		return map[string]any{"id": id, "content": text, "special": true, "normalized": false,
			"single_word": false, "lstrip": false, "rstrip": false}
	}
	byteLevel := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true}
	write(t, dir, "tokenizer.json", map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil, "post_processor": nil,
		"added_tokens":  []any{special(0, "<pad>"), special(1, "<s>"), special(2, "</s>")},
		"pre_tokenizer": byteLevel, "decoder": byteLevel,
		"model": map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{}, "unk_token": nil, "dropout": nil,
			"continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false},
	})
	write(t, dir, "tokenizer_config.json", map[string]any{"bos_token": "<s>", "eos_token": "</s>",
		"chat_template": "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}"})
	return dir
}

func write(t testing.TB, dir, name string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
