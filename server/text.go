package server

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/tokenizer"
)

// NewTokenizer makes t the server's.
func NewTokenizer(t *tokenizer.Tokenizer) Tokenizer { return modelTokenizer{t} }

type modelTokenizer struct{ *tokenizer.Tokenizer }

func (t modelTokenizer) Encode(text string, parseSpecial, addSpecial bool) ([]int32, error) {
	return t.Tokenizer.Encode(nil, text, tokenizer.EncodeOptions{ParseSpecial: parseSpecial, AddSpecial: addSpecial})
}

func (t modelTokenizer) NewStream(keepSpecial bool) TextStream {
	return t.Tokenizer.NewStream(keepSpecial)
}

// NewTemplate makes t the server's. The templates see the texts of t's BOS and EOS tokens.
func NewTemplate(t *chat.Template, tok *tokenizer.Tokenizer) Template {
	m := modelTemplate{template: t}
	if id, ok := tok.BOS(); ok {
		m.bos = tok.Token(id)
	}
	if id, ok := tok.EOS(); ok {
		m.eos = tok.Token(id)
	}
	return m
}

type modelTemplate struct {
	template *chat.Template
	bos, eos string
}

func (m modelTemplate) Render(messages, kwargs []byte, addGenerationPrompt bool) (string, error) {
	list, err := chat.FromJSON(messages)
	if err != nil {
		return "", err
	}
	in := chat.Input{Messages: list, AddGenerationPrompt: addGenerationPrompt, BOS: m.bos, EOS: m.eos}
	if kwargs != nil {
		if in.Kwargs, err = kwargValues(kwargs); err != nil {
			return "", err
		}
	}
	text, err := m.template.Render(in)
	var failed *chat.Error
	if errors.As(err, &failed) {
		if failed.Kind == "TemplateError" { // the template's own words, from raise_exception
			return "", errors.New(failed.Msg)
		}
		return "", failed
	}
	return text, err
}

// kwargValues reads the members of a JSON object.
func kwargValues(object []byte) (map[string]chat.Value, error) {
	values := map[string]chat.Value{}
	bad := eachField(jsontext.Value(object), "chat_template_kwargs", func(name string, v jsontext.Value) *apiError {
		value, err := chat.FromJSON(v)
		if err != nil {
			return invalid("chat_template_kwargs", "chat_template_kwargs.%s: %s", name, err)
		}
		values[name] = value
		return nil
	})
	if bad != nil {
		return nil, fmt.Errorf("%s", bad.message)
	}
	return values, nil
}
