package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// LoadOptions tune Load; the zero value is fine.
type LoadOptions struct {
	MaxContext int                     // tokens of one request at most; 0: what the model was made for
	Progress   func(done, total int64) // called as bytes of the checkpoint reach the backend; may be nil
}

// Load packs a checkpoint's weights on b. Keep c open as long as b: the cpu backend computes on the mapped
// file. Load refuses, naming them, architectures, settings and tensors that it would have to ignore.
func Load(c *weights.Checkpoint, b backend.Loader, o LoadOptions) (*Decoder, error) {
	if why := Refusals(c); len(why) > 0 {
		return nil, fmt.Errorf("cannot load %s: %s", c.Path, strings.Join(why, "; "))
	}
	l := newLoader(c, b, o.Progress)
	if l.total = c.Bytes(); l.total == 0 && o.Progress != nil {
		l.total = parameters(c) * int64(c.Config.DType.Size())
	}
	m := &Decoder{config: c.Config, eps: c.Config.Eps, embedScale: c.Config.EmbedScale, maxContext: o.MaxContext}
	if m.maxContext == 0 {
		m.maxContext = c.Config.MaxPositions
	}
	if m.maxContext < 1 || m.maxContext > c.Config.MaxPositions {
		return nil, fmt.Errorf("cannot load %s: a context of %d tokens is asked for, the model was made for %d at most", c.Path, o.MaxContext, c.Config.MaxPositions)
	}
	// Granite multiplies what each block adds by r. Dividing the whole stream by r instead gives the same norms, if
	// eps shrinks with the square, and spares a multiplication per block.
	if r := c.Config.ResidualScale; r != 1 {
		m.eps, m.embedScale = m.eps/(r*r), m.embedScale/r
	}
	l.model(m)
	m.bytes = l.bytes
	if l.err != nil {
		return nil, fmt.Errorf("cannot load %s: %w", c.Path, l.err)
	}
	return m, nil
}

// Refusals lists why weft cannot run a checkpoint, empty if it can as far as its files tell.
func Refusals(c *weights.Checkpoint) []string {
	var why []string
	if _, err := familyOf(c.Config.Arch); err != nil {
		return []string{err.Error()}
	}
	for _, s := range c.Config.Unsupported {
		why = append(why, "the setting "+s+" is not supported")
	}
	if c.Config.MLPBias {
		why = append(why, "the setting mlp_bias = true is not supported")
	}
	types := map[string]int{}
	for _, t := range c.Tensors() {
		if t.Type == tensor.Invalid && !c.Skips(t.Name) {
			types[t.TypeName]++
		}
	}
	for name, n := range types {
		why = append(why, fmt.Sprintf("%d tensors have type %s, which weft cannot compute with", n, name))
	}
	return why
}

// loader loads tensor by tensor. The first failure sticks.
type loader struct {
	c        *weights.Checkpoint
	b        backend.Loader
	cfg      *weights.Config
	family   family
	used     map[string]bool
	progress func(done, total int64)
	done     int64
	total    int64
	bytes    int64
	err      error
}

func newLoader(c *weights.Checkpoint, b backend.Loader, progress func(done, total int64)) *loader {
	return &loader{c: c, b: b, cfg: &c.Config, family: families[c.Config.Arch], used: map[string]bool{}, progress: progress}
}

func (l *loader) model(m *Decoder) {
	c := l.cfg
	m.tokens = l.linear(l.source("model.embed_tokens.weight", c.Vocab, c.Hidden))
	m.head = m.tokens
	ropes := l.ropes(m.maxContext)
	m.layers = make([]layer, c.Layers)
	for i := range m.layers {
		l.layer(&m.layers[i], i, ropes)
	}
	m.norm = l.norm("model.norm.weight", c.Hidden)
	if !c.TieEmbeddings {
		m.head = l.linear(l.source("lm_head.weight", c.Vocab, c.Hidden))
	}
	l.leftovers()
}

// ropes makes one table for each distinct rotary embedding.
func (l *loader) ropes(maxContext int) []backend.Rope {
	out := make([]backend.Rope, len(l.cfg.Ropes))
	for i, r := range l.cfg.Ropes {
		if l.err != nil {
			break
		}
		out[i].Dim = r.Dim
		out[i].Table = l.keep(l.b.LoadTable(ropeTable(r, maxContext), maxContext, r.Dim))
	}
	return out
}

func (l *loader) layer(w *layer, i int, ropes []backend.Rope) {
	c, p := l.cfg, fmt.Sprintf("model.layers.%d.", i)
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	l.norms(w, p)
	l.projections(w, p, q, kv)
	w.o = l.linear(l.source(p+"self_attn.o_proj.weight", c.Hidden, q))
	if c.OBias {
		w.oBias = l.vector(l.source(p+"self_attn.o_proj.bias", c.Hidden))
	}
	w.down = l.linear(l.source(p+"mlp.down_proj.weight", c.Hidden, c.Inter))
	w.attn = backend.Attention{Layer: i, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim, Eps: c.Eps,
		Scale: c.AttnScale, Softcap: c.AttnSoftcap, Window: c.Layer[i].Window}
	if r := c.Layer[i].Rope; r >= 0 {
		w.attn.Rope = ropes[r]
	}
	switch l.family.qkNorm {
	case headQKNorm:
		w.attn.QNorm = l.norm(p+"self_attn.q_norm.weight", c.HeadDim)
		w.attn.KNorm = l.norm(p+"self_attn.k_norm.weight", c.HeadDim)
	case widthQKNorm:
		w.attn.QNorm = l.norm(p+"self_attn.q_norm.weight", q)
		w.attn.KNorm = l.norm(p+"self_attn.k_norm.weight", kv)
	}
}

func (l *loader) norms(w *layer, p string) {
	h := l.cfg.Hidden
	switch l.family.norm {
	case preNorm:
		w.attnNorm = l.norm(p+"input_layernorm.weight", h)
		w.mlpNorm = l.norm(p+"post_attention_layernorm.weight", h)
	case sandwichNorm:
		w.attnNorm = l.norm(p+"input_layernorm.weight", h)
		w.attnPost = l.norm(p+"post_attention_layernorm.weight", h)
		w.mlpNorm = l.norm(p+"pre_feedforward_layernorm.weight", h)
		w.mlpPost = l.norm(p+"post_feedforward_layernorm.weight", h)
	case postNorm:
		w.attnPost = l.norm(p+"post_attention_layernorm.weight", h)
		w.mlpPost = l.norm(p+"post_feedforward_layernorm.weight", h)
	}
}

func (l *loader) projections(w *layer, p string, q, kv int) {
	c := l.cfg
	if l.family.fused {
		w.qkv = l.linear(l.source(p+"self_attn.qkv_proj.weight", q+2*kv, c.Hidden))
		both := l.source(p+"mlp.gate_up_proj.weight", 2*c.Inter, c.Hidden)
		if l.err == nil {
			w.gateUp = l.gated(both.Rows(0, c.Inter), both.Rows(c.Inter, 2*c.Inter))
		}
		return
	}
	parts := []struct {
		name string
		rows int
	}{{"q", q}, {"k", kv}, {"v", kv}}
	var ws, bs []backend.Source
	for _, part := range parts {
		ws = append(ws, l.source(p+"self_attn."+part.name+"_proj.weight", part.rows, c.Hidden))
		if c.QKVBias {
			bs = append(bs, l.source(p+"self_attn."+part.name+"_proj.bias", part.rows))
		}
	}
	w.qkv = l.linear(ws...)
	if c.QKVBias {
		w.qkvBias = l.vector(bs...)
	}
	w.gateUp = l.gated(l.source(p+"mlp.gate_proj.weight", c.Inter, c.Hidden), l.source(p+"mlp.up_proj.weight", c.Inter, c.Hidden))
}

func (l *loader) source(name string, dim ...int) backend.Source {
	l.used[name] = true
	if l.err != nil {
		return backend.Source{}
	}
	s, err := l.c.Tensor(name, dim...)
	l.err = err
	return s
}

// norm loads a norm weight; where the file holds w-1 it is loaded as f32.
func (l *loader) norm(name string, n int) backend.Weight {
	s := l.source(name, n)
	if l.err != nil || !l.cfg.NormPlusOne {
		return l.vector(s)
	}
	v, err := weights.Floats(s)
	if err != nil {
		l.err = err
		return nil
	}
	s.Type, s.Data = tensor.F32, make([]byte, 0, 4*n)
	for _, f := range v {
		s.Data = binary.LittleEndian.AppendUint32(s.Data, math.Float32bits(f+1))
	}
	return l.vector(s)
}

func (l *loader) vector(parts ...backend.Source) backend.Weight {
	if l.err != nil {
		return nil
	}
	w := l.keep(l.b.LoadVector(parts...))
	l.count(parts...)
	return w
}

func (l *loader) linear(parts ...backend.Source) backend.Weight {
	if l.err != nil {
		return nil
	}
	w := l.keep(l.b.LoadLinear(parts...))
	l.count(parts...)
	return w
}

func (l *loader) gated(gate, up backend.Source) backend.Weight {
	if l.err != nil {
		return nil
	}
	w := l.keep(l.b.LoadGated(gate, up))
	l.count(gate, up)
	return w
}

// keep takes a Loader's result. A failed one is nil, not an interface that holds a nil pointer.
func (l *loader) keep(w backend.Weight, err error) backend.Weight {
	if err != nil {
		l.err = err
		return nil
	}
	l.bytes += w.Bytes()
	return w
}

func (l *loader) count(parts ...backend.Source) {
	if l.progress == nil {
		return
	}
	for _, s := range parts {
		l.done += s.Type.Bytes(int(elements(s.Dim)))
	}
	l.progress(l.done, max(l.done, l.total))
}

// leftovers refuses tensors that no part of the model has asked for: to drop one silently would be to run another
// model than the file's.
func (l *loader) leftovers() {
	if l.err != nil {
		return
	}
	var names []string
	for _, t := range l.c.Tensors() {
		tied := t.Name == "lm_head.weight" && l.cfg.TieEmbeddings
		if !l.used[t.Name] && !tied && !l.c.Skips(t.Name) {
			names = append(names, t.FileName)
		}
	}
	if len(names) > 0 {
		l.err = fmt.Errorf("%d tensors have no place in %s, the first is %s", len(names), l.cfg.Arch, names[0])
	}
}
