package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weft-llm/weft"
)

// samplingFlags say how tokens are drawn.
type samplingFlags struct {
	MaxTokens         int      `placeholder:"N" help:"Tokens to generate at most. Default: what remains of the context."`
	Temperature       float32  `default:"0.7" help:"0 picks the most likely token each time; higher is more varied."`
	TopK              int      `placeholder:"K" help:"Draw from the K most likely tokens only. Default: all."`
	TopP              float32  `default:"1" help:"Draw from the most likely tokens that together have this probability."`
	MinP              float32  `default:"0" help:"Leave out tokens less likely than this share of the most likely one."`
	RepetitionPenalty float32  `default:"1" help:"Over 1: makes tokens that occurred less likely."`
	Seed              *uint64  `placeholder:"S" help:"The same seed draws the same tokens. Default: random."`
	Stop              []string `placeholder:"TEXT" sep:"none" help:"End the answer before this text. May be given several times."`
	IgnoreEOS         bool     `name:"ignore-eos" help:"Go on when the model would stop."`
}

func (f *samplingFlags) params() weft.Params {
	return weft.Params{
		MaxTokens: f.MaxTokens, Temperature: &f.Temperature, TopK: f.TopK, TopP: f.TopP, MinP: f.MinP,
		Repetition: f.RepetitionPenalty, Seed: f.Seed, Stop: f.Stop, IgnoreEOS: f.IgnoreEOS,
	}
}

type generateCmd struct {
	engineFlags
	samplingFlags
	Prompt string `short:"p" required:"" help:"Text to continue."`
	Echo   bool   `default:"true" negatable:"" help:"Print the prompt before the answer."`
	JSON   bool   `help:"Print one JSON object with the text and the timing instead of streaming it."`
}

func (c *generateCmd) Run(a *app) error {
	m, err := c.open(a)
	if err != nil {
		return err
	}
	defer m.Close()
	if c.JSON {
		return c.runJSON(a, m)
	}
	if c.Echo {
		fmt.Fprint(a.stdout, c.Prompt)
	}
	for piece, err := range m.Stream(a.ctx, c.Prompt, c.params()) {
		if err != nil {
			fmt.Fprintln(a.stdout)
			return err
		}
		fmt.Fprint(a.stdout, piece)
	}
	fmt.Fprintln(a.stdout)
	return nil
}

func (c *generateCmd) runJSON(a *app, m *weft.Model) error {
	start := time.Now()
	text, err := m.Generate(a.ctx, c.Prompt, c.params())
	if err != nil {
		return err
	}
	out := json.NewEncoder(a.stdout)
	out.SetEscapeHTML(false)
	return out.Encode(struct {
		Model   string  `json:"model"`
		Prompt  string  `json:"prompt"`
		Text    string  `json:"text"`
		Seconds float64 `json:"seconds"`
	}{m.Name(), c.Prompt, text, time.Since(start).Seconds()})
}
