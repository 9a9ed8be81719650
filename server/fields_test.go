package server

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/weft-llm/weft/engine"
)

const (
	chatPath       = "/v1/chat/completions"
	completionPath = "/v1/completions"
)

// chatBody is a chat with more fields, such as `"n":2`.
func chatBody(more string) string {
	return `{"messages":[{"role":"user","content":"hello"}]` + join(more) + `}`
}

func completionBody(more string) string { return `{"prompt":"hello"` + join(more) + `}` }

func join(more string) string {
	if more == "" {
		return ""
	}
	return "," + more
}

func TestFields_BadOnesAreNamed(t *testing.T) {
	s := start(t, always(say("hello")))
	long := strings.Repeat("x", 257)
	for _, c := range []struct{ path, body, code, param string }{
		{chatPath, chatBody(`"tempreature":1`), "unknown_parameter", "tempreature"},
		{chatPath, chatBody(`"tempreature":null`), "unknown_parameter", "tempreature"},
		{completionPath, completionBody(`"messages":[]`), "unknown_parameter", "messages"},
		{completionPath, completionBody(`"max_completion_tokens":1`), "unknown_parameter", "max_completion_tokens"},
		{chatPath, chatBody(`"tools":[]`), "unsupported_parameter", "tools"},
		{chatPath, chatBody(`"response_format":{"type":"json_object"}`), "unsupported_parameter", "response_format.type"},
		{chatPath, chatBody(`"response_format":{"type":"text","json_schema":{}}`), "unsupported_parameter", "response_format.json_schema"},
		{chatPath, chatBody(`"store":true`), "unsupported_parameter", "store"},
		{chatPath, chatBody(`"service_tier":"flex"`), "unsupported_parameter", "service_tier"},
		{chatPath, chatBody(`"chat_template":"{{1}}"`), "unsupported_parameter", "chat_template"},
		{chatPath, chatBody(`"chat_template_kwargs":{"messages":1}`), "invalid_value", "chat_template_kwargs"},
		{chatPath, chatBody(`"user":7`), "invalid_value", "user"},
		{chatPath, chatBody(`"metadata":"x"`), "invalid_value", "metadata"},
		{chatPath, chatBody(`"temperature":2.1`), "invalid_value", "temperature"},
		{chatPath, chatBody(`"temperature":"1"`), "invalid_value", "temperature"},
		{chatPath, chatBody(`"temperature":1e400`), "invalid_value", "temperature"},
		{chatPath, chatBody(`"top_p":0`), "invalid_value", "top_p"},
		{chatPath, chatBody(`"repetition_penalty":0`), "invalid_value", "repetition_penalty"},
		{chatPath, chatBody(`"logit_bias":{"276":1}`), "invalid_value", "logit_bias"},
		{chatPath, chatBody(`"logit_bias":{"-1":1}`), "invalid_value", "logit_bias"},
		{chatPath, chatBody(`"logit_bias":{"1":101}`), "invalid_value", "logit_bias"},
		{chatPath, chatBody(`"logit_bias":[]`), "invalid_value", "logit_bias"},
		{chatPath, chatBody(`"stop":""`), "invalid_value", "stop"},
		{chatPath, chatBody(`"stop":["a",1]`), "invalid_value", "stop"},
		{chatPath, chatBody(`"stop":"` + long + `"`), "invalid_value", "stop"},
		{chatPath, chatBody(`"stop":[` + strings.Repeat(`"a",`, 16) + `"a"]`), "invalid_value", "stop"},
		{chatPath, chatBody(`"stop_token_ids":[276]`), "invalid_value", "stop_token_ids[0]"},
		{chatPath, chatBody(`"top_logprobs":2`), "invalid_value", "top_logprobs"},
		{chatPath, chatBody(`"logprobs":2`), "invalid_value", "logprobs"},
		{completionPath, completionBody(`"logprobs":true`), "invalid_value", "logprobs"},
		{chatPath, chatBody(`"stream_options":{"include_usage":true}`), "invalid_value", "stream_options"},
		{chatPath, chatBody(`"stream":true,"stream_options":{"x":true}`), "unknown_parameter", "stream_options.x"},
		{chatPath, chatBody(`"max_tokens":1,"max_completion_tokens":2`), "invalid_value", "max_tokens"},
		{chatPath, chatBody(`"cache_salt":""`), "invalid_value", "cache_salt"},
		{completionPath, completionBody(`"best_of":2`), "invalid_value", "best_of"},
		{completionPath, completionBody(`"suffix":"x"`), "unsupported_parameter", "suffix"},
		{completionPath, completionBody(`"echo":true,"logprobs":1`), "unsupported_parameter", "echo"},
		{chatPath, `{}`, "invalid_value", "messages"},
		{chatPath, `{"messages":null}`, "invalid_value", "messages"},
		{chatPath, `{"messages":[]}`, "invalid_value", "messages"},
		{chatPath, `{"messages":[{"content":"x"}]}`, "invalid_value", "messages[0].role"},
		{chatPath, `{"messages":[{"role":"boss","content":"x"}]}`, "invalid_value", "messages[0].role"},
		{chatPath, `{"messages":[{"role":"tool","content":"x"}]}`, "unsupported_parameter", "messages[0].role"},
		{chatPath, `{"messages":[{"role":"user"}]}`, "invalid_value", "messages[0].content"},
		{chatPath, `{"messages":[{"role":"user","content":1}]}`, "invalid_value", "messages[0].content"},
		{chatPath, `{"messages":[{"role":"user","content":"x","weight":1}]}`, "unknown_parameter", "messages[0].weight"},
		{chatPath, `{"messages":[{"role":"assistant","content":"x","tool_calls":[{}]}]}`, "unsupported_parameter", "messages[0].tool_calls"},
		{chatPath, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://10.0.0.1/"}}]}]}`, "unsupported_parameter", "messages[0].content[0].type"},
		{chatPath, `{"messages":[{"role":"user","content":[{"type":"text"}]}]}`, "invalid_value", "messages[0].content[0].text"},
		{chatPath, `{"messages":[{"role":"user","content":"refuse"}]}`, "invalid_value", "messages"},
		{completionPath, `{}`, "invalid_value", "prompt"},
		{completionPath, `{"prompt":[]}`, "invalid_value", "prompt"},
		{completionPath, `{"prompt":[[]]}`, "invalid_value", "prompt"},
		{completionPath, `{"prompt":[1,"a"]}`, "invalid_value", "prompt[1]"},
		{completionPath, `{"prompt":["a",1]}`, "invalid_value", "prompt[1]"},
		{completionPath, `{"prompt":[-1]}`, "invalid_value", "prompt[0]"},
		{completionPath, `{"prompt":[[1],[276]]}`, "invalid_value", "prompt[1][0]"},
		{completionPath, `{"prompt":["a","a","a","a","a"],"n":128}`, "invalid_value", "n"},
		{chatPath, `[]`, "invalid_json", ""},
		{chatPath, ``, "invalid_json", ""},
		{chatPath, `{"n":1`, "invalid_json", ""},
		{chatPath, `{"n":1}{}`, "invalid_json", ""},
		{chatPath, `{"n":1,"n":1}`, "invalid_json", ""},
		{chatPath, `{"messages":[{"role":"user","role":"user"}]}`, "invalid_json", ""},
		{chatPath, "{\"user\":\"\xff\"}", "invalid_json", ""},
		{chatPath, `{"user":"\ud800"}`, "invalid_json", ""},
		{chatPath, `{"user":` + strings.Repeat("[", 100000), "too_deep", ""},
		{chatPath, `{"user":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "}", "too_deep", ""},
	} {
		a := s.post(t, c.path, c.body)
		e := errorOf(t, a.body)
		if a.status != 400 || e.Code != c.code || e.Param != c.param || e.Type != "invalid_request_error" {
			t.Errorf("%s %.80s = %d %s %s, want 400 %s %s", c.path, c.body, a.status, e.Code, e.Param, c.code, c.param)
		}
		if leak.MatchString(a.body) {
			t.Errorf("%.80s: the error leaks: %s", c.body, a.body)
		}
	}
	if n := len(s.engine.requests); n != 0 {
		t.Errorf("%d bad requests reached the engine", n)
	}
}

func TestFields_ErrorsRepeatLittle(t *testing.T) {
	s := start(t, always(say("hello")))
	long := strings.Repeat("é", 1<<20)
	for _, body := range []string{
		`{"` + long + `":1}`,
		`{"` + long + `":1,"` + long + `":1}`,
		`{"messages":[{"role":"` + long + `","content":""}]}`,
		`{"messages":[{"role":"user","content":"","` + long + `":1}]}`,
		chatBody(`"model":"` + long + `"`),
		chatBody(`"logit_bias":{"` + long + `":1}`),
	} {
		if a := s.post(t, chatPath, body); a.status < 400 || len(a.body) > 2000 {
			t.Errorf("%.60s: %d with %d bytes", body, a.status, len(a.body))
		}
	}
}

// leak is what no error may hold: pointers, Go files, packages' names.
var leak = regexp.MustCompile(`0x[0-9a-f]|\.go:|goroutine|jsontext:|engine:|runtime error|\*server`)

func TestFields_IntegersAreStrict(t *testing.T) {
	s := start(t, always(say("hello")))
	bad := []string{"-2", "-9223372036854775808", "9223372036854775808", "1e400", "1.5", "1.0", "1e2", `"1"`, "true", "[]", "{}"}
	for path, names := range map[string][]string{
		chatPath:       {"max_tokens", "max_completion_tokens", "n", "top_k", "top_logprobs"},
		completionPath: {"max_tokens", "n", "top_k", "logprobs", "best_of"},
	} {
		for _, name := range names {
			for _, v := range bad {
				body := chatBody(fmt.Sprintf(`"%s":%s,"logprobs":true`, name, v))
				if path == completionPath {
					body = completionBody(fmt.Sprintf(`"%s":%s`, name, v))
				}
				a := s.post(t, path, body)
				if e := errorOf(t, a.body); a.status != 400 || e.Param != name {
					t.Errorf("%s %s=%s = %d param %q, want a 400 that names it", path, name, v, a.status, e.Param)
				}
			}
		}
	}
	for _, c := range []struct {
		field string
		want  int
	}{
		{`"max_tokens":0`, 400},
		{`"max_tokens":-1`, 400},
		{`"max_tokens":9223372036854775807`, 400},
		{`"n":0`, 400},
		{`"n":129`, 400},
		{`"seed":1.5`, 400},
		{`"seed":9223372036854775808`, 400},
		{`"seed":-1`, 200},   // any 64 bits are a seed
		{`"top_k":-1`, 200},  // all, as in vLLM
		{`"n":null`, 200},    // null is the default
		{`"seed":null`, 200}, //
	} {
		if a := s.post(t, chatPath, chatBody(c.field)); a.status != c.want {
			t.Errorf("%s = %d, want %d: %s", c.field, a.status, c.want, a.body)
		}
	}
}

func TestFields_ReachTheEngine(t *testing.T) {
	s := start(t, always(say("hello")))
	body := chatBody(`"temperature":0.5,"top_p":0.9,"top_k":7,"min_p":0.1,"repetition_penalty":1.1,"presence_penalty":-1,
		"frequency_penalty":1,"logit_bias":{"5":-100},"seed":42,"stop_token_ids":[65],"max_tokens":9,"logprobs":true,
		"top_logprobs":3,"cache_salt":"a","user":"u","metadata":{"a":"b"},"store":false,"tool_choice":"none",
		"response_format":{"type":"text"},"tools":null,"add_generation_prompt":true,"chat_template_kwargs":{"enable_thinking":false}`)
	if a := s.post(t, chatPath, body); a.status != 200 {
		t.Fatalf("%d: %s", a.status, a.body)
	}
	q := s.engine.last()
	want := "[257 267 10 273 258 10 257 268 10] 9 [258 65] {0.5 7 0.9 0.1 1.1 -1 1 42 [{5 -100}]} 3 a"
	got := fmt.Sprintf("%v %d %v %v %d %s", q.Prompt, q.MaxTokens, q.Stop, q.Sampling, q.Logprobs, q.CacheSalt)
	if got != want {
		t.Errorf("the engine got\n%s\nwant\n%s", got, want)
	}
	s.post(t, chatPath, chatBody(`"ignore_eos":true`))
	q = s.engine.last()
	if q.MaxTokens != 64-9 || len(q.Stop) != 0 || q.Logprobs != -1 || q.Sampling.Temperature != 1 {
		t.Errorf("defaults: max_tokens %d stop %v logprobs %d %v", q.MaxTokens, q.Stop, q.Logprobs, q.Sampling)
	}
	s.post(t, chatPath, chatBody(`"n":3,"seed":42`))
	seeds := map[uint64]bool{}
	for _, q := range s.engine.requests[2:] {
		seeds[q.Sampling.Seed] = true
	}
	if len(seeds) != 3 || !seeds[42] {
		t.Errorf("the seeds of three choices are %v, want 42 and two others", seeds)
	}
}

func TestFields_MessagePartsAreJoined(t *testing.T) {
	s := start(t, always(say("hello")))
	s.post(t, chatPath, `{"messages":[{"role":"developer","content":"hello"},
		{"role":"user","content":[{"type":"text","text":"The"},{"type":"text","text":" capital"}]}]}`)
	got := fakeTokenizer{}.Decode(s.engine.last().Prompt, true)
	want := "<|im_start|>system\nhello<|im_end|>\n<|im_start|>user\nThe\n capital<|im_end|>\n<|im_start|>assistant\n"
	if got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
}

func TestModel_OthersAreNotFound(t *testing.T) {
	s := start(t, always(say("hello")), func(o *Options) { o.Model.Aliases = []string{"org/tiny"} })
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", chatPath, chatBody(`"model":"gpt-4"`), 404},
		{"POST", completionPath, completionBody(`"model":"gpt-4"`), 404},
		{"POST", chatPath, chatBody(`"model":"org/tiny"`), 200},
		{"GET", "/v1/models/gpt-4", "", 404},
		{"GET", "/v1/models/tiny", "", 200},
		{"GET", "/v1/models/org/tiny", "", 200},
		{"GET", "/v1/models/org%2Ftiny", "", 200},
		{"GET", "/v1/models/org%252Ftiny", "", 404},
		{"GET", "/v1/models", "", 200},
	} {
		a := s.do(t, c.method, c.path, c.body)
		if a.status != c.status {
			t.Errorf("%s %s %s = %d, want %d", c.method, c.path, c.body, a.status, c.status)
		}
		if a.status == 404 && errorOf(t, a.body).Code != "model_not_found" {
			t.Errorf("%s: %s", c.path, a.body)
		}
	}
}

func TestSubmit_EngineErrorsBecomeStatusCodes(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{engine.ErrQueueFull, 429, "queue_full"},
		{engine.ErrDraining, 503, "shutting_down"},
		{&engine.DeviceError{Err: fmt.Errorf("cuLaunchKernel at 0xdeadbeef")}, 503, "device_error"},
		{&engine.TooLongError{Prompt: 9, MaxTokens: 20, Limit: 16}, 400, "context_length_exceeded"},
		{&engine.RequestError{Field: "temperature", Problem: "is odd"}, 400, "invalid_value"},
		{fmt.Errorf("main.go:7: 0xc000123"), 500, "internal_error"},
	} {
		s := start(t, always(script{refuse: c.err}))
		for _, stream := range []string{`"stream":false`, `"stream":true`} {
			a := s.post(t, chatPath, chatBody(stream))
			if e := errorOf(t, a.body); a.status != c.status || e.Code != c.code {
				t.Errorf("%v: %d %s, want %d %s", c.err, a.status, e.Code, c.status, c.code)
			}
			if (a.status == 429) != (a.header.Get("Retry-After") == "1") {
				t.Errorf("%v: Retry-After %q", c.err, a.header.Get("Retry-After"))
			}
			if leak.MatchString(a.body) {
				t.Errorf("the error leaks: %s", a.body)
			}
		}
	}
}

// TestSubmit_AllChoicesOrNone: when the queue takes only some of the choices, those are given back.
func TestSubmit_AllChoicesOrNone(t *testing.T) {
	left := 2
	s := start(t, func(engine.Request) script {
		if left--; left < 0 {
			return script{refuse: engine.ErrQueueFull}
		}
		return script{start: make(chan struct{})}
	})
	if a := s.post(t, chatPath, chatBody(`"n":3`)); a.status != 429 {
		t.Errorf("status %d, want 429", a.status)
	}
	if n := s.engine.running(); n != 0 {
		t.Errorf("%d generations still run", n)
	}
}
