package load_test

import (
	"context"
	"strings"
	"testing"

	"github.com/weft-llm/weft/bench/load"
	"github.com/weft-llm/weft/engine"
)

func TestFlood_CountsWhatTheServerDid(t *testing.T) {
	m, target := serveTiny(t, engine.Options{MaxRequests: 2, Queue: 5, KVTokens: 1000})
	f := load.Flood{Requests: 200, Prompt: 4, Output: 100, Rounds: 2, Probes: 3, Vocab: vocab, Seed: 5}
	x, err := f.Run(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, r := range x.Rounds {
		refused += r.Refused
		if r.Answered < 7 || r.Answered+r.Refused != 200 || r.Unfit != 0 || len(r.Errors) > 0 {
			t.Errorf("flood %d: %+v, want at least 7 answered and all others refused in form", i, r)
		}
		if r.Refused > 0 && (r.Refusal.P99 < r.Refusal.P50 || r.Refusal.P50 <= 0 || r.Last < r.Refusal.Max) {
			t.Errorf("flood %d: times %+v", i, r)
		}
	}
	if got := m.Engine().Stats().Rejected; int(got) != refused || refused == 0 {
		t.Errorf("the engine refused %d, the clients saw %d, want as many and some", got, refused)
	}
	if x.Inside == nil || x.Inside.Count != refused || x.Inside.Mean <= 0 || x.Inside.P99 <= 0 {
		t.Errorf("the server's own figures are %+v, want those of %d refusals", x.Inside, refused)
	}
	if x.Before.P50 <= 0 || x.After.P50 <= 0 {
		t.Errorf("times to first token: %+v before, %+v after", x.Before, x.After)
	}
	var out strings.Builder
	if x.WriteText(&out); !strings.Contains(out.String(), "inside the server a refusal took") || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("the table says:\n%s", out.String())
	}
}

func TestFlood_SaysWhyItCannotRun(t *testing.T) {
	_, target := serveTiny(t, engine.Options{})
	f := load.Flood{Requests: 1, Prompt: 4, Output: 1, Rounds: 1, Probes: 1, Vocab: vocab}
	target.Key = "wrong"
	if _, err := f.Run(context.Background(), target); err == nil || !strings.Contains(err.Error(), "a single request failed: status 401") {
		t.Errorf("with a wrong key: %v", err)
	}
	ended, stop := context.WithCancel(context.Background())
	stop()
	if _, err := f.Run(ended, target); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("after the end of its context: %v", err)
	}
}
