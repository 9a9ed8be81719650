package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/scheduler"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// modelFlags choose the model.
type modelFlags struct {
	Model string `short:"m" placeholder:"M" help:"Model: a Hugging Face directory, a .gguf file, or builtin, the demo model inside weft. Default: builtin."`
}

// path returns the model to open. When none is named that is the built-in one, and the user is told.
func (f *modelFlags) path(a *app) string {
	if f.Model != "" {
		return f.Model
	}
	fmt.Fprintln(a.stderr, "weft: no --model is given: this is the built-in demo model, which knows weft and small talk only. "+
		"For a real one pass --model DIRECTORY or --model FILE.gguf")
	return weft.Builtin
}

// engineFlags choose the device and the limits.
type engineFlags struct {
	modelFlags
	Load        string  `enum:"file,dummy" default:"file" help:"Where weights come from: file, or dummy for seeded random values of any config.json (benchmarks)."`
	Device      string  `default:"auto" help:"Device: auto (the first GPU, else the CPU), cpu, cuda or cuda:N."`
	Threads     int     `placeholder:"N" help:"Threads of the CPU backend. Default: all cores."`
	MaxContext  int     `placeholder:"TOKENS" help:"Tokens of one request, prompt and output. Higher: longer requests, and a larger page table. Default: the model's."`
	MaxRequests int     `placeholder:"N" help:"Requests computed at once; more wait. Higher: more throughput, slower tokens. Default: 256 on a GPU, 16 on the CPU."`
	StepTokens  int     `placeholder:"TOKENS" help:"Tokens computed in one step. Lower: a long prompt delays running requests less, and takes longer itself. Default: 8192 on a GPU, 512 on the CPU."`
	KVMemory    float64 `name:"kv-memory" default:"0.88" help:"Share of the GPU memory that is free after loading, for the KV cache. Higher: more requests at once. Too high: other programs on the GPU run out."`
	KVTokens    int     `name:"kv-tokens" placeholder:"TOKENS" help:"Size of the KV cache in tokens, instead of --kv-memory. Default on the CPU: 4 contexts, at most 65536."`
	Queue       int     `default:"512" help:"Requests that may wait. More are refused with 429."`
	Policy      string  `enum:"fcfs,lpm,priority" default:"fcfs" help:"Who is served first: fcfs (first come), lpm (longest cached prefix), priority."`
	PrefixCache bool    `default:"true" negatable:"" help:"Keep computed prefixes for later requests."`
	Overlap     bool    `default:"true" negatable:"" help:"Plan the next step while the GPU computes this one."`
}

func (f *engineFlags) options() weft.Options {
	policies := map[string]scheduler.Policy{"fcfs": scheduler.FCFS, "lpm": scheduler.LongestPrefix, "priority": scheduler.ByPriority}
	return weft.Options{
		Device: f.Device, Dummy: f.Load == "dummy", Threads: f.Threads,
		Engine: engine.Options{
			MaxContext: f.MaxContext, MaxRequests: f.MaxRequests, StepTokens: f.StepTokens, KVMemory: f.KVMemory,
			KVTokens: f.KVTokens, Queue: f.Queue, Policy: policies[f.Policy], NoCache: !f.PrefixCache, NoOverlap: !f.Overlap,
		},
	}
}

// open loads the model with a progress bar and says on the first line what runs where.
func (f *engineFlags) open(a *app) (*weft.Model, error) {
	if f.Load == "dummy" && f.Model == "" {
		return nil, usageError{errors.New("--load dummy needs --model with a directory that has a config.json")}
	}
	path := f.path(a)
	o := f.options()
	bar := newBar(a.stderr)
	o.Progress = bar.set
	start := time.Now()
	m, err := weft.Open(path, o)
	bar.done()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.stderr, "weft %s: %s on %s, %d tokens of context, KV cache of %d tokens, ready in %.2f s\n",
		version, m.Name(), m.Engine().Info().Name, m.Engine().Limit(), m.Engine().Stats().SlotsFree, time.Since(start).Seconds())
	return m, nil
}

// bar shows progress on a terminal and nothing elsewhere.
type bar struct {
	p *mpb.Progress
	b *mpb.Bar
}

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	if !ok {
		return &bar{}
	}
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return &bar{}
	}
	return &bar{p: mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))}
}

func (b *bar) set(done, total int64) {
	if b.p == nil {
		return
	}
	if b.b == nil {
		b.b = b.p.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name("loading ")),
			mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	}
	b.b.SetCurrent(done)
}

func (b *bar) done() {
	if b.b != nil {
		b.b.Abort(true)
	}
	if b.p != nil {
		b.p.Wait()
	}
}
