package server

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// logprobWriter writes log-probabilities in the form of its endpoint. A token is its own bytes, which need not be
// UTF-8: chat gives them as numbers beside the text, completions as bytes:\xNN, which is how OpenAI does it.
type logprobWriter struct {
	tokenizer Tokenizer
	chat      bool
	top       int // alternatives per token; -1: no log-probabilities
}

// append appends the value of the member logprobs.
func (w logprobWriter) append(b []byte, probs []tokenProb) []byte {
	switch {
	case w.top < 0 || len(probs) == 0:
		return append(b, "null"...)
	case w.chat:
		return w.appendChat(b, probs)
	}
	return w.appendCompletion(b, probs)
}

func (w logprobWriter) appendChat(b []byte, probs []tokenProb) []byte {
	b = append(b, `{"content":[`...)
	for i, p := range probs {
		b = w.appendEntry(comma(b, i), p.ID, p.Logprob)
		b = append(b, `,"top_logprobs":[`...)
		for k, t := range p.Top[:min(w.top, len(p.Top))] {
			b = append(w.appendEntry(comma(b, k), t.ID, t.Logprob), '}')
		}
		b = append(b, `]}`...)
	}
	return append(b, `],"refusal":null}`...)
}

// appendEntry appends a token of a chat without the closing brace.
func (w logprobWriter) appendEntry(b []byte, id int32, logprob float32) []byte {
	text := w.tokenizer.TokenBytes(id)
	b = appendString(append(b, `{"token":`...), text)
	b = appendLogprob(append(b, `,"logprob":`...), logprob)
	b = append(b, `,"bytes":[`...)
	for i, c := range text {
		b = strconv.AppendUint(comma(b, i), uint64(c), 10)
	}
	return append(b, ']')
}

func (w logprobWriter) appendCompletion(b []byte, probs []tokenProb) []byte {
	b = append(b, `{"tokens":[`...)
	for i, p := range probs {
		b = appendString(comma(b, i), w.name(p.ID))
	}
	b = append(b, `],"token_logprobs":[`...)
	for i, p := range probs {
		b = appendLogprob(comma(b, i), p.Logprob)
	}
	b = append(b, `],"top_logprobs":`...)
	b = w.appendTops(b, probs)
	b = append(b, `,"text_offset":[`...)
	for i, p := range probs {
		b = strconv.AppendInt(comma(b, i), int64(p.rune), 10)
	}
	return append(b, `]}`...)
}

// appendTops appends one object of alternatives per token; the token that was drawn is always among them. Of two
// alternatives with the same text the more likely one stands, since a JSON object has each name once.
func (w logprobWriter) appendTops(b []byte, probs []tokenProb) []byte {
	if w.top == 0 {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, p := range probs {
		b = append(comma(b, i), '{')
		var seen []string
		add := func(id int32, logprob float32) {
			name := w.name(id)
			for _, s := range seen {
				if s == name {
					return
				}
			}
			b = appendString(comma(b, len(seen)), name)
			b = appendLogprob(append(b, ':'), logprob)
			seen = append(seen, name)
		}
		for _, t := range p.Top[:min(w.top, len(p.Top))] {
			add(t.ID, t.Logprob)
		}
		add(p.ID, p.Logprob)
		b = append(b, '}')
	}
	return append(b, ']')
}

// name is a token's text, or bytes:\xNN… when it is not UTF-8.
func (w logprobWriter) name(id int32) string {
	text := w.tokenizer.TokenBytes(id)
	if utf8.Valid(text) {
		return string(text)
	}
	var b bytes.Buffer
	b.WriteString("bytes:")
	for _, c := range text {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

// appendLogprob writes minus infinity, which JSON cannot, as -9999, as OpenAI and vLLM do.
func appendLogprob(b []byte, p float32) []byte {
	f := float64(p)
	if math.IsNaN(f) || f < -9999 {
		f = -9999
	}
	return strconv.AppendFloat(b, f, 'g', 8, 32)
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}
