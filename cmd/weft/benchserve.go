package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/weft-llm/weft/bench/load"
)

// targetFlags name an endpoint and how it is spoken to.
type targetFlags struct {
	URL       string        `name:"url" default:"http://127.0.0.1:8000" help:"The endpoint, up to /v1. Any server that speaks OpenAI's API."`
	APIKey    string        `name:"api-key" placeholder:"KEY" help:"Sent as bearer token."`
	Model     string        `short:"m" placeholder:"NAME" help:"The model's name there. Default: the first that the endpoint lists."`
	API       string        `name:"api" enum:"completions,chat" default:"completions" help:"Endpoint to use. chat: prompts are words, and conversations go on with the real answers."`
	Prompt    string        `enum:"ids,text" default:"ids" help:"Prompts of completions: ids (exact lengths; weft, vLLM and SGLang take them) or text (one common word for each token)."`
	Vocab     int           `default:"10000" help:"Random token ids are below this; it must not exceed the model's vocabulary."`
	IgnoreEOS bool          `name:"ignore-eos" default:"true" negatable:"" help:"Ask for answers of full length with ignore_eos, which weft, vLLM and SGLang know. Others may refuse it."`
	Timeout   time.Duration `default:"10m" help:"Longest time of one request."`
	Seed      uint64        `placeholder:"N" help:"Of random lengths, ids and arrivals. Default: another one each time, which is printed; a prompt that was sent before may be found in a cache."`
	JSON      string        `name:"json" placeholder:"FILE" help:"Also write figures as JSON; serve adds every request."`
}

// connect makes the target, checks that it answers and picks a seed.
func (f *targetFlags) connect(a *app, url string) (*load.Target, error) {
	t := &load.Target{
		URL: url, Key: f.APIKey, Model: f.Model, Chat: f.API == "chat", Text: f.Prompt == "text",
		IgnoreEOS: f.IgnoreEOS, Timeout: f.Timeout,
	}
	t.Connect()
	if f.Seed == 0 {
		f.Seed = 1 + rand.Uint64N(1e9)
	}
	if err := t.FindModel(a.ctx); err != nil {
		t.Close()
		return nil, err
	}
	fmt.Fprintf(a.stderr, "weft: %s at %s, seed %d\n", t.Model, t.URL, f.Seed)
	return t, nil
}

// create writes a file of results; an empty name writes nothing.
func create(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("cannot write results: %w", err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	return f.Close()
}

func writeJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(v)
	}
}

type benchServeCmd struct {
	targetFlags
	System      int         `default:"0" help:"Tokens of a system prompt that all prompts begin with."`
	Users       int         `default:"64" help:"Conversations."`
	Turns       int         `default:"1" help:"Turns of each; one is sent when the one before has been answered. 1: single requests."`
	Input       load.Range  `default:"100-1024" help:"Tokens that each turn adds: a number, or a range to draw from."`
	Output      load.Range  `default:"100-1024" help:"Tokens of each answer."`
	Rate        float64     `xor:"arrivals" placeholder:"N" help:"Poisson arrivals: conversations that begin in a second on average, however slow answers are."`
	Burst       bool        `xor:"arrivals" help:"All conversations begin at once. The default."`
	Concurrency int         `xor:"arrivals" placeholder:"N" help:"So many conversations at a time; the next begins when one ends."`
	Trace       string      `xor:"arrivals" placeholder:"FILE" help:"Replay a trace of Qwen's format: JSON lines with timestamp, input_length, output_length and hash_ids, from which shared prefixes are made."`
	TraceScale  float64     `default:"1" help:"Multiplies the times between a trace's requests. 0.5: twice as fast."`
	TraceLimit  int         `placeholder:"N" help:"Only the first N requests of the trace."`
	MaxContext  int         `placeholder:"TOKENS" help:"Leave out requests of the trace that are longer, in and out together. How many is reported."`
	Goodput     load.Limits `placeholder:"LIMITS" help:"Limits that a request must keep to count, such as ttft:500ms,itl:50ms. ttft: first token; itl: 99th percentile between its tokens; tpot: mean time of a token; e2e: last token."`
	Plot        string      `placeholder:"FILE" help:"Also draw the distributions as SVG."`
}

func (c *benchServeCmd) Run(a *app) error {
	t, err := c.connect(a, c.URL)
	if err != nil {
		return err
	}
	defer t.Close()
	w, err := c.load()
	if err != nil {
		return err
	}
	r := load.Run(a.ctx, t, w, load.Options{Concurrency: c.Concurrency, Vocab: c.Vocab})
	s := r.Summarize(c.Goodput)
	s.WriteText(a.stdout)
	command := "weft " + strings.Join(withoutKey(a.args), " ")
	if err := create(c.JSON, func(f io.Writer) error { return r.WriteJSON(f, command, s) }); err != nil {
		return err
	}
	if err := create(c.Plot, func(f io.Writer) error { return r.WriteSVG(f, command) }); err != nil {
		return err
	}
	if s.Answered == 0 {
		return fmt.Errorf("no request was answered: %s", cmp.Or(firstError(r), "none was sent"))
	}
	return a.ctx.Err()
}

func (c *benchServeCmd) load() (*load.Workload, error) {
	if c.Trace == "" {
		w := load.Synthetic(load.Shape{Users: c.Users, Turns: c.Turns, System: c.System, Input: c.Input, Output: c.Output, Vocab: c.Vocab, Seed: c.Seed})
		if c.Rate > 0 {
			w.Poisson(c.Rate, c.Seed)
		}
		return w, nil
	}
	f, err := os.Open(c.Trace)
	if err != nil {
		return nil, fmt.Errorf("cannot read the trace: %w", err)
	}
	defer f.Close()
	return load.ReadTrace(f, load.TraceOptions{Limit: c.TraceLimit, Scale: c.TraceScale, MaxContext: c.MaxContext, Vocab: c.Vocab})
}

func firstError(r *load.Report) string {
	for _, q := range r.Results {
		if q.Error != "" {
			return q.Detail
		}
	}
	return ""
}

// withoutKey is args with the key's value left out: they are written to files.
func withoutKey(args []string) []string {
	out := append([]string(nil), args...)
	for i, arg := range out {
		if strings.HasPrefix(arg, "--api-key=") {
			out[i] = "--api-key=…"
		} else if i > 0 && out[i-1] == "--api-key" {
			out[i] = "…"
		}
	}
	return out
}

type interferenceCmd struct {
	targetFlags
	Decoders int `default:"32" help:"Requests that generate."`
	Input    int `default:"512" help:"Tokens of their prompts."`
	Output   int `default:"1024" help:"Tokens that each generates; the long prompt must be computed within that time."`
	Warm     int `default:"64" help:"The long prompt is sent when each has generated this many."`
	Long     int `default:"16384" help:"Tokens of the long prompt."`
}

func (c *interferenceCmd) Run(a *app) error {
	if c.Warm < 1 || c.Warm >= c.Output || c.Decoders < 1 {
		return usageError{fmt.Errorf("--warm is %d and --output %d with %d --decoders: want 1 ≤ warm < output", c.Warm, c.Output, c.Decoders)}
	}
	t, err := c.connect(a, c.URL)
	if err != nil {
		return err
	}
	defer t.Close()
	x, err := load.Interfere(a.ctx, t, load.Disturbance{
		Decoders: c.Decoders, Prompt: c.Input, Output: c.Output, Warm: c.Warm, Long: c.Long, Vocab: c.Vocab, Seed: c.Seed,
	})
	if err != nil {
		return err
	}
	x.WriteText(a.stdout)
	return create(c.JSON, writeJSON(x))
}

type prefixCmd struct {
	targetFlags
	System      int        `default:"1024" help:"Tokens of a system prompt that all prompts begin with."`
	Users       int        `default:"64" help:"Conversations."`
	Turns       int        `default:"8" help:"Turns of each; one is sent when the one before has been answered."`
	Input       load.Range `default:"64-256" help:"Tokens that each turn adds: a number, or a range to draw from."`
	Output      load.Range `default:"64" help:"Tokens of each answer."`
	OffURL      string     `name:"off-url" placeholder:"URL" help:"An endpoint whose prefix cache is off (weft: --no-prefix-cache). Default: --url with a cache_salt for each request, so that it finds nothing in its cache."`
	Concurrency int        `placeholder:"N" help:"So many conversations at a time. Default: all at once."`
}

func (c *prefixCmd) Run(a *app) error {
	on, err := c.connect(a, c.URL)
	if err != nil {
		return err
	}
	defer on.Close()
	salted := *on
	salted.Salts = true
	off := &salted
	if c.OffURL != "" {
		if off, err = c.connect(a, c.OffURL); err != nil {
			return err
		}
		defer off.Close()
	}
	w := load.Synthetic(load.Shape{Users: c.Users, Turns: c.Turns, System: c.System, Input: c.Input, Output: c.Output, Vocab: c.Vocab, Seed: c.Seed})
	o := load.Options{Concurrency: c.Concurrency, Vocab: c.Vocab}
	x := load.Compare(load.Run(a.ctx, off, w, o), load.Run(a.ctx, on, w, o))
	x.WriteText(a.stdout)
	if err := create(c.JSON, writeJSON(x)); err != nil {
		return err
	}
	if x.Compared == 0 {
		return fmt.Errorf("no request was answered in both runs")
	}
	return a.ctx.Err()
}

type overloadCmd struct {
	targetFlags
	Requests int `default:"2000" help:"Requests sent at the same moment, each on a connection that is open already."`
	Input    int `default:"16" help:"Tokens of their prompts."`
	Output   int `default:"64" help:"Tokens of each answer."`
	Rounds   int `default:"3" help:"Floods, one after the other."`
	Probes   int `default:"101" help:"Single requests before and after, for the time to first token."`
}

func (c *overloadCmd) Run(a *app) error {
	if c.Requests < 1 || c.Probes < 1 || c.Rounds < 1 {
		return usageError{fmt.Errorf("--requests is %d, --rounds %d and --probes %d: want at least 1 of each", c.Requests, c.Rounds, c.Probes)}
	}
	t, err := c.connect(a, c.URL)
	if err != nil {
		return err
	}
	defer t.Close()
	f := load.Flood{Requests: c.Requests, Prompt: c.Input, Output: c.Output, Rounds: c.Rounds, Probes: c.Probes, Vocab: c.Vocab, Seed: c.Seed}
	x, err := f.Run(a.ctx, t)
	if err != nil {
		return err
	}
	x.WriteText(a.stdout)
	return create(c.JSON, writeJSON(x))
}
