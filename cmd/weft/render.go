package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/chat"
)

type renderCmd struct {
	modelFlags
	Messages string `arg:"" optional:"" help:"File with a JSON array of messages; - or nothing: standard input."`
	JSON     bool   `help:"Read one JSON object a line instead, with messages, tools, documents, add_generation_prompt, template, bos_token, eos_token and chat_template_kwargs; write {\"text\"} or {\"error\"} a line."`
	Prompt   bool   `default:"true" negatable:"" help:"End with the header of the model's answer."`
}

func (c *renderCmd) Run(a *app) error {
	text := &weft.Text{}
	if c.Model != "" || !c.JSON {
		src, err := c.find(a)
		if err != nil {
			return err
		}
		if text, err = weft.OpenText(src.path); err != nil {
			return err
		}
	}
	in := a.stdin
	if c.Messages != "" && c.Messages != "-" {
		f, err := os.Open(c.Messages)
		if err != nil {
			return fmt.Errorf("cannot read messages: %w", err)
		}
		defer f.Close()
		in = f
	}
	if c.JSON {
		return c.lines(a, text, in)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("cannot read messages: %w", err)
	}
	messages, err := chat.FromJSON(b)
	if err != nil {
		return fmt.Errorf("cannot read messages: %w", err)
	}
	if text.Template == nil {
		return fmt.Errorf("cannot render: %s has no chat template", c.Model)
	}
	prompt, err := text.Template.Render(chat.Input{Messages: messages, AddGenerationPrompt: c.Prompt, BOS: text.BOS, EOS: text.EOS, Now: time.Now()})
	if err != nil {
		return err
	}
	fmt.Fprint(a.stdout, prompt)
	return nil
}

// lines answers one JSON object a line.
func (c *renderCmd) lines(a *app, text *weft.Text, in io.Reader) error {
	templates := map[string]*chat.Template{}
	return eachLine(in, a.stdout, func(line []byte) any {
		prompt, err := renderLine(text, templates, line)
		if err != nil {
			return map[string]string{"error": err.Error()}
		}
		return map[string]string{"text": prompt}
	})
}

// maxTemplates bounds the parsed templates that are kept from line to line.
const maxTemplates = 256

func renderLine(text *weft.Text, templates map[string]*chat.Template, line []byte) (string, error) {
	v, err := chat.FromJSON(line)
	if err != nil {
		return "", err
	}
	in := chat.Input{BOS: text.BOS, EOS: text.EOS, Now: time.Now(), Kwargs: map[string]chat.Value{}}
	template := text.Template
	for _, field := range chat.Entries(v) {
		value := field.Value
		switch field.Key {
		case "messages":
			in.Messages = value
		case "tools":
			in.Tools = value
		case "documents":
			in.Documents = value
		case "add_generation_prompt":
			in.AddGenerationPrompt = chat.Truth(value)
		case "bos_token":
			in.BOS = chat.Text(value)
		case "eos_token":
			in.EOS = chat.Text(value)
		case "chat_template_kwargs":
			for _, kw := range chat.Entries(value) {
				in.Kwargs[kw.Key] = kw.Value
			}
		case "template":
			if template, err = parsed(templates, chat.Text(value)); err != nil {
				return "", err
			}
		default:
			return "", fmt.Errorf("unknown field %q", field.Key)
		}
	}
	if template == nil {
		return "", fmt.Errorf("no template: give one in the line or a model with --model")
	}
	return template.Render(in)
}

func parsed(templates map[string]*chat.Template, source string) (*chat.Template, error) {
	if t := templates[source]; t != nil {
		return t, nil
	}
	t, err := chat.Parse(source)
	if err != nil {
		return nil, err
	}
	if len(templates) == maxTemplates {
		clear(templates)
	}
	templates[source] = t
	return t, nil
}
