package weft

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"strings"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

// Params say how one answer is generated. The zero value draws from the model's own distribution, as long as the
// context has room.
type Params struct {
	MaxTokens   int      // default: what remains of the context
	Stop        []string // texts that end the answer; they are not part of it
	Temperature *float32 // default 1; 0 picks the most likely token each time
	TopK        int
	TopP, MinP  float32 // default: all
	Repetition  float32 // default: none
	Presence    float32
	Frequency   float32
	Seed        *uint64 // default: random
	IgnoreEOS   bool    // go on when the model would stop
	CacheSalt   string  // answers share cached prefixes only with their own salt
}

// Temperature is a helper for Params.Temperature.
func Temperature(t float32) *float32 { return &t }

// Seed is a helper for Params.Seed.
func Seed(s uint64) *uint64 { return &s }

// Generate continues prompt and returns the whole text.
func (m *Model) Generate(ctx context.Context, prompt string, p Params) (string, error) {
	return join(m.Stream(ctx, prompt, p))
}

// Stream continues prompt piece by piece; no piece ends in half a rune. Breaking off the loop, or ending ctx, cancels
// the request. An error comes last.
func (m *Model) Stream(ctx context.Context, prompt string, p Params) iter.Seq2[string, error] {
	return m.stream(ctx, prompt, p, tokenizer.EncodeOptions{AddSpecial: true})
}

func (m *Model) stream(ctx context.Context, prompt string, p Params, o tokenizer.EncodeOptions) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if m.tokenizer == nil {
			yield("", errNoTokenizer)
			return
		}
		ids, err := m.tokenizer.Encode(nil, prompt, o)
		if err != nil {
			yield("", err)
			return
		}
		g, err := m.engine.Submit(m.request(ids, p))
		if err != nil {
			yield("", err)
			return
		}
		defer g.Cancel()
		text := tokenizer.NewStopper(p.Stop, false)
		if err := read(ctx, g, m.tokenizer.NewStream(false), &text, yield); err != nil {
			yield("", err)
		}
	}
}

// read yields the text of g's tokens until g ends, a stop text comes or yield returns false.
func read(ctx context.Context, g *engine.Generation, pieces *tokenizer.Stream, stop *tokenizer.Stopper, yield func(string, error) bool) error {
	var tokens []engine.Token
	var text []byte
	for {
		var err error
		tokens, err = g.Next(ctx, tokens[:0])
		text = text[:0]
		stopped := false
		for i := 0; i < len(tokens) && !stopped; i++ {
			text, stopped = stop.Push(text, pieces.Push(tokens[i].ID))
		}
		ended := errors.Is(err, io.EOF)
		if ended {
			text, stopped = stop.Push(text, pieces.Flush())
			if !stopped {
				text = stop.Flush(text)
			}
		}
		if len(text) > 0 && !yield(string(text), nil) {
			return nil
		}
		switch {
		case ended || stopped:
			return nil
		case err != nil:
			return err
		}
	}
}

func (m *Model) request(ids []int32, p Params) engine.Request {
	r := engine.Request{Prompt: ids, MaxTokens: p.MaxTokens, Logprobs: -1, CacheSalt: p.CacheSalt, Sampling: p.sampling()}
	if r.MaxTokens == 0 {
		r.MaxTokens = max(1, m.engine.Limit()-len(ids))
	}
	if !p.IgnoreEOS {
		r.Stop = m.eos
	}
	return r
}

func (p *Params) sampling() engine.Sampling {
	s := engine.DefaultSampling()
	s.TopK, s.MinP, s.Presence, s.Frequency = p.TopK, p.MinP, p.Presence, p.Frequency
	s.Seed = rand.Uint64()
	if p.Seed != nil {
		s.Seed = *p.Seed
	}
	if p.Temperature != nil {
		s.Temperature = *p.Temperature
	}
	if p.TopP != 0 {
		s.TopP = p.TopP
	}
	if p.Repetition != 0 {
		s.Repetition = p.Repetition
	}
	return s
}

func join(pieces iter.Seq2[string, error]) (string, error) {
	var b strings.Builder
	for piece, err := range pieces {
		if err != nil {
			return b.String(), err
		}
		b.WriteString(piece)
	}
	return b.String(), nil
}
