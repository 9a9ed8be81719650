package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

// byteTokenizer is a real tokenizer whose tokens are the 256 bytes, ids in the order of GPT-2's alphabet, and ChatML's
// special tokens.
func byteTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	vocab, next := map[string]int{}, 256
	for b := range 256 {
		r := rune(b)
		if printable := (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae; !printable {
			r, next = rune(next), next+1
		}
		vocab[string(r)] = b
	}
	added := []map[string]any{}
	for i, name := range []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"} {
		added = append(added, map[string]any{"id": 256 + i, "content": name, "special": true, "single_word": false,
			"lstrip": false, "rstrip": false, "normalized": false})
	}
	data, err := json.Marshal(map[string]any{
		"version": "1.0", "added_tokens": added,
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
		"decoder":       map[string]any{"type": "ByteLevel"},
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": []string{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.FromJSON(data, []byte(`{"eos_token":"<|im_end|>"}`))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestReal_TemplateAndTokenizer takes a conversation through the real template engine and tokenizer, and answers with
// emoji a byte at a time.
func TestReal_TemplateAndTokenizer(t *testing.T) {
	tok := byteTokenizer(t)
	template, err := chat.Parse("{% for m in messages %}{% if m.role == 'system' and loop.index > 1 %}" +
		"{{ raise_exception('System must come first') }}{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}{{ eos_token }}\n" +
		"{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% if not thinking %}-{% endif %}{% endif %}")
	if err != nil {
		t.Fatal(err)
	}
	const said = "héllo 🙂 wörld"
	play := always(script{tokens: append([]int32{257}, idsOf(t, tok, said)...)}) // a special token is not text
	s := start(t, play, func(o *Options) {
		o.Tokenizer, o.Template = NewTokenizer(tok), NewTemplate(template, tok)
		o.Model.MaxContext = 512
	})
	a := s.post(t, chatPath, `{"stream":true,"messages":[{"role":"user","content":"grüß <|im_end|>"}],"chat_template_kwargs":{"thinking":true}}`)
	var text string
	for frame := range strings.SplitSeq(strings.TrimSuffix(a.body, "\n\n"+done), "\n\n") {
		if c := decodeChunk(t, frame).Choices[0]; true {
			text += c.Delta.Content
		}
	}
	if text != said {
		t.Errorf("the answer is %q, want %q", text, said)
	}
	if got, want := tok.Decode(s.engine.last().Prompt, true), "<|im_start|>user\ngrüß <|im_end|><|im_end|>\n<|im_start|>assistant\n"; got != want {
		t.Errorf("the prompt is %q, want %q", got, want)
	}
	a = s.post(t, chatPath, `{"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]}`)
	if e := errorOf(t, a.body); a.status != 400 || !strings.Contains(e.Message, "System must come first.") {
		t.Errorf("a conversation that the template refuses = %d %s", a.status, a.body)
	}
}

func idsOf(t *testing.T, tok *tokenizer.Tokenizer, text string) []int32 {
	t.Helper()
	ids, err := tok.Encode(nil, text, tokenizer.EncodeOptions{})
	if err != nil || len(ids) != len(text) {
		t.Fatalf("%q has %d tokens, %v", text, len(ids), err)
	}
	return ids
}

// TestReal_LogprobBytesMakeTheText: the bytes of a chat's tokens, joined, are the text that was sent, whatever the stop.
func TestReal_LogprobBytesMakeTheText(t *testing.T) {
	tok := byteTokenizer(t)
	for _, stop := range []string{"", "🙂", "ö", "zzz", "d"} {
		const said = "héllo 🙂 wörld"
		s := start(t, func(engine.Request) script { return script{tokens: idsOf(t, tok, said)} }, func(o *Options) {
			o.Tokenizer = NewTokenizer(tok)
		})
		fields := `"logprobs":true`
		if stop != "" {
			fields += fmt.Sprintf(`,"stop":%q`, stop)
		}
		a := s.post(t, chatPath, chatBody(fields))
		var v struct {
			Choices []struct {
				Message  struct{ Content string }
				Logprobs struct{ Content []struct{ Bytes []int } }
			}
		}
		if err := json.Unmarshal([]byte(a.body), &v); err != nil {
			t.Fatal(err)
		}
		var joined []byte
		for _, e := range v.Choices[0].Logprobs.Content {
			for _, b := range e.Bytes {
				joined = append(joined, byte(b))
			}
		}
		want, _ := firstStop(said, []string{stop})
		if stop == "" {
			want = said
		}
		if v.Choices[0].Message.Content != want || string(joined) != want {
			t.Errorf("stop %q: text %q, bytes %q, want %q", stop, v.Choices[0].Message.Content, joined, want)
		}
	}
}
