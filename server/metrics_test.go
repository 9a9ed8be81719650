package server

import (
	"strings"
	"testing"
)

func TestMetrics_CountRequestsAndTokens(t *testing.T) {
	q := say("The", " capital")
	q.cached = 4
	s := start(t, always(q))
	s.post(t, chatPath, chatBody(`"stream":true`))
	s.post(t, chatPath, chatBody(`"n":2`))
	s.post(t, chatPath, chatBody(`"bad":1`))
	s.post(t, "/a/path/of/the/client", "{}")
	waitFor(t, "the stream's end", func() bool { return s.inflight.count() == 0 })
	a := s.do(t, "GET", "/metrics", "")
	for _, line := range []string{
		`weft_http_responses_total{code="200",route="/v1/chat/completions"} 2`,
		`weft_http_responses_total{code="400",route="/v1/chat/completions"} 1`,
		`weft_http_responses_total{code="404",route=""} 1`,
		`weft_prompt_tokens_total 18`,
		`weft_output_tokens_total 6`,
		`weft_cached_tokens_total 8`,
		`weft_time_to_first_token_seconds_count 2`,
		`weft_inter_token_seconds_count 3`,
		`weft_requests_in_flight 0`,
		`weft_requests_running 0`,
		`weft_kv_tokens_used 3`,
	} {
		if !strings.Contains(a.body, line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("Content-Type %s", a.header.Get("Content-Type"))
	}
}
