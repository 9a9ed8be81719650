package tokenizer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tinyFile(t testing.TB, name, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/tiny", name, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFromJSON_ConfigNamesBOSAndEOS(t *testing.T) {
	for _, c := range []struct {
		name, config string
		bos, eos     string
		adds         bool
	}{
		{"llama2", ``, "<s>", "", true},
		{"llama2", `{"bos_token":"<s>","eos_token":"</s>","tokenizer_class":"LlamaTokenizerFast","add_bos_token":false}`, "<s>", "</s>", false},
		{"qwen2", `{"bos_token":{"content":"<s>"},"eos_token":{"content":"<|im_end|>"},"tokenizer_class":"Qwen2Tokenizer","add_bos_token":true}`, "<s>", "<|im_end|>", false},
		{"qwen2", `{"bos_token":"<s>","tokenizer_class":"LlamaTokenizer","add_bos_token":true}`, "<s>", "", true},
		{"qwen2", `{"bos_token":null,"eos_token":"no such token"}`, "", "", false},
	} {
		var config []byte
		if c.config != "" {
			config = []byte(c.config)
		}
		tok, err := FromJSON(tinyFile(t, c.name, "tokenizer.json"), config)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what, want string, id int32, ok bool) {
			if got := tok.Token(id); ok != (want != "") || ok && got != want {
				t.Errorf("%s with %s: %s is %q, want %q", c.name, c.config, what, got, want)
			}
		}
		id, ok := tok.BOS()
		check("BOS", c.bos, id, ok)
		id, ok = tok.EOS()
		check("EOS", c.eos, id, ok)
		ids := encode(t, tok, "a", EncodeOptions{AddSpecial: true})
		if begins := len(ids) > 0 && tok.Token(ids[0]) == "<s>"; tok.AddsBOS() != c.adds || begins != c.adds {
			t.Errorf("%s with %s: AddsBOS() = %v, Encode adds it: %v, want %v", c.name, c.config, tok.AddsBOS(), begins, c.adds)
		}
	}
}

func TestFromJSON_RefusesBrokenFiles(t *testing.T) {
	good := string(tinyFile(t, "gpt2", "tokenizer.json"))
	for name, c := range map[string]struct{ in, want string }{
		"empty":             {"", "unexpected end"},
		"not JSON":          {"GGUF", "offset 0"},
		"no model":          {"{}", "no model"},
		"cut off":           {good[:len(good)/2], "unexpected end"},
		"text behind":       {good + "x", "text behind"},
		"not UTF-8":         {strings.Replace(good, "<unk>", "\xff", 1), "not UTF-8"},
		"deep":              {`{"x":` + strings.Repeat("[", 100000), "nested deeper"},
		"huge id":           {`{"model":{"type":"BPE","vocab":{"a":99999999999},"merges":[]}}`, "token id"},
		"high id":           {`{"model":{"type":"BPE","vocab":{"a":16000000},"merges":[]}}`, "in a file of"},
		"negative id":       {`{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}`, "token id"},
		"merge of nothing":  {`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}`, "not all in the vocabulary"},
		"merge of three":    {`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b c"]}}`, "two parts"},
		"odd pair":          {`{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}`, "want 2"},
		"unknown model":     {`{"model":{"type":"Magic","vocab":{}}}`, `unknown model "Magic"`},
		"unknown step":      {`{"pre_tokenizer":{"type":"Magic"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, `unknown pre-tokenizer "Magic"`},
		"unknown normal":    {`{"normalizer":{"type":"Magic"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, `unknown normalizer "Magic"`},
		"unknown decoder":   {`{"decoder":{"type":"Magic"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, `unknown decoder "Magic"`},
		"unknown processor": {`{"post_processor":{"type":"Magic"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, `unknown post-processor "Magic"`},
		"bad pattern":       {`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, "pattern"},
		"no pattern":        {`{"decoder":{"type":"Replace"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, "no pattern"},
		"half surrogate":    {`{"model":{"type":"BPE","vocab":{"\ud800":0},"merges":[]}}`, "surrogate"},
		"unk out of range":  {`{"model":{"type":"Unigram","vocab":[["a",0]],"unk_id":7}}`, "unk_id"},
		"dropout":           {`{"model":{"type":"BPE","vocab":{},"merges":[],"dropout":0.1}}`, "dropout"},
		"bad charsmap":      {`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"////fwAA"},"model":{"type":"BPE","vocab":{},"merges":[]}}`, "precompiled_charsmap"},
	} {
		_, err := FromJSON([]byte(c.in), nil)
		if err == nil || !strings.HasPrefix(err.Error(), "cannot read tokenizer.json: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestFromJSON_ModelMayStandBeforeThePreTokenizer(t *testing.T) {
	data := tinyFile(t, "gpt2", "tokenizer.json")
	at := bytes.Index(data, []byte(`"model":`))
	turned := append([]byte("{"), data[at:len(data)-1]...)
	turned = append(append(turned, ','), data[1:at-1]...)
	turned = append(turned, '}')
	tok, err := FromJSON(turned, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range goldens(t, "testdata/tiny/gpt2") {
		checkGolden(t, tok, row, false)
	}
}

func TestFromDir_SaysWhatIsMissing(t *testing.T) {
	if _, err := FromDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "neither tokenizer.json nor tokenizer.model") {
		t.Errorf("FromDir of an empty directory: %v", err)
	}
}

func TestFromSentencePiece_RefusesBrokenFiles(t *testing.T) {
	good := tinyFile(t, "spm-bpe", "tokenizer.model")
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("tokenizer"), "cut off": good[:len(good)-3], "a size beyond the end": {0x0A, 0xFF, 0xFF, 0xFF, 0x7F},
		"no pieces": {0x12, 0x00},
	} {
		if _, err := FromSentencePiece(data, nil); err == nil || !strings.HasPrefix(err.Error(), "cannot read tokenizer.model: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzFromJSON(f *testing.F) {
	for _, name := range []string{"gpt2", "t5", "bert", "llama2", "ctc"} {
		f.Add(tinyFile(f, name, "tokenizer.json"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := FromJSON(data, nil)
		if err != nil {
			return
		}
		ids, _ := tok.Encode(nil, "The Straße 日本 😀\n 12 [MASK] <s>", EncodeOptions{ParseSpecial: true, AddSpecial: true})
		streamed(t, tok, ids, true)
	})
}

func FuzzFromSentencePiece(f *testing.F) {
	for _, name := range []string{"spm-bpe", "spm-unigram"} {
		f.Add(tinyFile(f, name, "tokenizer.model"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := FromSentencePiece(data, nil)
		if err != nil {
			return
		}
		ids, _ := tok.Encode(nil, "The Straße 日本 😀\n 12", EncodeOptions{AddSpecial: true})
		streamed(t, tok, ids, true)
	})
}

func FuzzEncode(f *testing.F) {
	var toks []*Tokenizer
	for _, dir := range tinyDirs(f) {
		toks = append(toks, tiny(f, filepath.Base(dir)))
	}
	f.Add("The Straße 日本 😀\n 12 [MASK] <s>é\u0301 x")
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range toks {
			ids, err := tok.Encode(nil, s, EncodeOptions{ParseSpecial: true})
			if err != nil {
				t.Fatalf("Encode(%q): %v", s, err)
			}
			if got, want := streamed(t, tok, ids, true), tok.Decode(ids, true); got != want {
				t.Fatalf("pieces of %v join to %q, want %q", ids, got, want)
			}
		}
	})
}
