// Package backend declares the operations that a model is made of. A model calls them and does not know where it
// runs; backend/cpu and backend/cuda implement them, and backendtest holds both to one conformance suite.
//
// T is the number of tokens in a step, B of requests, S of requests to sample, H the hidden size, D the head size and
// V the vocabulary. Activations have the backend's own type (Info.Activation); logits are f32.
package backend

import (
	"time"

	"github.com/weft-llm/weft/tensor"
)

// Backend runs one model on one device. Its methods are called by one goroutine, locked to its OS thread, unless
// their doc says otherwise.
type Backend interface {
	Loader
	Kernels

	// Info describes the device.
	Info() Info

	// Plan runs forward on a batch of the largest shape that limits allow, launching nothing, and reserves what the
	// step needs: activations, step inputs, sampling workspace. Call it once, after loading and before AllocKV.
	Plan(limits Limits, forward func(b *Batch) tensor.View) error

	// AllocKV reserves the KV cache and the page table. KVBytes tells in advance what spec takes.
	AllocKV(spec KVSpec) error
	KVBytes(spec KVSpec) int64

	// Begin uploads s and resets the activation arena. The batch is valid until the next Begin but one.
	Begin(s *Step) (*Batch, error)

	// Run enqueues forward and the sampling of its logits. A backend may record the launches of a pure decode batch
	// once and replay them for later batches of the same padded size, then forward is not called.
	Run(b *Batch, forward func(b *Batch) tensor.View) error

	// Collect waits until b is done and fills r. It may be called for step N while step N+1 runs; each step is
	// collected once, in order.
	Collect(b *Batch, r *Result) error

	// Close frees everything. Views and weights of this backend are dead after it.
	Close() error
}

// Timer is what a Backend may be besides: it knows when its device worked.
type Timer interface {
	// StepTime returns when the device began with the forward pass of b and when it had b's results ready, on the
	// device's own clock, which starts with the first step. Uploads may come before the begin. Call it once for each step,
	// in order, after Collect and before the next Begin.
	StepTime(b *Batch) (began, ended time.Duration, err error)
}

// Info describes a backend's device.
type Info struct {
	Name       string       // "cpu (2 threads, avx512)", "NVIDIA H200"
	Driver     string       // version of the driver, "" without one
	Activation tensor.DType // type of activations, of the residual stream and of the KV cache
	Free       int64        // bytes of memory that are free now
	Total      int64        // bytes of memory in all
	Bandwidth  float64      // bytes a second that the memory can be read at, by the device's data; 0 if unknown
	Async      bool         // Run returns before the work is done, so that planning the next step can overlap it
}

// Limits bound every step.
type Limits struct {
	Tokens     int // T at most
	Requests   int // B at most; also the rows of the page table
	MaxContext int // tokens of one request at most
	Cached     int // entries of Step.Cached at most
	Vocab      int // V
}

// KVSpec is the shape of the KV cache. Slot 0 is the padding slot: Slots counts it.
type KVSpec struct {
	Layers, KVHeads, HeadDim, Slots int
}

// Kernels are the operations of a forward pass. Each enqueues its work and returns at once with views of the result,
// which live until the next Begin, or until Layer recycles them. The first failure sticks: later operations do
// nothing and Err returns it.
type Kernels interface {
	// Layer marks the start of layer i. Results of layer i-2 are recycled; those of Embed live on.
	Layer(i int)

	// Embed returns rows b.IDs of table times scale: [T,H].
	Embed(table Weight, b *Batch, scale float32) tensor.View

	// RMSNorm returns x / sqrt(mean(x²)+eps) · w (Zhang & Sennrich 2019, arXiv:1910.07467).
	RMSNorm(x tensor.View, w Weight, eps float32) tensor.View

	// AddRMSNorm adds x to the residual stream res in place and returns the norm of the sum: res += x; y = norm(res)·w.
	// An empty res starts the stream: res becomes x. A nil w returns the sum itself as y.
	AddRMSNorm(x, res tensor.View, w Weight, eps float32) (y, sum tensor.View)

	// Linear returns x·Wᵀ + bias: [T,In] → [T,Out]. bias may be nil.
	Linear(x tensor.View, w, bias Weight) tensor.View

	// GatedLinear returns act(x·gateᵀ) · (x·upᵀ): [T,H] → [T,I]. w is made by LoadGated.
	GatedLinear(x tensor.View, w Weight, act Activation) tensor.View

	// RopeStore takes the fused projection qkv [T,(Heads+2·KVHeads)·D], normalises the heads of q and k when a has
	// norms, rotates q and k, writes k and v to the cache at b.Slots, and returns q [T,Heads·D].
	RopeStore(qkv tensor.View, a *Attention, b *Batch) tensor.View

	// Attend returns softmax(scale·q·Kᵀ)·V over each request's slots, causal: [T,Heads·D]. Of b.Sampled it takes what Last
	// gathered of q.
	Attend(q tensor.View, a *Attention, b *Batch) tensor.View

	// NormHeads projects the norm of the residual stream to the heads of a layer and does what RopeStore does with them:
	// q of RopeStore(Linear(norm(res)·n.W)), and the stream with what was to come added.
	NormHeads(res Residual, n Norm, w, bias Weight, a *Attention, b *Batch) (q tensor.View, sum Residual)

	// NormGated returns GatedLinear of the norm of the residual stream, and the stream with what was to come added.
	NormGated(res Residual, n Norm, w Weight, act Activation) (y tensor.View, sum Residual)

	// AddLinear adds x·Wᵀ + bias, summed over the ranks, to the residual stream: at once, or by leaving it in Next.
	AddLinear(res Residual, x tensor.View, w, bias Weight) Residual

	// Last gathers the rows of x whose next token is sampled: [T,H] → [S,H].
	Last(x tensor.View, b *Batch) tensor.View

	// Logits returns scale·x·Wᵀ as f32 [S,V], then softcap·tanh(·/softcap) when softcap > 0.
	Logits(x tensor.View, w Weight, scale, softcap float32) tensor.View

	// AllReduce sums x over the ranks of a tensor-parallel group, in place, and returns it.
	AllReduce(x tensor.View) tensor.View

	// Err returns the first failure since Begin.
	Err() error
}

// Residual is the residual stream [T,H]: Sum + Next. Next is what the norm that follows adds in its own pass; either may
// be empty. Operations that take a Residual may write to its Sum, so that the one that they return replaces it.
type Residual struct {
	Sum, Next tensor.View
}

// Norm is a normalisation x / sqrt(mean(x²)+Eps) · W; a nil W stands for none.
type Norm struct {
	W   Weight
	Eps float32
}

// Activation is the non-linearity of a gated MLP.
type Activation uint8

const (
	SiLU     Activation = iota // x·sigmoid(x)
	GELU                       // exact: x·Φ(x)
	GELUTanh                   // the tanh approximation
)

// Attention describes one layer's attention to RopeStore and Attend.
type Attention struct {
	Layer                   int // index into the KV cache
	Heads, KVHeads, HeadDim int
	QNorm, KNorm            Weight // [D]: each head by itself; [Heads·D], [KVHeads·D]: all heads as one vector; nil: none
	Eps                     float32
	Rope                    Rope
	Scale                   float32 // multiplies q·k, normally 1/sqrt(D)
	Softcap                 float32 // 0 for none
	Window                  int     // tokens a query sees, itself included; 0 for all
}

// Rope is a rotary embedding (Su et al. 2021, arXiv:2104.09864) as a table, so that every scaling rule is the
// model's business alone.
type Rope struct {
	Table       Weight // f32 [MaxContext,Dim]: cos of the Dim/2 angles, then sin; nil for no rotation
	Dim         int    // leading dimensions of a head that rotate, even, at most D
	Interleaved bool   // pairs are (2i,2i+1) instead of (i,i+Dim/2)
}
