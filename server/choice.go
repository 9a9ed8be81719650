package server

import (
	"context"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

// choice is one sequence of an answer: it turns tokens into text that may be sent. One goroutine uses it at a time.
type choice struct {
	index  int
	gen    Generation
	text   TextStream
	stop   tokenizer.Stopper
	out    []byte      // text that may be sent and was not
	probs  []tokenProb // of tokens not sent yet, in order; empty unless asked for
	probed bool        // log-probabilities were asked for

	made   int       // bytes of text that the tokens made
	runes  int       // runes of it
	sent   int       // bytes that were let through, sent or in out
	tokens int       // tokens that came
	reason string    // finish_reason; "" while it runs
	last   time.Time // when the last token came

	batch []engine.Token // reused by next
	ahead bool           // batch and err hold a result of Next that no one took
	err   error
}

// tokenProb is a token with its log-probability and where its text starts.
type tokenProb struct {
	engine.Token
	start, rune int
}

// peek waits for the first tokens, or the end, and keeps them for next.
func (c *choice) peek(ctx context.Context) error {
	c.batch, c.err = c.gen.Next(ctx, c.batch[:0])
	if c.err != nil && ctx.Err() != nil && errors.Is(c.err, ctx.Err()) {
		return c.err // nothing came and the generation goes on
	}
	c.ahead = true
	if errors.Is(c.err, io.EOF) {
		return nil
	}
	return c.err
}

func (c *choice) next(ctx context.Context) ([]engine.Token, error) {
	if c.ahead {
		c.ahead = false
	} else {
		c.batch, c.err = c.gen.Next(ctx, c.batch[:0])
	}
	return c.batch, c.err
}

// push takes tokens. It reports true when a stop string ended the text; the tokens after it are dropped.
func (c *choice) push(tokens []engine.Token) bool {
	for _, t := range tokens {
		c.tokens++
		if c.probed {
			c.probs = append(c.probs, tokenProb{t, c.made, c.runes})
		}
		if c.add(c.text.Push(t.ID)) {
			return true
		}
	}
	return false
}

// add lets text through the stop strings.
func (c *choice) add(text string) bool {
	c.made += len(text)
	if c.probed {
		c.runes += utf8.RuneCountInString(text)
	}
	before := len(c.out)
	var stopped bool
	c.out, stopped = c.stop.Push(c.out, text)
	c.sent += len(c.out) - before
	if stopped {
		c.reason = "stop"
		c.dropProbs()
	}
	return stopped
}

// end takes the end of the tokens: what was held back is text after all.
func (c *choice) end(f engine.Finish) {
	c.reason = "stop"
	if f == engine.Length {
		c.reason = "length"
	}
	if c.add(c.text.Flush()) {
		return // the last half rune made a stop string whole
	}
	before := len(c.out)
	c.out = c.stop.Flush(c.out)
	c.sent += len(c.out) - before
}

// dropProbs forgets the tokens of the stop string: their text is never sent.
func (c *choice) dropProbs() {
	for i, p := range c.probs {
		if p.start >= c.sent && p.start < c.made {
			c.probs = c.probs[:i]
			return
		}
	}
}

// ready returns how many of probs belong to the text that was let through: all at the end.
func (c *choice) ready() int {
	if c.reason != "" {
		return len(c.probs)
	}
	for i, p := range c.probs {
		if p.start >= c.sent {
			return i
		}
	}
	return len(c.probs)
}

// take forgets out and the first n of probs: they were sent.
func (c *choice) take(n int) {
	c.out = c.out[:0]
	c.probs = append(c.probs[:0], c.probs[n:]...)
}
