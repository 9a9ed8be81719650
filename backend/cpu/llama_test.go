package cpu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// shapeOf is a decoder's sizes and weight types.
type shapeOf struct {
	layers, heads, kv       int
	hidden, inter, dim, voc int
	typ, head               tensor.DType
}

func smolLM2(typ tensor.DType) shapeOf {
	head := tensor.Q8_0
	if !typ.Quantised() {
		head = typ
	}
	return shapeOf{layers: 30, heads: 9, kv: 3, hidden: 576, inter: 1536, dim: 64, voc: 49152, typ: typ, head: head}
}

// llama is a decoder of random weights.
type llama struct {
	b *Backend
	shapeOf
	norms     backend.Weight
	embedding backend.Weight
	layer     []llamaLayer
	attention []backend.Attention
}

type llamaLayer struct{ qkv, o, gated, down backend.Weight }

func newLlama(tb testing.TB, b *Backend, shape shapeOf) *llama {
	tb.Helper()
	m, typ := &llama{b: b, shapeOf: shape}, shape.typ
	rng := rand.New(rand.NewPCG(7, 7))
	src := func(t tensor.DType, rows, cols int) backend.Source {
		return backend.Source{Name: "w", Type: t, Dim: []int{rows, cols}, Data: randomBlocks(rng, t, rows*cols)}
	}
	check := func(w backend.Weight, err error) backend.Weight {
		if err != nil {
			tb.Fatal(err)
		}
		return w
	}
	ones := make([]byte, 4*m.hidden)
	for i := range m.hidden {
		binary.LittleEndian.PutUint32(ones[4*i:], math.Float32bits(1))
	}
	m.norms = check(b.LoadVector(backend.Source{Name: "norm", Type: tensor.F32, Dim: []int{m.hidden}, Data: ones}))
	m.embedding = check(b.LoadLinear(src(m.head, m.voc, m.hidden)))
	table := make([]float32, 2048*m.dim)
	for i := range table {
		table[i] = float32(rng.NormFloat64())
	}
	rope := check(b.LoadTable(table, 2048, m.dim))
	for i := range m.layers {
		q, k := src(typ, m.heads*m.dim, m.hidden), src(typ, m.kv*m.dim, m.hidden)
		m.layer = append(m.layer, llamaLayer{
			qkv:   check(b.LoadLinear(q, k, src(typ, m.kv*m.dim, m.hidden))),
			o:     check(b.LoadLinear(src(typ, m.hidden, m.heads*m.dim))),
			gated: check(b.LoadGated(src(typ, m.inter, m.hidden), src(typ, m.inter, m.hidden))),
			down:  check(b.LoadLinear(src(typ, m.hidden, m.inter))),
		})
		m.attention = append(m.attention, backend.Attention{Layer: i, Heads: m.heads, KVHeads: m.kv, HeadDim: m.dim,
			Scale: 0.125, Rope: backend.Rope{Table: rope, Dim: m.dim}})
	}
	if err := b.Plan(backend.Limits{Tokens: 512, Requests: 16, MaxContext: 2048, Vocab: m.voc}, m.forward); err != nil {
		tb.Fatal(err)
	}
	if err := b.AllocKV(backend.KVSpec{Layers: m.layers, KVHeads: m.kv, HeadDim: m.dim, Slots: 4096}); err != nil {
		tb.Fatal(err)
	}
	return m
}

// randomBlocks returns n values of type t with small scales.
func randomBlocks(rng *rand.Rand, t tensor.DType, n int) []byte {
	data := make([]byte, t.Bytes(n))
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	put := func(i int, x float64) {
		binary.LittleEndian.PutUint16(data[i:], f16bits(float32(x*(0.5+rng.Float64()))))
	}
	for i := 0; i < len(data); i += t.Size() {
		switch t {
		case tensor.F32:
			binary.LittleEndian.PutUint32(data[i:], math.Float32bits(float32(rng.NormFloat64()*0.04)))
		case tensor.BF16:
			binary.LittleEndian.PutUint16(data[i:], uint16(math.Float32bits(float32(rng.NormFloat64()*0.04))>>16))
		case tensor.F16:
			put(i, rng.NormFloat64()*0.04)
		case tensor.Q4_1, tensor.Q5_1:
			put(i, 0.01)
			put(i+2, -0.075)
		case tensor.Q2_K:
			put(i+80, 0.005)
			put(i+82, 0.008)
		case tensor.Q3_K:
			put(i+108, 0.001)
		case tensor.Q6_K:
			put(i+208, 0.00001)
		case tensor.Q4_K, tensor.Q5_K:
			put(i, 0.0001)
			put(i+2, 0.0008)
		default:
			put(i, 0.001)
		}
	}
	return data
}

func (m *llama) forward(b *backend.Batch) tensor.View {
	k := m.b
	x := k.Embed(m.embedding, b, 1)
	var res tensor.View
	for i := range m.layer {
		l := &m.layer[i]
		k.Layer(i)
		x, res = k.AddRMSNorm(x, res, m.norms, 1e-5)
		q := k.RopeStore(k.Linear(x, l.qkv, nil), &m.attention[i], b)
		x = k.Linear(k.Attend(q, &m.attention[i], b), l.o, nil)
		x, res = k.AddRMSNorm(x, res, m.norms, 1e-5)
		x = k.Linear(k.GatedLinear(x, l.gated, backend.SiLU), l.down, nil)
	}
	x, _ = k.AddRMSNorm(x, res, m.norms, 1e-5)
	return k.Logits(k.Last(x, b), m.embedding, 1, 0)
}

// step returns a step of n tokens from position pos on, for each of requests rows.
func (m *llama) step(requests, pos, n int) *backend.Step {
	s := &backend.Step{Start: []int32{0}}
	for r := range requests {
		for i := range n {
			s.IDs = append(s.IDs, int32(17*(pos+i)+r)%1000)
			s.Pos = append(s.Pos, int32(pos+i))
			s.Slots = append(s.Slots, int32(1+r*256+pos+i))
		}
		s.Rows = append(s.Rows, int32(r))
		s.Start = append(s.Start, int32(len(s.IDs)))
		s.Context = append(s.Context, int32(pos+n))
		s.Last = append(s.Last, int32(len(s.IDs)-1))
		s.Owner = append(s.Owner, int32(r))
		s.Sampling = append(s.Sampling, backend.Sampling{TopP: 1, Repetition: 1, Logprobs: -1})
	}
	return s
}

func (m *llama) run(tb testing.TB, s *backend.Step, r *backend.Result) {
	batch, err := m.b.Begin(s)
	if err == nil {
		err = m.b.Run(batch, m.forward)
	}
	if err == nil {
		err = m.b.Collect(batch, r)
	}
	if err != nil {
		tb.Fatal(err)
	}
}
