package weft

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/tokenizer"
)

// Message is one turn of a conversation.
type Message struct {
	Role    string // "system", "user" or "assistant"
	Content string
}

// ErrNoTemplate means that the model came without a chat template: use Generate with a prompt of your own.
var ErrNoTemplate = errors.New("weft: the model has no chat template")

// Chat answers a conversation and returns the whole answer.
func (m *Model) Chat(ctx context.Context, messages []Message, p Params) (string, error) {
	return join(m.ChatStream(ctx, messages, p))
}

// ChatStream answers a conversation piece by piece; see Stream.
func (m *Model) ChatStream(ctx context.Context, messages []Message, p Params) iter.Seq2[string, error] {
	prompt, err := m.Render(messages)
	if err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return m.stream(ctx, prompt, p, tokenizer.EncodeOptions{ParseSpecial: true})
}

// Render returns the prompt that the model's template makes of a conversation, ready for the model's answer.
func (m *Model) Render(messages []Message) (string, error) {
	if m.template == nil {
		return "", ErrNoTemplate
	}
	list := make([]chat.Value, len(messages))
	for i, msg := range messages {
		list[i] = chat.Map(chat.Pair{Key: "role", Value: chat.String(msg.Role)}, chat.Pair{Key: "content", Value: chat.String(msg.Content)})
	}
	prompt, err := m.template.Render(m.input(chat.List(list...)))
	if err != nil {
		return "", fmt.Errorf("cannot render the conversation: %w", err)
	}
	return prompt, nil
}

func (m *Model) input(messages chat.Value) chat.Input {
	in := chat.Input{Messages: messages, AddGenerationPrompt: true, Now: time.Now()}
	in.BOS, in.EOS = specialText(m.tokenizer)
	return in
}

// specialText returns what a template's bos_token and eos_token stand for.
func specialText(t *tokenizer.Tokenizer) (bos, eos string) {
	if t == nil {
		return "", ""
	}
	if id, ok := t.BOS(); ok {
		bos = t.Token(id)
	}
	if id, ok := t.EOS(); ok {
		eos = t.Token(id)
	}
	return bos, eos
}
