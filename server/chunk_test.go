package server

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

type chunk struct {
	Choices []struct {
		Index        int
		Delta        struct{ Role, Content string }
		FinishReason string `json:"finish_reason"`
	}
	Usage struct {
		CompletionTokens int `json:"completion_tokens"`
	}
}

func decodeChunk(t interface{ Fatalf(string, ...any) }, frame string) (c chunk) {
	body, ok := strings.CutPrefix(frame, "data: ")
	if !ok || json.Unmarshal([]byte(body), &c) != nil {
		t.Fatalf("not a frame: %q", frame)
	}
	return c
}

// TestChoice_SplitsChangeNothing: however a text is cut into tokens, inside runes and inside stop strings, the deltas
// are valid UTF-8 and make the same answer.
func TestChoice_SplitsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aSTOP é€🙂")), 0, 30, -1).Draw(t, "text")
		stops := rapid.SampledFrom([][]string{nil, {"STOP"}, {"é€", "OP"}, {"🙂", "TO", " "}}).Draw(t, "stops")
		c := &choice{text: &fakeStream{}, stop: tokenizer.NewStopper(stops, false), probed: true}
		var got []byte
		for i := range len(text) {
			stopped := c.push([]engine.Token{{ID: int32(text[i])}})
			n := c.ready()
			got = append(got, c.out...)
			for _, p := range c.probs[:n] {
				if p.start > len(got) {
					t.Fatalf("a token at %d was sent with %d bytes of text", p.start, len(got))
				}
			}
			c.take(n)
			if stopped {
				break
			}
		}
		if c.reason == "" {
			c.end(engine.Stopped)
			got = append(got, c.out...)
		}
		want, _ := firstStop(text, stops)
		if string(got) != want {
			t.Fatalf("%q with stops %q = %q, want %q", text, stops, got, want)
		}
	})
}

// firstStop is text up to the stop string that ends first, the longest of those that end there.
func firstStop(text string, stops []string) (string, bool) {
	for end := range len(text) + 1 {
		best := -1
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) && (best < 0 || end-len(s) < best) {
				best = end - len(s)
			}
		}
		if best >= 0 {
			return text[:best], true
		}
	}
	return text, false
}
