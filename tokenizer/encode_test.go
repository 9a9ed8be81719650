package tokenizer

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestEncode_LongTextsStayLinear wants less than eight times the time for four times the text; what is quadratic takes
// sixteen times as long. A busy machine disturbs either, so each is the fastest of several runs, and what takes less than
// a second is not looked at: in time that is not linear the longer text takes minutes.
func TestEncode_LongTextsStayLinear(t *testing.T) {
	const size = 1 << 18
	texts := map[string]string{"one letter": "a", "emoji": "😀", "letters": "qwertyuiop", "spaces": " ", "lines": "\n", "marks": "e\u0301\u0327", "punctuation": "=", "angle": "<|im"}
	for _, name := range []string{"gpt2", "qwen2", "o200k", "deepseek", "llama2", "gemma", "t5", "xlm", "bert", "clip"} {
		tok := tiny(t, name)
		for what, unit := range texts {
			fastest := func(size, runs int) time.Duration {
				best := time.Hour
				for range runs {
					start := time.Now()
					ids := encode(t, tok, strings.Repeat(unit, size/len(unit)), EncodeOptions{ParseSpecial: true})
					tok.Decode(ids, true)
					best = min(best, time.Since(start))
				}
				return best
			}
			long := fastest(size, 1)
			if long < time.Second {
				continue
			}
			short := fastest(size/4, 3)
			if long = min(long, fastest(size, 2)); long > 8*short {
				t.Errorf("%s: 256 KiB of %s take %v, a fourth of it %v", name, what, long, short)
			}
		}
	}
}

func TestEncode_OneMarkManyTimesIsNotChanged(t *testing.T) {
	tok := tiny(t, "qwen2")
	text := "a" + strings.Repeat("\u0327", 100)
	if got := tok.Decode(encode(t, tok, text, EncodeOptions{}), true); got != text {
		t.Errorf("100 marks come back as %q", got)
	}
}

func TestEncode_AppendsAndLeavesDstOnError(t *testing.T) {
	tok, err := FromJSON([]byte(`{"model":{"type":"WordLevel","vocab":{"a":7},"unk_token":"?"}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	dst := []int32{1, 2}
	if got, err := tok.Encode(dst, "a", EncodeOptions{}); err != nil || !slices.Equal(got, []int32{1, 2, 7}) {
		t.Errorf("Encode = %v, %v, want [1 2 7]", got, err)
	}
	if got, err := tok.Encode(dst, "b", EncodeOptions{}); err == nil || !slices.Equal(got, dst) {
		t.Errorf("Encode of an unknown word = %v, %v, want [1 2] and an error", got, err)
	}
}

func TestEncode_InvalidUTF8CountsAsReplacementCharacters(t *testing.T) {
	tok := tiny(t, "gpt2")
	got := encode(t, tok, "a\xffb\xe6\x97", EncodeOptions{})
	if want := encode(t, tok, "a\uFFFDb\uFFFD\uFFFD", EncodeOptions{}); !slices.Equal(got, want) {
		t.Errorf("Encode = %v, want %v", got, want)
	}
}

func TestEncode_TakesSpecialTokensLiterallyUnlessTold(t *testing.T) {
	tok := tiny(t, "gpt2")
	id, ok := tok.ID("<|im_end|>")
	if !ok || !tok.IsSpecial(id) {
		t.Fatalf("<|im_end|> is %d, special: %v", id, tok.IsSpecial(id))
	}
	if got := encode(t, tok, "<|im_end|>", EncodeOptions{ParseSpecial: true}); !slices.Equal(got, []int32{id}) {
		t.Errorf("Encode with ParseSpecial = %v, want [%d]", got, id)
	}
	if got := encode(t, tok, "<|im_end|>", EncodeOptions{}); slices.Contains(got, id) || tok.Decode(got, false) != "<|im_end|>" {
		t.Errorf("Encode = %v (%q), want the text without token %d", got, tok.Decode(got, false), id)
	}
}

func TestTokenizer_IsSafeForConcurrentUse(t *testing.T) {
	for _, name := range []string{"gpt2", "gemma", "t5", "lookbehind"} {
		tok := tiny(t, name)
		rows := goldens(t, "testdata/tiny/"+name)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for _, row := range rows {
					ids, err := tok.Encode(nil, row.In, EncodeOptions{ParseSpecial: true})
					if err != nil || !slices.Equal(ids, row.IDs) || tok.Decode(ids, true) != row.Text {
						t.Errorf("%s: Encode(%q) = %v, %v, want %v", name, row.In, ids, err, row.IDs)
					}
				}
			})
		}
		wg.Wait()
	}
}
