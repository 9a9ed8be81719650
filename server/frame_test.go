//go:build !race

package server

import (
	"bufio"
	"io"
	"testing"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

// sseStream is a stream that is ready to write tokens.
func sseStream(stops []string) (*job, *bufio.Writer, *frames, *choice) {
	s := &Server{tokenizer: fakeTokenizer{}, model: Model{Name: "tiny"}}
	j := &job{s: s, req: &request{chat: true, model: "tiny", logprobs: -1, usage: true}, id: newID(true)}
	s.metrics = newMetrics(&fakeEngine{}, func() int { return 0 })
	c := &choice{text: &fakeStream{}, stop: tokenizer.NewStopper(stops, false)}
	return j, bufio.NewWriter(io.Discard), newFrames(j), c
}

func TestStream_TokenFrameAllocatesNothing(t *testing.T) {
	j, w, f, c := sseStream([]string{"STOP", "\n\n\n"})
	started := true
	tokens := []engine.Token{{ID: 'a'}}
	write := func() {
		c.add("tok \"quoted\" é\n")
		c.tokens += len(tokens)
		j.timing.arrived(j.s.metrics, c, len(tokens))
		if err := j.writeChoice(w, f, c, &started); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if n := testing.AllocsPerRun(1000, write); n != 0 {
		t.Errorf("a token's frame makes %v allocations, want 0", n)
	}
}

func BenchmarkStream_TokenFrame(b *testing.B) {
	j, w, f, c := sseStream(nil)
	started := true
	b.ReportAllocs()
	for b.Loop() {
		c.add("token ")
		_ = j.writeChoice(w, f, c, &started)
	}
}
