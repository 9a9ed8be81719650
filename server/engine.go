package server

import (
	"context"

	"github.com/weft-llm/weft/engine"
)

// Engine is what the server needs of an engine. Submit may be called from any goroutine. Its errors are those of
// package engine: ErrQueueFull, ErrDraining, *TooLongError, *RequestError, *DeviceError.
//
// An engine that also has Stats() Stats feeds the gauges of /metrics, and one that has Err() error answers /health: a
// non-nil error means that it takes no more requests. One that has Reserve() (*engine.Place, error) is asked for a place
// before a request is even parsed: a non-nil error is what Submit would give now.
type Engine interface {
	Submit(engine.Request) (Generation, error)
}

// Generation is one sequence under way: engine.Generation, or a script in tests. See there for the contract.
type Generation interface {
	Next(ctx context.Context, dst []engine.Token) ([]engine.Token, error)
	Finish() engine.Finish
	Cached() int
	Cancel()
}

// Stats is what the engine holds at this moment.
type Stats struct {
	Running, Waiting int   // requests
	KVUsed, KVTotal  int64 // token slots
	Expected         int   // output tokens that a new request is expected to generate; 0: all it may
	Paused           int64 // times that a request was paused for want of slots, ever
}

// statser, failer and reserver are what an Engine may have besides Submit.
type (
	statser  interface{ Stats() Stats }
	failer   interface{ Err() error }
	reserver interface{ Reserve() (*engine.Place, error) }
)

// Tokenizer turns text into token ids and back. It is safe for concurrent use. NewTokenizer makes one.
type Tokenizer interface {
	// Encode returns the ids of text. With parseSpecial, text such as <|im_end|> becomes the special token; with
	// addSpecial, the tokens that the model wants around a text (BOS) are added.
	Encode(text string, parseSpecial, addSpecial bool) ([]int32, error)
	Decode(ids []int32, keepSpecial bool) string
	NewStream(keepSpecial bool) TextStream
	TokenBytes(id int32) []byte
	Size() int // ids are 0 to Size-1
}

// TextStream turns ids into text one at a time and never returns half a rune.
type TextStream interface {
	Push(id int32) string
	Flush() string
}

// Template renders a chat prompt. It is safe for concurrent use. NewTemplate makes one.
type Template interface {
	// Render takes the messages as a JSON array and kwargs as a JSON object or nil. An error is the client's: the
	// template refused the conversation or went over its limits.
	Render(messages, kwargs []byte, addGenerationPrompt bool) (string, error)
}
