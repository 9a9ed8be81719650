package engine

import (
	"context"
	"io"
	"sync"
)

// Generation is one request under way. One goroutine reads it; Cancel may be called from any.
type Generation struct {
	engine *Engine
	seq    *sequence

	mu      sync.Mutex
	ids     []int32 // arrived and not read: a reader that stops costs four bytes a token
	tokens  []Token // the same where log-probabilities were asked for; ids is empty then
	finish  Finish
	err     error
	cached  int
	arrived chan struct{} // capacity 1: tokens or the end arrived
}

// Next waits until tokens arrive and appends all that did to dst. After the last it returns io.EOF, or the error that
// ended the generation; when ctx ends first, ctx's error, and the generation goes on.
func (g *Generation) Next(ctx context.Context, dst []Token) ([]Token, error) {
	for {
		g.mu.Lock()
		if len(g.ids)+len(g.tokens) > 0 {
			for _, id := range g.ids {
				dst = append(dst, Token{ID: id})
			}
			dst = append(dst, g.tokens...)
			g.ids, g.tokens = g.ids[:0], g.tokens[:0]
			g.mu.Unlock()
			return dst, nil
		}
		finish, err := g.finish, g.err
		g.mu.Unlock()
		switch {
		case err != nil:
			return dst, err
		case finish != Running:
			return dst, io.EOF
		}
		select {
		case <-g.arrived:
		case <-ctx.Done():
			return dst, ctx.Err()
		}
	}
}

// Finish returns why the generation ended, Running if it has not.
func (g *Generation) Finish() Finish {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.finish
}

// Cached returns how many tokens of the prompt were found in the cache. It is final once a token arrived.
func (g *Generation) Cached() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cached
}

// Cancel ends the generation; its KV slots are free within one step. Calling it again, or after the end, does nothing.
func (g *Generation) Cancel() { g.engine.cancel(g.seq) }

// push hands a token to the reader, who is not woken.
func (g *Generation) push(t Token) {
	g.mu.Lock()
	if g.seq.req.Logprobs < 0 {
		g.ids = append(g.ids, t.ID)
	} else {
		g.tokens = append(g.tokens, t)
	}
	g.mu.Unlock()
}

// end closes the generation. Tokens pushed before can still be read. The first end counts.
func (g *Generation) end(f Finish, err error) {
	g.mu.Lock()
	if g.finish == Running {
		g.finish, g.err = f, err
	}
	g.mu.Unlock()
	g.wake()
}

func (g *Generation) setCached(n int) {
	g.mu.Lock()
	g.cached = n
	g.mu.Unlock()
}

func (g *Generation) wake() {
	select {
	case g.arrived <- struct{}{}:
	default:
	}
}
