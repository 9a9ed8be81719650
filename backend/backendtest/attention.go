package backendtest

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// attention is one layer under test. Its qkv rows are an embedding's, so that decode steps, which a backend may
// record and replay, read what the step's ids say.
type attention struct {
	heads, kvHeads, dim int
	ropeDim             int
	interleaved, norms  bool
	together            bool // the norms take all heads as one vector
	window              int
	softcap             float64
	hidden              int // not 0: qkv is a projection of the norm of so many features, by NormHeads
	bias                bool
}

func (a attention) String() string {
	name := label("%dx%dx%d rope %d interleaved %v norms %v together %v window %d softcap %v", a.heads, a.kvHeads, a.dim, a.ropeDim,
		a.interleaved, a.norms, a.together, a.window, a.softcap)
	if a.hidden > 0 {
		name += label(" of %d bias %v", a.hidden, a.bias)
	}
	return name
}

var attentions = []attention{
	{heads: 4, kvHeads: 4, dim: 64, ropeDim: 64},
	{heads: 9, kvHeads: 3, dim: 64, ropeDim: 64},
	{heads: 4, kvHeads: 2, dim: 96, ropeDim: 96, interleaved: true},
	{heads: 8, kvHeads: 2, dim: 128, ropeDim: 128, norms: true},
	{heads: 14, kvHeads: 2, dim: 64, ropeDim: 32, window: 17},
	{heads: 8, kvHeads: 1, dim: 256, ropeDim: 256, softcap: 5},
	{heads: 2, kvHeads: 1, dim: 128, ropeDim: 64, interleaved: true, norms: true, window: 70, softcap: 20},
	{heads: 3, kvHeads: 1, dim: 64},
	{heads: 5, kvHeads: 5, dim: 128, ropeDim: 128, norms: true, together: true},
	{heads: 6, kvHeads: 2, dim: 96, ropeDim: 96, norms: true, together: true},
	{heads: 4, kvHeads: 2, dim: 128, ropeDim: 128, norms: true, hidden: 328},
	{heads: 2, kvHeads: 1, dim: 64, ropeDim: 40, norms: true, hidden: 72},
	{heads: 9, kvHeads: 3, dim: 64, ropeDim: 32, interleaved: true, hidden: 1096, bias: true},
	{heads: 3, kvHeads: 1, dim: 96, ropeDim: 96, norms: true, hidden: 72},
	{heads: 2, kvHeads: 2, dim: 64, norms: true, together: true, hidden: 64, bias: true},
}

const (
	attentionVocab  = 64
	attentionRows   = 40
	attentionEps    = 1e-6
	attentionLength = 1100
)

func testAttention(t *testing.T, o suite) {
	for _, a := range attentions {
		t.Run(a.String(), func(t *testing.T) { newAttender(t, o, a).run() })
	}
}

// attender runs steps through one layer and keeps, in float64, what each request's cache should hold.
type attender struct {
	*harness
	small        bool
	a            attention
	qkv          []float32 // [V,(Heads+2·KVHeads)·D]
	qNorm, kNorm []float32
	table        []float32
	forward      func(*backend.Batch) tensor.View
	q, y, last   tensor.View
	keys, values [attentionRows][][]float64 // [row][position], KVHeads·D each
	slots        []int32                    // free, shuffled
	slotOf       [attentionRows][]int32     // [row][position]
	cached       []backend.Cached           // of the next step
}

func newAttender(t *testing.T, o suite, a attention) *attender {
	h := &attender{harness: open(t, o), a: a, small: o.small}
	width := (a.heads + 2*a.kvHeads) * a.dim
	embedding, project := h.projection(width)
	head := h.linear(h.normal(attentionVocab*64, 1), attentionVocab, 64)
	spec := &backend.Attention{Layer: 1, Heads: a.heads, KVHeads: a.kvHeads, HeadDim: a.dim, Eps: attentionEps,
		Scale: float32(1 / math.Sqrt(float64(a.dim))), Softcap: float32(a.softcap), Window: a.window}
	if a.norms {
		q, kv := a.dim, a.dim
		if a.together {
			q, kv = a.heads*a.dim, a.kvHeads*a.dim
		}
		h.qNorm, h.kNorm = h.normal(q, 1), h.normal(kv, 1)
		spec.QNorm, spec.KNorm = h.vector(h.qNorm), h.vector(h.kNorm)
	}
	if a.ropeDim > 0 {
		h.table = ropeTable(attentionLength, a.ropeDim)
		spec.Rope = backend.Rope{Dim: a.ropeDim, Interleaved: a.interleaved,
			Table: must[backend.Weight](h.harness)(h.b.LoadTable(h.table, attentionLength, a.ropeDim))}
	}
	h.forward = func(b *backend.Batch) tensor.View {
		x := h.b.Embed(embedding, b, 1)
		h.q = project(x, spec, b)
		h.y = h.b.Attend(h.q, spec, b)
		h.last = h.b.Attend(h.b.Last(h.q, b), spec, b.Sampled)
		return h.b.Logits(h.b.Last(x.Cols(0, 64), b), head, 1, 0)
	}
	h.allocate()
	return h
}

// projection makes an embedding, and what takes its rows to q. It fills in what qkv is of each id.
func (h *attender) projection(width int) (embedding backend.Weight, project func(x tensor.View, a *backend.Attention, b *backend.Batch) tensor.View) {
	a := h.a
	if a.hidden == 0 {
		h.qkv = h.normal(attentionVocab*width, 1)
		return h.linear(h.qkv, attentionVocab, width), h.b.RopeStore
	}
	x, norm, m := h.normal(attentionVocab*a.hidden, 2), h.normal(a.hidden, 1), h.random(tensor.BF16, width, a.hidden)
	w, n := h.linear(m.data, width, a.hidden), backend.Norm{W: h.vector(norm), Eps: attentionEps}
	h.qkv = float32s(products(input{data: float32s(norms(x, norm, a.hidden, attentionEps).want), rows: attentionVocab, cols: a.hidden}, m).want)
	var bw backend.Weight
	if a.bias {
		bias := h.normal(width, 1)
		bw = h.vector(bias)
		for i := range h.qkv {
			h.qkv[i] += bias[i%width]
		}
	}
	return h.linear(x, attentionVocab, a.hidden), func(x tensor.View, spec *backend.Attention, b *backend.Batch) tensor.View {
		q, _ := h.b.NormHeads(backend.Residual{Next: x}, n, w, bw, spec, b)
		return q
	}
}

func (h *attender) allocate() {
	h.t.Helper()
	const slots = 4200
	limits := backend.Limits{Tokens: 1024, Requests: attentionRows, MaxContext: attentionLength, Cached: 64, Vocab: attentionVocab}
	if err := h.b.Plan(limits, h.forward); err != nil {
		h.t.Fatal(err)
	}
	if err := h.b.AllocKV(backend.KVSpec{Layers: 2, KVHeads: h.a.kvHeads, HeadDim: h.a.dim, Slots: slots}); err != nil {
		h.t.Fatal(err)
	}
	for i := int32(1); i < slots; i++ {
		h.slots = append(h.slots, i)
	}
	h.rng.Shuffle(len(h.slots), func(i, j int) { h.slots[i], h.slots[j] = h.slots[j], h.slots[i] })
}

// ropeTable returns cos and sin of the usual angles.
func ropeTable(rows, dim int) []float32 {
	t := make([]float32, 0, rows*dim)
	for p := range rows {
		for i := range dim {
			angle := float64(p) * math.Pow(10000, -2*float64(i%(dim/2))/float64(dim))
			if i < dim/2 {
				t = append(t, float32(math.Cos(angle)))
			} else {
				t = append(t, float32(math.Sin(angle)))
			}
		}
	}
	return t
}

// run prefills, continues after a cached prefix, mixes and decodes with ragged lengths.
func (h *attender) run() {
	long := 989
	if h.a.heads*h.a.dim > 600 {
		long = 311 // the reference takes the square of it
	}
	if h.small {
		long = 111
	}
	h.check("prefill", 0, work{0, long})
	h.check("prefill of several", 0, work{1, 1}, work{2, 19}, work{3, 111}, work{4, 64})
	h.check("after a cached prefix", 0, work{2, 65}, work{4, 33})
	h.check("mixed", 2, work{1, 1}, work{0, 1}, work{5, 9}, work{3, 20})
	for _, n := range []int{1, 2, 3, 5, 8, 9, 33} {
		var w []work
		for i := range n {
			w = append(w, work{(i * 7) % attentionRows, 1})
		}
		h.check(label("decode of %d", n), n, w...)
	}
}

// work is tokens to compute for a row.
type work struct {
	row, tokens int
}

// check runs one step and compares q and the output of every token.
func (h *attender) check(name string, decodes int, requests ...work) {
	h.t.Helper()
	s := &backend.Step{Start: []int32{0}, Decodes: decodes, Cached: h.cached}
	h.cached = nil
	for i, r := range requests {
		for range r.tokens {
			s.IDs = append(s.IDs, int32(h.rng.IntN(attentionVocab)))
			s.Pos = append(s.Pos, int32(len(h.keys[r.row])))
			s.Slots = append(s.Slots, h.slots[0])
			h.slotOf[r.row] = append(h.slotOf[r.row], h.slots[0])
			h.slots = h.slots[1:]
			h.store(r.row, int(s.IDs[len(s.IDs)-1]))
		}
		s.Rows = append(s.Rows, int32(r.row))
		s.Start = append(s.Start, int32(len(s.IDs)))
		s.Context = append(s.Context, int32(len(h.keys[r.row])))
		if i == 2 && r.tokens > 1 {
			continue // its prompt goes on
		}
		s.Last = append(s.Last, int32(len(s.IDs)-1))
		s.Owner = append(s.Owner, int32(len(s.Rows)-1))
		s.Sampling = append(s.Sampling, greedy())
	}
	h.step(s, h.forward)
	q, y, last := reference{}, reference{}, reference{}
	for i, r := range requests {
		for t := s.Start[i]; t < s.Start[i+1]; t++ {
			h.attend(&q, &y, r.row, int(s.IDs[t]), int(s.Pos[t]))
			if slices.Contains(s.Last, t) {
				n := len(y.want) - h.a.heads*h.a.dim
				last.want, last.mag = append(last.want, y.want[n:]...), append(last.mag, y.mag[n:]...)
			}
		}
	}
	// q: norm and rotation are in f32; then one rounding, which may go to the neighbour of the reference's, 2^-7 away. y:
	// scores of about 1 off by 64·2^-24, and in bf16 rounded probabilities and result, with keys that may round to the other
	// side. A projection rounds once or twice before all that: for q see head.
	loose, share := 1.0, 2.0
	if h.a.hidden > 0 {
		loose, share = 4, 3
	}
	h.compare(name+": q", h.q, q, tolerance{f32: 1e-6, bf16: share * 0x1p-8})
	within := tolerance{f32: loose * 4e-6, bf16: loose * 3 * 0x1p-8}
	h.compare(name+": y", h.y, y, within)
	h.compare(name+": y of what is sampled", h.last, last, within)
}

// store puts the key and value of a token at the row's next position.
func (h *attender) store(row, id int) {
	a, pos := h.a, len(h.keys[row])
	in := h.qkv[id*(a.heads+2*a.kvHeads)*a.dim:]
	var k, v []float64
	for i := range a.kvHeads {
		key, _ := h.head(in[a.heads*a.dim:][:a.kvHeads*a.dim], i, h.kNorm, pos)
		k = append(k, key...)
		for _, x := range in[(a.heads+a.kvHeads+i)*a.dim:][:a.dim] {
			v = append(v, float64(x))
		}
	}
	h.keys[row], h.values[row] = append(h.keys[row], k), append(h.values[row], v)
}

// head normalises and rotates head i of all, and rounds it as it is stored. mag is what its errors are measured by: the
// sum of the rotation's two products, which may cancel. An element there is as large as itself and, where a projection made
// it, as its vector's root mean square besides: what the projection takes is rounded, so that sums of such products are off
// by a share of their usual size, however near zero they are. In bf16 these errors have a standard deviation of 0.41·2^-8
// of that size; 6 of them, which no test's elements reach, are 2.5·2^-8.
func (h *attender) head(all []float32, i int, norm []float32, pos int) (y, mag []float64) {
	x := all[i*h.a.dim:][:h.a.dim]
	if h.a.together {
		norm = norm[i*h.a.dim:]
	} else {
		all = x
	}
	sum := 0.0
	for _, v := range all {
		sum += float64(v) * float64(v)
	}
	rms := math.Sqrt(sum/float64(len(all)) + attentionEps)
	y, mag = make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		y[i], mag[i] = float64(v), math.Abs(float64(v))
		if h.a.hidden > 0 {
			mag[i] += rms
		}
		if norm != nil {
			y[i] *= float64(norm[i]) / rms
			mag[i] *= math.Abs(float64(norm[i])) / rms
		}
	}
	n := h.a.ropeDim
	for i := range n / 2 {
		j, k := i, i+n/2
		if h.a.interleaved {
			j, k = 2*i, 2*i+1
		}
		cos, sin := float64(h.table[pos*n+i]), float64(h.table[pos*n+n/2+i])
		y[j], y[k] = y[j]*cos-y[k]*sin, y[j]*sin+y[k]*cos
		cos, sin = math.Abs(cos), math.Abs(sin)
		mag[j], mag[k] = mag[j]*cos+mag[k]*sin, mag[j]*sin+mag[k]*cos
	}
	for i := range y {
		y[i] = rounded(h.act, y[i])
	}
	return y, mag
}

// attend appends the query and the output of one token.
func (h *attender) attend(qr, yr *reference, row, id, pos int) {
	a := h.a
	in := h.qkv[id*(a.heads+2*a.kvHeads)*a.dim:]
	first := 0
	if a.window > 0 {
		first = max(0, pos+1-a.window)
	}
	slack := 0.0
	if a.hidden > 0 {
		slack = 1 // values are sums of products, and off by a share of those
	}
	for i := range a.heads {
		q, qMag := h.head(in[:a.heads*a.dim], i, h.qNorm, pos)
		qr.want, qr.mag = append(qr.want, q...), append(qr.mag, qMag...)
		kv := i / (a.heads / a.kvHeads) * a.dim
		y, mag := make([]float64, a.dim), make([]float64, a.dim)
		sum := 0.0
		for p := first; p <= pos; p++ {
			w := h.weight(q, h.keys[row][p][kv:])
			sum += w
			for j, v := range h.values[row][p][kv:][:a.dim] {
				y[j] += w * v
				mag[j] += w * (math.Abs(v) + slack)
			}
		}
		for j := range y {
			yr.want, yr.mag = append(yr.want, y[j]/sum), append(yr.mag, mag[j]/sum)
		}
	}
}

// weight returns e^score of one key.
func (h *attender) weight(q, k []float64) float64 {
	s := 0.0
	for i, v := range q {
		s += v * k[i]
	}
	s /= math.Sqrt(float64(len(q)))
	if c := h.a.softcap; c > 0 {
		s = c * math.Tanh(s/c)
	}
	return math.Exp(s)
}
