package model

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// Decoder is a model whose weights a backend holds. It is immutable after Load.
type Decoder struct {
	config     weights.Config
	maxContext int
	bytes      int64

	tokens, head backend.Weight // the same one when embeddings are tied
	norm         backend.Weight
	layers       []layer
	eps          float32
	embedScale   float32
}

// layer holds one block's weights; nil stands for what its family lacks.
type layer struct {
	attnNorm, attnPost backend.Weight // before attention, after it
	mlpNorm, mlpPost   backend.Weight
	qkv, qkvBias       backend.Weight
	o, oBias           backend.Weight
	gateUp, down       backend.Weight
	attn               backend.Attention
}

// Forward enqueues one step on k and returns logits [S,V] f32; k.Err tells whether it worked. It allocates nothing.
//
// One decoder serves every family: they differ in which norms, biases and scales they have, and a missing norm costs
// nothing. T is b.Tokens, H the hidden size.
func (m *Decoder) Forward(k backend.Kernels, b *backend.Batch) tensor.View {
	x := k.Embed(m.tokens, b, m.embedScale) // [T,H]
	var res tensor.View                     // residual stream [T,H]; empty before layer 0
	for i := range m.layers {
		k.Layer(i)
		l := &m.layers[i]
		x, res = k.AddRMSNorm(x, res, l.attnNorm, m.eps)                 // res += x; x = norm(res)
		q := k.RopeStore(k.Linear(x, l.qkv, l.qkvBias), &l.attn, b)      // [T,Heads·D]
		x = k.AllReduce(k.Linear(k.Attend(q, &l.attn, b), l.o, l.oBias)) // [T,H]
		x = m.after(k, x, l.attnPost)

		x, res = k.AddRMSNorm(x, res, l.mlpNorm, m.eps)
		x = k.GatedLinear(x, l.gateUp, m.config.Activation) // [T,I]
		x = k.AllReduce(k.Linear(x, l.down, nil))
		x = m.after(k, x, l.mlpPost)
	}
	x, _ = k.AddRMSNorm(x, res, m.norm, m.eps)
	return k.Logits(k.Last(x, b), m.head, m.config.LogitScale, m.config.LogitSoftcap)
}

// after normalises what a block adds to the residual stream, in the families that do.
func (m *Decoder) after(k backend.Kernels, x tensor.View, norm backend.Weight) tensor.View {
	if norm == nil {
		return x
	}
	return k.RMSNorm(x, norm, m.config.Eps)
}

// KVSpec returns the shape of a KV cache of slots token slots, the padding slot included.
func (m *Decoder) KVSpec(slots int) backend.KVSpec {
	return backend.KVSpec{Layers: m.config.Layers, KVHeads: m.config.KVHeads, HeadDim: m.config.HeadDim, Slots: slots}
}

// Vocab returns V, the number of logits; a tokenizer may know fewer tokens.
func (m *Decoder) Vocab() int { return m.config.Vocab }

// MaxContext returns the most tokens a request may have, prompt and output together.
func (m *Decoder) MaxContext() int { return m.maxContext }

// EOS returns the ids that end a generation. The caller must not change them.
func (m *Decoder) EOS() []int32 { return m.config.EOS }

// WeightBytes returns the device memory that the weights take.
func (m *Decoder) WeightBytes() int64 { return m.bytes }

// Config returns the model's configuration.
func (m *Decoder) Config() weights.Config { return m.config }
