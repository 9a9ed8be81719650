// Package chat turns conversations into prompts by the model's own chat template.
package chat

import (
	"fmt"
	"time"

	"github.com/weft-llm/weft/chat/jinja"
)

// Value is what templates work on: a closed set of none, booleans, numbers, strings, lists and ordered maps.
// A Value never changes, so it may be shared between goroutines.
type Value = jinja.Value

// The kinds of Value that have no parts. Lists and maps are made by List and Map.
type (
	None   = jinja.None
	Bool   = jinja.Bool
	Int    = jinja.Int
	Float  = jinja.Float
	String = jinja.String
	Pair   = jinja.Pair
)

// Error tells where in a template something failed, and why; errors.As finds it in what Parse and Render return.
type Error = jinja.Error

// List makes a list. It keeps items: do not change them afterwards. A nil item is None.
func List(items ...Value) Value { return jinja.List(items...) }

// Map makes an ordered map. A later pair with the same key replaces the value and keeps the place of the first.
func Map(pairs ...Pair) Value { return jinja.Map(pairs...) }

// Items gives the items of a list, which must not be changed, and nil for any other Value.
func Items(v Value) []Value { return jinja.Items(v) }

// Entries gives the entries of a map, in order, and nil for any other Value.
func Entries(v Value) []Pair { return jinja.Entries(v) }

// Template is a parsed chat template. It never changes and may render in many goroutines at once.
type Template struct{ t *jinja.Template }

// Parse reads a template of at most 1 MiB. Its errors wrap an *Error with line and cause.
func Parse(source string) (*Template, error) {
	t, err := jinja.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("cannot parse chat template: %w", err)
	}
	return &Template{t}, nil
}

// Input is what a template sees. A nil Value is None, as where transformers gets no tools or documents.
type Input struct {
	Messages            Value
	Tools               Value
	Documents           Value
	AddGenerationPrompt bool
	BOS, EOS            string           // bos_token and eos_token; empty: the template finds them undefined
	Kwargs              map[string]Value // more variables; they win over those above
	Now                 time.Time        // for strftime_now; zero: the time of the call
}

// Render gives the prompt. It takes at most a million steps and makes at most 4 MiB of text; past that, and for
// anything that fails in the template, the error wraps an *Error. A message that the template itself raises is the Msg
// of one whose Kind is TemplateError.
func (t *Template) Render(in Input) (string, error) {
	vars := map[string]Value{
		"messages":              in.Messages,
		"tools":                 in.Tools,
		"documents":             in.Documents,
		"add_generation_prompt": Bool(in.AddGenerationPrompt),
	}
	if in.BOS != "" {
		vars["bos_token"] = String(in.BOS)
	}
	if in.EOS != "" {
		vars["eos_token"] = String(in.EOS)
	}
	for k, v := range in.Kwargs {
		vars[k] = v
	}
	now := in.Now
	if now.IsZero() {
		now = time.Now()
	}
	text, err := t.t.Render(vars, now)
	if err != nil {
		return "", fmt.Errorf("cannot render chat template: %w", err)
	}
	return text, nil
}
