// Package weft runs large language models inside a Go program, on an NVIDIA GPU or on the CPU, with no cgo and
// nothing installed but the GPU's driver.
//
//	m, err := weft.Open("SmolLM2-135M-Instruct.Q4_1.gguf", weft.Options{})
//	...
//	defer m.Close()
//	text, err := m.Generate(ctx, "The capital of France is", weft.Params{MaxTokens: 16})
//
// A Model is safe for concurrent use: requests from many goroutines run in one batch. There is no global state; any
// number of models may be open at once.
package weft

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/builtin"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tokenizer"
)

// Options say where and how large a model runs. The zero value is a good start.
type Options struct {
	Name     string                  // what clients call the model; default: the file's or directory's name
	Device   string                  // "auto" (the first GPU, else the CPU), "cpu", "cuda" or "cuda:N"; default "auto"
	Dummy    bool                    // random weights for any directory with a config.json: for benchmarks
	Threads  int                     // of the CPU backend; default: all cores
	Engine   engine.Options          // limits of the engine
	Progress func(done, total int64) // called while weights load, with bytes; may be nil

	// DType is the type of weights, activations and the KV cache on a GPU: "bf16", "f16" or "auto", which is f16 for files of
	// F16 or quantised weights and bf16 for the others, and for Gemma and Granite, whose activations may pass 65504, where f16
	// ends; default "auto". f16 is eight times as exact, and does without the kernels for Hopper. On the CPU, which computes in
	// f32 on weights as they are stored, anything but "auto" is an error.
	DType string

	// CacheDir is where kernels that the driver compiled are kept for the next start, "off" for nowhere; default: weft in
	// os.UserCacheDir.
	CacheDir string

	// SingleKernels leaves each operation to a kernel of its own, which starts when those ahead of it have ended, on Hopper in
	// bf16: to compare.
	SingleKernels bool

	// ForceKernels takes the kernels named for operations, where they fit, instead of those that weft would choose: to compare.
	ForceKernels map[string]string

	// Deterministic makes the bits of an answer depend on its own request and seed alone, not on what else is in the batch,
	// on how the prompt is cut into steps, on what of it was cached or on pauses. On the CPU that is always so.
	Deterministic bool

	// Backend opens the device instead of Device. It is called on the thread that will use it.
	Backend func() (backend.Backend, error)
}

// Model is an open model with its engine, tokenizer and chat template.
type Model struct {
	name       string
	config     weights.Config
	checkpoint *weights.Checkpoint
	tokenizer  *tokenizer.Tokenizer // nil when the model came without one
	template   *chat.Template       // nil when the model came without one
	engine     *engine.Engine
	eos        []int32
	bytes      int64        // of weights on the device
	kernels    *ptx.Kernels // nil on the CPU
	gpu        *driver.Context
	unread     int64 // of those, what a decode step does not read: an embedding that is not also the head
}

// Builtin names the demo model inside weft where a path is asked for. A directory of that name is ./builtin.
const Builtin = "builtin"

// Open loads the model at path: a Hugging Face directory, a .gguf file or Builtin. It returns when requests can be
// served.
func Open(path string, o Options) (*Model, error) {
	c, err := openCheckpoint(path, o.Dummy)
	if err != nil {
		return nil, err
	}
	m := &Model{name: cmp.Or(o.Name, nameOf(path)), checkpoint: c, config: c.Config}
	if err := m.openText(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	m.engine, err = engine.Start(o.Engine, func() (backend.Backend, engine.Model, error) { return m.load(o) })
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return m, nil
}

func openCheckpoint(path string, dummy bool) (*weights.Checkpoint, error) {
	if dummy {
		return weights.OpenDummy(path)
	}
	return OpenWeights(path)
}

// OpenWeights opens the files of the model at path, as Open does, without loading them on a device.
func OpenWeights(path string) (*weights.Checkpoint, error) {
	if path == Builtin {
		return builtin.Open()
	}
	return weights.Open(path)
}

// load runs on the engine's goroutine, which owns the device.
func (m *Model) load(o Options) (backend.Backend, engine.Model, error) {
	b, err := openDevice(o, m.checkpoint)
	if err != nil {
		return nil, nil, err
	}
	if c, ok := b.(*cuda.Backend); ok {
		m.kernels, m.gpu = c.Kernels(), c.Context()
	}
	before := b.Info()
	d, err := model.Load(m.checkpoint, b, model.LoadOptions{MaxContext: o.Engine.MaxContext, Progress: o.Progress})
	if err != nil {
		return nil, nil, errors.Join(m.tooLarge(err, before), b.Close())
	}
	m.eos, m.bytes = m.stops(d.EOS()), d.WeightBytes()
	if !m.config.TieEmbeddings {
		m.unread = b.Info().Activation.Bytes(m.config.Vocab * m.config.Hidden)
	}
	return b, d, nil
}

// tooLarge adds to err, if it says that the device is full, what the weights need of it.
func (m *Model) tooLarge(err error, before backend.Info) error {
	if !errors.Is(err, driver.OutOfMemory) {
		return err
	}
	need := model.Inspect(m.checkpoint).WeightBytes(before.Activation)
	return fmt.Errorf("%w. The weights need %.3f GB and %s had %.3f GB free: stop what else uses it (nvidia-smi lists that), or pick a smaller model",
		err, float64(need)/1e9, before.Name, float64(before.Free)/1e9)
}

// stops joins the ids that end an answer by the model's configuration with those that its tokenizer names.
func (m *Model) stops(eos []int32) []int32 {
	all := slices.Clone(eos)
	if m.tokenizer != nil {
		all = append(all, m.tokenizer.Stops()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// openText makes the tokenizer and the template of the checkpoint. A model without them can still run on token ids.
func (m *Model) openText() (err error) {
	if m.tokenizer, err = Tokenizer(m.checkpoint); err != nil && !errors.Is(err, errNoTokenizer) {
		return err
	}
	if m.checkpoint.ChatTemplate == "" {
		return nil
	}
	if m.template, err = chat.Parse(m.checkpoint.ChatTemplate); err != nil {
		return fmt.Errorf("cannot read the chat template of %s: %w", m.name, err)
	}
	return nil
}

var errNoTokenizer = errors.New("weft: the model comes without a tokenizer")

// Tokenizer makes the tokenizer that a checkpoint carries.
func Tokenizer(c *weights.Checkpoint) (*tokenizer.Tokenizer, error) {
	switch {
	case c.TokenizerJSON != nil:
		return tokenizer.FromJSON(c.TokenizerJSON, c.TokenizerConfig)
	case c.SentencePiece != nil:
		return tokenizer.FromSentencePiece(c.SentencePiece, c.TokenizerConfig)
	case c.Metadata != nil:
		return tokenizer.FromGGUF(c.Metadata)
	}
	return nil, errNoTokenizer
}

// Close cancels what is under way and frees everything.
func (m *Model) Close() error { return errors.Join(m.engine.Close(), m.checkpoint.Close()) }

// Name returns the model's name: the file's or directory's, without its ending.
func (m *Model) Name() string { return m.name }

// Config returns the model's architecture and sizes.
func (m *Model) Config() weights.Config { return m.config }

// Engine returns the engine: token ids in, token ids out.
func (m *Model) Engine() *engine.Engine { return m.engine }

// KernelLoads tells how the GPU's kernels became ready as m opened, and why their code could not be kept for the next
// start, if so. Nothing is loaded later.
func (m *Model) KernelLoads() ([]ptx.Load, error) {
	if m.kernels == nil {
		return nil, nil
	}
	return m.kernels.Loads(), m.kernels.CacheErr()
}

// WeightBytes returns the memory that the weights take on the device.
func (m *Model) WeightBytes() int64 { return m.bytes }

func nameOf(path string) string {
	if path == Builtin {
		return builtin.Name
	}
	name := filepath.Base(filepath.Clean(path))
	return strings.TrimSuffix(name, ".gguf")
}

// StepBytes returns the bytes that one decode step of batch requests must read at least, each with context tokens in
// the cache: the weights once, and every key and value.
func (m *Model) StepBytes(batch, context int) int64 {
	c := &m.config
	kv := 2 * int64(c.Layers) * int64(c.KVHeads) * m.engine.Info().Activation.Bytes(c.HeadDim)
	return m.bytes - m.unread + int64(batch)*int64(context)*kv
}
