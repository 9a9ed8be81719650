// Package bench measures an engine: offline throughput, decode steps and time to first token, under the workloads that
// other engines publish figures for.
package bench

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weft-llm/weft/engine"
)

// Throughput is how fast a whole workload ran.
type Throughput struct {
	Requests, Input, Output int
	Wall                    time.Duration
}

// PerSecond returns output tokens a second.
func (t Throughput) PerSecond() float64 { return float64(t.Output) / t.Wall.Seconds() }

// Run submits all jobs at once and waits until every one has all its tokens. The queue must hold them.
func Run(ctx context.Context, e *engine.Engine, jobs []Job, temperature float32) (Throughput, error) {
	t := Throughput{Requests: len(jobs)}
	start := time.Now()
	gens := make([]*engine.Generation, len(jobs))
	for i, j := range jobs {
		g, err := e.Submit(request(j, temperature, uint64(i)))
		if err != nil {
			return t, err
		}
		defer g.Cancel()
		gens[i] = g
		t.Input += len(j.Prompt)
	}
	var tokens []engine.Token
	for _, g := range gens {
		for {
			var err error
			tokens, err = g.Next(ctx, tokens[:0])
			t.Output += len(tokens)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return t, err
			}
		}
	}
	t.Wall = time.Since(start)
	return t, nil
}

func request(j Job, temperature float32, seed uint64) engine.Request {
	s := engine.DefaultSampling()
	s.Temperature, s.Seed = temperature, seed
	return engine.Request{Prompt: j.Prompt, MaxTokens: j.Output, Sampling: s, Logprobs: -1}
}

// Step is the time of one decode step of a batch.
type Step struct {
	Batch, Prompt, Output int
	Step                  time.Duration   // median over the rounds
	Rounds                []time.Duration // each: (time of all tokens - time of the first) / (tokens - 1)
}

// Decode measures decode steps: batch prompts of prompt tokens, output tokens each, greedy.
func Decode(ctx context.Context, e *engine.Engine, batch, prompt, output, rounds int) (Step, error) {
	s := Step{Batch: batch, Prompt: prompt, Output: output}
	if _, err := Run(ctx, e, same(e, batch, prompt, 8), 0); err != nil {
		return s, err
	}
	for range rounds {
		one, err := Run(ctx, e, same(e, batch, prompt, 1), 0)
		if err != nil {
			return s, err
		}
		all, err := Run(ctx, e, same(e, batch, prompt, output), 0)
		if err != nil {
			return s, err
		}
		s.Rounds = append(s.Rounds, (all.Wall-one.Wall)/time.Duration(output-1))
	}
	s.Step = median(s.Rounds)
	return s, nil
}

// FirstToken is the time from submitting one prompt to its first token.
type FirstToken struct {
	Prompt int
	TTFT   time.Duration // median over the rounds
	Rounds []time.Duration
}

// First computes one prompt and its first token, with nothing warmed up before.
func First(ctx context.Context, e *engine.Engine, prompt int) (time.Duration, error) {
	t, err := Run(ctx, e, same(e, 1, prompt, 1), 0)
	return t.Wall, err
}

// Prefill measures the time to first token of one prompt on an idle engine.
func Prefill(ctx context.Context, e *engine.Engine, prompt, rounds int) (FirstToken, error) {
	f := FirstToken{Prompt: prompt}
	for i := range rounds + 2 {
		t, err := Run(ctx, e, same(e, 1, prompt, 1), 0)
		if err != nil {
			return f, err
		}
		if i >= 2 { // the first two warm up
			f.Rounds = append(f.Rounds, t.Wall)
		}
	}
	f.TTFT = median(f.Rounds)
	return f, nil
}

// same makes batch jobs of one size with fresh random prompts, so that no prefix is found in the cache.
func same(e *engine.Engine, batch, prompt, output int) []Job {
	jobs := make([]Job, batch)
	for i := range jobs {
		jobs[i] = Job{Prompt: make([]int32, prompt), Output: output}
		for j := range jobs[i].Prompt {
			jobs[i].Prompt[j] = rand.Int32N(int32(e.Vocab()))
		}
	}
	return jobs
}

func median(d []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[len(s)/2]
}
