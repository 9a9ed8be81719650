package engine

import (
	"errors"
	"fmt"
	"time"
)

// Request asks for one sequence of tokens. Tokens in, tokens out: text, templates and stop strings are the caller's.
type Request struct {
	Prompt    []int32       // not empty; the engine keeps it
	MaxTokens int           // at least 1
	Stop      []int32       // ids that end the sequence, such as EOS; the one that did is not emitted
	Sampling  Sampling      //
	Logprobs  int           // alternatives to report with each token, at most 20; -1: none, and no log-probability
	Priority  int           // higher goes first under the priority policy
	Key       string        // whose request it is, under the fair-share policy
	CacheSalt string        // requests share cached prefixes only with their own salt
	Wait      time.Duration // longest time in the queue; 0: the engine's default
	Timeout   time.Duration // longest time in all; 0: none
	Place     *Place        // of Reserve, which Submit uses up; nil: none was held
}

// Sampling says how a request's tokens are drawn. DefaultSampling is a good start.
type Sampling struct {
	Temperature float32 // 0 picks the most likely token
	TopK        int     // 0: all
	TopP        float32 // in (0,1]; 1: all
	MinP        float32 // in [0,1]; 0: all
	Repetition  float32 // > 0; 1: none
	Presence    float32
	Frequency   float32
	Seed        uint64 // the same seed and request draw the same tokens
	Bias        []Bias // at most MaxBias
}

// Bias adds Value to the logit of token ID before anything else.
type Bias struct {
	ID    int32
	Value float32
}

// MaxBias is the most logit biases that one request carries.
const MaxBias = 1024

// DefaultSampling draws from the model's own distribution.
func DefaultSampling() Sampling { return Sampling{Temperature: 1, TopP: 1, Repetition: 1} }

// Token is one generated token. Logprob and Top are set when the request asked for them.
type Token struct {
	ID      int32
	Logprob float32
	Top     []TopLogprob
}

// TopLogprob is one alternative at a position.
type TopLogprob struct {
	ID      int32
	Logprob float32
}

// Finish is why a sequence ended.
type Finish uint8

const (
	Running   Finish = iota
	Stopped          // a Stop id came
	Length           // MaxTokens reached
	Cancelled        // Cancel was called
	Failed           // Generation.Err says why
)

// Errors that Submit returns, and those that end a generation.
var (
	// ErrQueueFull means that Options.Queue requests wait already. Nothing was queued: try again later.
	ErrQueueFull = errors.New("engine: the queue is full")
	// ErrDraining means that the engine takes no new requests because it shuts down.
	ErrDraining = errors.New("engine: shutting down")
	// ErrDeadline means that the request waited, or ran, longer than it allowed.
	ErrDeadline = errors.New("engine: the request's deadline passed")
	// ErrStalled means that a step took longer than Options.Watchdog: the device hangs.
	ErrStalled = errors.New("engine: a step does not end")
	// ErrNumeric means that the model's logits for this request held a NaN or an infinity. Other requests are not affected.
	ErrNumeric = errors.New("engine: the model produced a value that is not a number")
)

// TooLongError means that the prompt and MaxTokens exceed what one request may hold.
type TooLongError struct {
	Prompt, MaxTokens, Limit int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("engine: the prompt has %d tokens and max_tokens is %d: %d in all, limit %d",
		e.Prompt, e.MaxTokens, e.Prompt+e.MaxTokens, e.Limit)
}

// DeviceError means that the device failed. Every generation ends with it and the engine takes no more requests.
type DeviceError struct{ Err error }

func (e *DeviceError) Error() string { return "engine: cannot run a step: " + e.Err.Error() }
func (e *DeviceError) Unwrap() error { return e.Err }

// RequestError means that a field of the request is out of its range.
type RequestError struct{ Field, Problem string }

func (e *RequestError) Error() string { return "engine: " + e.Field + " " + e.Problem }
