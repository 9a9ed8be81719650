package load

import (
	"math/rand/v2"
	"strconv"
)

// conversation is what a session has said so far, in the form that its target takes.
type conversation struct {
	t        *Target
	ids      []int32 // completions with ids
	text     []byte  // completions with text
	messages []byte  // chat: JSON objects with commas between
	salt     string
	filler   *rand.Rand
	vocab    int
}

func newConversation(t *Target, system []int32, session int, vocab int) *conversation {
	c := &conversation{t: t, vocab: vocab, filler: rand.New(rand.NewPCG(uint64(session), 0x66696c6c))}
	if len(system) > 0 {
		c.say("system", system)
	}
	return c
}

// say adds what someone says, a text made of ids.
func (c *conversation) say(role string, ids []int32) {
	switch {
	case c.t.Chat:
		c.message(role, string(appendWords(nil, ids)))
	case c.t.Text:
		c.text = appendWords(c.text, ids)
	default:
		c.ids = append(c.ids, ids...)
	}
}

// answer adds the model's answer. Endpoints do not tell its token ids: a conversation of ids goes on with as many made
// up ones, the same in every run.
func (c *conversation) answer(text string, tokens int) {
	switch {
	case c.t.Chat:
		c.message("assistant", text)
	case c.t.Text:
		c.text = append(c.text, text...)
	default:
		c.ids = append(c.ids, randomIDs(c.filler, tokens, c.vocab)...)
	}
}

func (c *conversation) message(role, text string) {
	if len(c.messages) > 0 {
		c.messages = append(c.messages, ',')
	}
	c.messages = append(c.messages, `{"role":"`+role+`","content":`...)
	c.messages = appendString(c.messages, text)
	c.messages = append(c.messages, '}')
}

// body appends the request for the next answer to dst.
func (c *conversation) body(dst []byte, output int) []byte {
	dst = append(dst, `{"model":`...)
	dst = appendString(dst, c.t.Model)
	switch {
	case c.t.Chat:
		dst = append(append(append(dst, `,"messages":[`...), c.messages...), ']')
	case c.t.Text:
		dst = appendString(append(dst, `,"prompt":`...), string(c.text))
	default:
		dst = append(dst, `,"prompt":[`...)
		for i, id := range c.ids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(dst, int64(id), 10)
		}
		dst = append(dst, ']')
	}
	dst = strconv.AppendInt(append(dst, `,"max_tokens":`...), int64(output), 10)
	dst = append(dst, `,"temperature":0,"stream":true,"stream_options":{"include_usage":true}`...)
	if c.t.IgnoreEOS {
		dst = append(dst, `,"ignore_eos":true`...)
	}
	if c.salt != "" {
		dst = appendString(append(dst, `,"cache_salt":`...), c.salt)
	}
	return append(dst, '}')
}

// words are common, so that most vocabularies have each as one token.
var words = [...]string{
	"the", "of", "and", "to", "in", "is", "that", "for", "it", "was", "on", "are", "as", "with", "his", "they", "at", "be",
	"this", "from", "have", "or", "by", "one", "had", "not", "but", "what", "all", "were", "when", "we", "there", "can",
	"an", "your", "which", "their", "said", "if", "do", "will", "each", "about", "how", "up", "out", "them", "then", "she",
	"many", "some", "so", "these", "would", "other", "into", "has", "more", "her", "two", "like", "him", "see", "time",
	"could", "no", "make", "than", "first", "been", "its", "who", "now", "people", "my", "made", "over", "did", "down",
}

// appendWords appends one word for each id.
func appendWords(dst []byte, ids []int32) []byte {
	for _, id := range ids {
		dst = append(append(dst, ' '), words[int(id)%len(words)]...)
	}
	return dst
}
