package server

import (
	"encoding/json"
	"testing"
)

func fuzzServer(f *testing.F) *Server {
	s, err := New(Options{
		Engine: &fakeEngine{}, Tokenizer: fakeTokenizer{}, Template: fakeTemplate{},
		Model: Model{Name: "tiny", MaxContext: 64},
	})
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// FuzzChat: a body is either refused with a 400 whose JSON holds no internals, or gives messages that are JSON and
// parameters in range.
func FuzzChat(f *testing.F) {
	s := fuzzServer(f)
	f.Add([]byte(chatBody(`"n":2,"stop":["a","b"],"logit_bias":{"1":2},"stream":true,"stream_options":{"include_usage":true}`)))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"text","text":"\u00e9"}]}],"seed":-1,"top_k":-1}`))
	f.Add([]byte(`{"messages":[{"role":"assistant","content":null,"tool_calls":[]}],"chat_template_kwargs":{"a":[{}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := s.newRequest(true)
		if bad := r.decode(body, s.chatFields); bad != nil {
			checkRefusal(t, bad)
			return
		}
		if !json.Valid(r.messages) || (r.kwargs != nil && !json.Valid(r.kwargs)) {
			t.Errorf("%q: messages %q, kwargs %q", body, r.messages, r.kwargs)
		}
		checkRanges(t, r)
		if _, bad := s.chatIDs(r); bad != nil {
			checkRefusal(t, bad)
		}
	})
}

// FuzzCompletion is FuzzChat for the other endpoint.
func FuzzCompletion(f *testing.F) {
	s := fuzzServer(f)
	f.Add([]byte(completionBody(`"n":2,"logprobs":3,"echo":false,"temperature":0.1e1`)))
	f.Add([]byte(`{"prompt":[[1,2],[3]],"max_tokens":5,"echo":true}`))
	f.Add([]byte(`{"prompt":["a","b"],"stop":"x","best_of":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := s.newRequest(false)
		if bad := r.decode(body, s.completionFields); bad != nil {
			checkRefusal(t, bad)
			return
		}
		checkRanges(t, r)
		for _, p := range r.prompts {
			if ids, bad := s.promptIDs(r, p); bad == nil && len(ids) == 0 {
				t.Errorf("%q: an empty prompt passed", body)
			}
		}
	})
}

func checkRefusal(t *testing.T, bad *apiError) {
	t.Helper()
	text := appendError(nil, bad)
	if bad.status != 400 || !json.Valid(text) {
		t.Errorf("status %d, %q", bad.status, text)
	}
}

func checkRanges(t *testing.T, r *request) {
	t.Helper()
	q := r.sampling
	ok := r.n >= 1 && r.n <= maxN && r.limit() >= 0 && r.logprobs >= -1 && r.logprobs <= maxLogprobs &&
		q.Temperature >= 0 && q.Temperature <= 2 && q.TopP > 0 && q.TopP <= 1 && q.TopK >= 0 && q.MinP >= 0 && q.MinP <= 1 &&
		q.Repetition > 0 && len(r.stop) <= maxStops && len(r.stopIDs) <= maxStops
	if !ok {
		t.Errorf("out of range: %+v", r)
	}
	for _, b := range q.Bias {
		if b.ID < 0 || int(b.ID) >= vocabularySize {
			t.Errorf("bias of token %d", b.ID)
		}
	}
}
