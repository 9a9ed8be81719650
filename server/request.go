package server

import (
	"bytes"
	"math/rand/v2"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weft-llm/weft/engine"
)

// Bounds of one request. Those of the engine's own (biases, alternatives) are engine.MaxBias and maxLogprobs.
const (
	maxN         = 128     // choices per prompt
	maxChoices   = 512     // prompts × n
	maxStops     = 16      // stop strings, and stop token ids
	maxStopBytes = 256     // of one stop string
	maxLogprobs  = 20      // alternatives per token
	maxTokensCap = 1 << 30 // what max_tokens may say at all; the context is checked later
	maxSaltBytes = 256
	maxUserBytes = 512
)

// request is a decoded body of either endpoint. It owns its bytes.
type request struct {
	model     string
	chat      bool
	messages  []byte   // chat: the messages as the template takes them, a JSON array
	kwargs    []byte   // chat: what the template gets besides, a JSON object or nil
	prompts   []prompt // completions
	noPrompt  bool     // chat: render without the header of the assistant's turn
	noSpecial bool     // completions: do not add BOS

	maxTokens, maxCompletion int // 0: not given
	n                        int
	logprobs                 int // alternatives per token; -1: no log-probabilities
	topLogprobs              int // chat: top_logprobs; -1: not given
	sampling                 engine.Sampling
	seeded                   bool
	stop                     []string
	stopIDs                  []int32
	salt                     string
	user                     string // "": the client's address stands for it

	stream, streamOptions, usage     bool
	ignoreEOS, keepSpecial, keepStop bool
	echo                             bool
	vocabulary                       int // token ids in the body are below it
	bestOf                           int // completions: 0: not given

	place *engine.Place // held until it is submitted
}

// prompt is one prompt of a completion: text, or token ids when the client had them already.
type prompt struct {
	text string
	ids  []int32
}

// newRequest has the defaults of every field.
func (s *Server) newRequest(chat bool) *request {
	return &request{
		chat: chat, model: s.model.Name, n: 1, logprobs: -1, topLogprobs: -1,
		sampling: s.model.Sampling, vocabulary: s.tokenizer.Size(),
	}
}

// promptParam is the field that holds the prompt, and maxTokensParam the one that bounded the answer: for errors.
func (r *request) promptParam() string {
	if r.chat {
		return "messages"
	}
	return "prompt"
}

func (r *request) maxTokensParam() string {
	if r.maxCompletion > 0 {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

// limit returns the max_tokens that the client asked for, 0 if none.
func (r *request) limit() int { return max(r.maxTokens, r.maxCompletion) }

// decode reads the body of a request to generate.
func (r *request) decode(body []byte, table fields) *apiError {
	if bad := r.read(body, table); bad != nil {
		return bad
	}
	if !r.seeded {
		r.sampling.Seed = rand.Uint64()
	}
	return r.check()
}

// read reads body into r by the table of fields. Absent and null mean the same for every field: its default.
func (r *request) read(body []byte, table fields) *apiError {
	if bad := parseBody(body); bad != nil {
		return bad
	}
	return eachField(jsontext.Value(bytes.TrimSpace(body)), "body", func(name string, v jsontext.Value) *apiError {
		read, known := table[name]
		switch {
		case !known:
			return unknownField(name)
		case isNull(v):
			return nil
		}
		return read(r, v, name)
	})
}

// check looks at what only several fields together can break.
func (r *request) check() *apiError {
	switch {
	case r.chat && r.messages == nil:
		return invalid("messages", "messages is missing.")
	case !r.chat && r.prompts == nil:
		return invalid("prompt", "prompt is missing.")
	case r.streamOptions && !r.stream:
		return invalid("stream_options", "stream_options is only allowed with stream set to true.")
	case r.maxTokens > 0 && r.maxCompletion > 0 && r.maxTokens != r.maxCompletion:
		return invalid("max_tokens", "max_tokens is %d and max_completion_tokens is %d: give one of them.",
			r.maxTokens, r.maxCompletion)
	case r.topLogprobs >= 0 && r.logprobs < 0:
		return invalid("top_logprobs", "top_logprobs is only allowed with logprobs set to true.")
	case r.bestOf > 0 && r.bestOf != r.n:
		return invalid("best_of", "best_of must equal n: this server returns every sequence that it draws.")
	case r.echo && r.logprobs >= 0:
		return unsupported("echo", "log-probabilities of the prompt are not computed")
	case len(r.prompts)*r.n > maxChoices:
		return invalid("n", "prompt has %d entries and n is %d: %d sequences in all, limit %d.",
			len(r.prompts), r.n, len(r.prompts)*r.n, maxChoices)
	}
	if r.topLogprobs >= 0 {
		r.logprobs = r.topLogprobs
	}
	return nil
}

// engineRequest is the request for choice i of a prompt. Choice 0 draws with the request's own seed, the others with
// seeds that follow from it.
func (r *request) engineRequest(ids []int32, i int) engine.Request {
	q := engine.Request{
		Prompt: ids, Sampling: r.sampling, Logprobs: r.logprobs, CacheSalt: r.salt, Stop: r.stopIDs, Key: r.user,
		Place: r.place,
	}
	q.Sampling.Seed += uint64(i) * 0x9e3779b97f4a7c15 // 2^64 / golden ratio: neighbours get far apart
	return q
}
