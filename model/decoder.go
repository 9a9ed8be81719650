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
// nothing. T is b.Tokens, H the hidden size. Behind the keys and values of the last layer only the tokens go on whose logits
// are wanted, T from there on; without any there are no logits, and the view is empty.
func (m *Decoder) Forward(k backend.Kernels, b *backend.Batch) tensor.View {
	var x, q tensor.View
	res := backend.Residual{Next: k.Embed(m.tokens, b, m.embedScale)} // [T,H]
	for i := range m.layers {
		k.Layer(i)
		l := &m.layers[i]
		q, res = k.NormHeads(res, m.normOf(l.attnNorm), l.qkv, l.qkvBias, &l.attn, b) // [T,Heads·D]
		if i == len(m.layers)-1 {
			if b.Samples == 0 {
				return tensor.View{}
			}
			q, res, b = k.Last(q, b), res.Last(k, b), b.Sampled
		}
		res = m.add(k, res, k.Attend(q, &l.attn, b), l.o, l.oBias, l.attnPost)

		x, res = k.NormGated(res, m.normOf(l.mlpNorm), l.gateUp, m.config.Activation) // [T,I]
		res = m.add(k, res, x, l.down, nil, l.mlpPost)
	}
	x, _ = backend.Normed(k, res, m.normOf(m.norm))
	return k.Logits(x, m.head, m.config.LogitScale, m.config.LogitSoftcap)
}

// add adds x·wᵀ + bias to the residual stream, normalised first in the families that do.
func (m *Decoder) add(k backend.Kernels, res backend.Residual, x tensor.View, w, bias, post backend.Weight) backend.Residual {
	if post == nil {
		return k.AddLinear(res, x, w, bias)
	}
	x = k.AllReduce(k.Linear(x, w, bias))
	return res.Then(k, k.RMSNorm(x, post, m.config.Eps))
}

func (m *Decoder) normOf(w backend.Weight) backend.Norm { return backend.Norm{W: w, Eps: m.eps} }

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
