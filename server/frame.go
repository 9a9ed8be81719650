package server

import (
	"strconv"
)

// frames writes the SSE frames of one stream. Everything that is the same in each is prepared once, and a frame is
// appended to buf, which is reused: a token's frame costs no allocation.
type frames struct {
	chat  bool
	probs logprobWriter
	head  []byte // data: {"id":…,"choices":[
	tail  []byte // ] or ],"usage":null
	buf   []byte
}

const done = "data: [DONE]\n\n"

func newFrames(j *job) *frames {
	object := "text_completion"
	if j.req.chat {
		object = "chat.completion.chunk"
	}
	f := &frames{chat: j.req.chat, head: []byte("data: "), tail: []byte("]")}
	f.probs = logprobWriter{tokenizer: j.s.tokenizer, chat: f.chat, top: j.req.logprobs}
	f.head = append(appendHead(f.head, j, object), `,"choices":[`...)
	if j.req.usage {
		f.tail = append(f.tail, `,"usage":null`...)
	}
	f.tail = append(f.tail, "}\n\n"...)
	return f
}

// appendHead appends {"id":…,"object":…,"created":…,"model":… without the closing brace.
func appendHead(b []byte, j *job, object string) []byte {
	b = appendString(append(b, `{"id":`...), j.id)
	b = appendString(append(b, `,"object":`...), object)
	b = strconv.AppendInt(append(b, `,"created":`...), j.created.Unix(), 10)
	return appendString(append(b, `,"model":`...), j.req.model)
}

// The frames below are good until the next one is made.

// role is the first frame of a chat's choice.
func (f *frames) role(index int) []byte {
	b := f.open(index)
	b = append(b, `,"delta":{"role":"assistant","content":""},"logprobs":null`...)
	return f.close(b, "")
}

// text is a frame of text, with the log-probabilities of its tokens if there are any.
func (f *frames) text(index int, text []byte, probs []tokenProb) []byte {
	b := f.open(index)
	if f.chat {
		b = append(appendString(append(b, `,"delta":{"content":`...), text), '}')
	} else {
		b = appendString(append(b, `,"text":`...), text)
	}
	b = append(b, `,"logprobs":`...)
	return f.close(f.probs.append(b, probs), "")
}

// finish is the last frame of a choice.
func (f *frames) finish(index int, reason string) []byte {
	b := f.open(index)
	if f.chat {
		b = append(b, `,"delta":{},"logprobs":null`...)
	} else {
		b = append(b, `,"text":"","logprobs":null`...)
	}
	return f.close(b, reason)
}

// usage is the frame before [DONE] that stream_options.include_usage asks for: it has no choices.
func (f *frames) usage(u usage) []byte {
	b := append(f.buf[:0], f.head...)
	b = append(b, `],"usage":`...)
	b = append(appendUsage(b, u), "}\n\n"...)
	f.buf = b
	return b
}

func (f *frames) error(e *apiError) []byte {
	b := append(f.buf[:0], "data: "...)
	b = append(appendError(b, e), "\n\n"...)
	f.buf = b
	return b
}

func (f *frames) open(index int) []byte {
	b := append(f.buf[:0], f.head...)
	b = append(b, `{"index":`...)
	return strconv.AppendInt(b, int64(index), 10)
}

func (f *frames) close(b []byte, reason string) []byte {
	b = appendNullable(append(b, `,"finish_reason":`...), reason)
	b = append(b, '}')
	f.buf = append(b, f.tail...)
	return f.buf
}

func appendUsage(b []byte, u usage) []byte {
	b = strconv.AppendInt(append(b, `{"prompt_tokens":`...), int64(u.prompt), 10)
	b = strconv.AppendInt(append(b, `,"completion_tokens":`...), int64(u.completion), 10)
	b = strconv.AppendInt(append(b, `,"total_tokens":`...), int64(u.prompt+u.completion), 10)
	b = strconv.AppendInt(append(b, `,"prompt_tokens_details":{"cached_tokens":`...), int64(u.cached), 10)
	return append(b, `}}`...)
}
