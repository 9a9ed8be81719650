package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/scheduler"
	"github.com/weft-llm/weft/tensor"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// modelFlags choose the model.
type modelFlags struct {
	Model string `short:"m" placeholder:"M" help:"Model: a Hugging Face directory, a .gguf file, hf://owner/name[@revision][:file-or-quantisation], which is downloaded into the Hugging Face cache if it is not there, or builtin, the demo model inside weft. Default: builtin."`
}

// find returns where the model is, on this machine; one from a Hub is fetched first if need be. When none is named it
// is the built-in one, and the user is told.
func (f *modelFlags) find(a *app) (source, error) {
	if f.Model != "" {
		return findModel(a, f.Model)
	}
	fmt.Fprintln(a.stderr, "weft: no --model is given: this is the built-in demo model, which knows weft and small talk only. "+
		"For a real one pass --model with a directory, a .gguf file or hf://owner/name")
	return source{path: weft.Builtin}, nil
}

// engineFlags choose the device and the limits.
type engineFlags struct {
	modelFlags
	Load           string        `enum:"file,dummy" default:"file" help:"Where weights come from: file, or dummy for seeded random values of any config.json (benchmarks)."`
	Device         string        `default:"auto" help:"Device: auto (the first GPU, else the CPU), cpu, cuda or cuda:N."`
	DType          string        `name:"dtype" enum:"auto,bf16,f16" default:"auto" help:"Type of weights, activations and the KV cache on a GPU: bf16, f16, or auto, which is f16 for files of F16 or quantised weights and bf16 for the others, and for Gemma and Granite, whose activations may pass 65504, where f16 ends. f16 is eight times as exact, and does without the kernels for Hopper; what that costs there was not measured. On the CPU, which computes in f32, only auto."`
	Threads        int           `placeholder:"N" help:"Threads of the CPU backend. Default: all cores."`
	MaxContext     int           `placeholder:"TOKENS" help:"Tokens of one request, prompt and output. Higher: longer requests, and a larger page table. Default: the model's."`
	MaxRequests    int           `placeholder:"N" help:"Requests computed at once; more wait. Higher: more throughput, slower tokens. Default: 256 on a GPU, 16 on the CPU."`
	StepTokens     int           `placeholder:"TOKENS" help:"Tokens computed in one step. Lower: a long prompt delays running requests less, and takes longer itself. Default: 8192 on a GPU, 512 on the CPU."`
	MixedTokens    int           `placeholder:"TOKENS" help:"Tokens of prompts computed in a step that also generates. Lower: a long prompt delays running requests less, and takes longer itself. Default: no limit but --step-tokens."`
	DecodeSlowdown float64       `placeholder:"TIMES" help:"Longest that prompts may make a step that also generates, in times of one that only generates, such as 2: their tokens are fitted to it, but at least 16 a step. Lower: a long prompt delays running requests less, and takes longer itself. Default: no limit."`
	KVMemory       float64       `name:"kv-memory" default:"0.88" help:"Share of the GPU memory that is free after loading, for the KV cache. Higher: more requests at once. Too high: other programs on the GPU run out."`
	KVTokens       int           `name:"kv-tokens" placeholder:"TOKENS" help:"Size of the KV cache in tokens, instead of --kv-memory. Default on the CPU: 4 contexts, at most 65536."`
	Queue          int           `default:"512" help:"Requests that may wait. More are refused with 429."`
	Policy         string        `enum:"fcfs,lpm,fair" default:"fcfs" help:"Who is served first: fcfs (first come), lpm (longest cached prefix), fair (the client that was served least: by the field user, else by address)."`
	Expect         int           `default:"0" placeholder:"TOKENS" help:"Output tokens that a request is expected to generate; 0: as recent ones did, -1: all it may. Lower: more requests at once, and the newest are paused when it was too few."`
	Watchdog       time.Duration `placeholder:"60s" help:"Longest time of a step; a device that takes longer is taken for hung, and serving ends. Default: 60s on a GPU, 10m on the CPU."`
	PrefixCache    bool          `default:"true" negatable:"" help:"Keep computed prefixes for later requests."`
	Overlap        bool          `default:"true" negatable:"" help:"Plan the next step while the GPU computes this one."`

	Deterministic  bool              `help:"The same request with the same seed gives the same bytes, alone or among others, however its prompt is cut, whatever of it was cached. On a GPU it costs speed, most where few tokens are computed at once, and is refused where a context can outgrow an attention window. On the CPU it is always so."`
	OverlapKernels bool              `default:"true" negatable:"" help:"Start kernels before those ahead of them have ended, and take kernels that do several operations where they are faster (Hopper, in bf16)."`
	ForceKernel    map[string]string `hidden:"" placeholder:"OP=NAME" help:"Kernel to take for an operation instead of the one that weft chooses, such as attend_decode=attend_decode_sm90; weft bench kernels --variants lists them."`
	CacheDir       string            `placeholder:"DIR" help:"Where kernels that the driver compiled are kept for the next start; off: nowhere. GPUs of compute capability 8.x and 9.0 need none. Default: weft in the user's cache directory."`
}

func (f *engineFlags) options() weft.Options {
	policies := map[string]scheduler.Policy{"fcfs": scheduler.FCFS, "lpm": scheduler.LongestPrefix, "fair": scheduler.FairShare}
	return weft.Options{
		Device: f.Device, DType: f.DType, Dummy: f.Load == "dummy", Threads: f.Threads, SingleKernels: !f.OverlapKernels, ForceKernels: f.ForceKernel, Deterministic: f.Deterministic, CacheDir: f.CacheDir,
		Engine: engine.Options{
			MaxContext: f.MaxContext, MaxRequests: f.MaxRequests, StepTokens: f.StepTokens, MixedTokens: f.MixedTokens, DecodeSlowdown: f.DecodeSlowdown, KVMemory: f.KVMemory,
			KVTokens: f.KVTokens, Queue: f.Queue, Policy: policies[f.Policy], NoCache: !f.PrefixCache, NoOverlap: !f.Overlap,
			Watchdog: f.Watchdog, Expect: f.Expect,
		},
	}
}

// open loads the model with a progress bar and says on the first line what runs where.
func (f *engineFlags) open(a *app) (*weft.Model, error) {
	if f.Load == "dummy" && f.Model == "" {
		return nil, usageError{errors.New("--load dummy needs --model with a directory that has a config.json")}
	}
	if f.DecodeSlowdown != 0 && f.DecodeSlowdown <= 1 {
		return nil, usageError{fmt.Errorf("--decode-slowdown is %g, want more than 1: a step that also computes prompts takes longer than one that does not", f.DecodeSlowdown)}
	}
	src, err := f.find(a)
	if err != nil {
		return nil, err
	}
	o := f.options()
	o.Name = src.name
	o.Backend = a.backend
	bar := newBar(a.stderr, "loading")
	o.Progress = bar.set
	start := time.Now()
	m, err := weft.Open(src.path, o)
	bar.done()
	if err != nil {
		return nil, err
	}
	where := m.Engine().Info().Name
	if t := m.Engine().Info().Activation; t != tensor.F32 { // a GPU's, which --dtype chooses
		where += " in " + t.String()
	}
	fmt.Fprintf(a.stderr, "weft %s: %s on %s, %d tokens of context, KV cache of %d tokens, ready in %.2f s\n",
		version, m.Name(), where, m.Engine().Limit(), m.Engine().Slots(), time.Since(start).Seconds())
	loads, _ := m.KernelLoads()
	fmt.Fprint(a.stderr, refusedNote(loads))
	return m, nil
}

// refusedNote says that the driver would not take the machine code of kernels, and compiled them; "" where it took all.
func refusedNote(loads []ptx.Load) string {
	refused := slices.DeleteFunc(loads, func(l ptx.Load) bool { return l.Refused == nil })
	if len(refused) == 0 {
		return ""
	}
	return fmt.Sprintf("weft: %d of the kernels' files were compiled by the driver, which can make them slower: %v\n", len(refused), refused[0].Refused)
}

// bar shows progress on a terminal and nothing elsewhere.
type bar struct {
	label string
	p     *mpb.Progress
	b     *mpb.Bar
}

func newBar(w io.Writer, label string) *bar {
	f, ok := w.(*os.File)
	if !ok {
		return &bar{}
	}
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return &bar{}
	}
	return &bar{label: label, p: mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))}
}

func (b *bar) set(done, total int64) {
	if b.p == nil {
		return
	}
	if b.b == nil {
		b.b = b.p.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(b.label+" ")),
			mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f")))
	}
	b.b.SetTotal(total, false)
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
