package ptx

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// sampleBatch is a batch in memory: rows of logits are stride apart, the pool's rows are taken in another order.
type sampleBatch struct {
	vocab, stride, cols  int
	logits               []float32
	rules                []rule
	owner, rows, context []int32
	bias                 []biasEntry
	masks                []uint32
	pool                 []int32
}

// newSampleBatch makes n samples of n+1 requests. kind picks the logits: normal, flat, few values, nearly equal.
func newSampleBatch(rng *rand.Rand, n, vocab, kind int) *sampleBatch {
	const cols, ids = 300, 60 // few ids, so that tokens repeat
	b := &sampleBatch{vocab: vocab, stride: vocab + rng.IntN(5), cols: cols}
	for range n * b.stride {
		x := rng.NormFloat64()
		b.logits = append(b.logits, []float32{float32(4 * x), 0, float32(math.Round(x)), float32(x / 50)}[kind])
	}
	for r := range n + 1 {
		b.rows = append(b.rows, int32((r+1)%(n+1)))
		b.context = append(b.context, rng.Int32N(cols))
	}
	for range (n + 1) * cols {
		b.pool = append(b.pool, rng.Int32N(int32(min(vocab, ids))))
	}
	for range 2 * ((vocab + 31) / 32) {
		b.masks = append(b.masks, rng.Uint32()|rng.Uint32())
	}
	for s := range n {
		b.owner = append(b.owner, int32(n-s))
		b.rules = append(b.rules, b.randomRule(rng))
	}
	b.bias = append(b.bias, biasEntry{})
	return b
}

func (b *sampleBatch) randomRule(rng *rand.Rand) rule {
	one := func(of ...float32) float32 { return of[rng.IntN(len(of))] }
	r := rule{
		Temperature: one(0, 1e-6, 0.3, 1, 1, 2), TopP: one(1, 1, 0.9, 0.5, 0.999, 0), MinP: one(0, 0, 0.05),
		Repetition: one(1, 0, 1.3), Presence: one(0, 0.5), Frequency: one(0, 0.25), Seed: rng.Uint64(), Prompt: rng.Int32N(200),
		TopK: int32(one(0, 0, 1, 20, 50, 500, 3000, 1e6)), Logprobs: int32(one(-1, 0, 1, 5, 20)), Mask: int32(one(0, 0, 1, 2)),
	}
	r.Logprobs = min(r.Logprobs, int32(b.vocab))
	r.Bias[0] = int32(len(b.bias))
	for range rng.IntN(3) / 2 * rng.IntN(40) {
		b.bias = append(b.bias, biasEntry{rng.Int32N(int32(min(b.vocab, 50))), float32(rng.NormFloat64())})
	}
	r.Bias[1] = int32(len(b.bias))
	return r
}

// sampled is what came back.
type sampled struct {
	ids, topIDs, pool     []int32
	logprobs, topLogprobs []float32
}

// run samples twice, the second time over the workspace that the first left, and wants the same.
func (b *sampleBatch) run(g *bench) sampled {
	n, words := len(b.rules), (b.vocab+31)/32
	l := SampleLimits{Samples: n + 3, Vocab: b.vocab + 100, MaxContext: b.cols, Biases: len(b.bias)}
	work := put(g, tensor.U8, make([]byte, SampleWork(l)), int(SampleWork(l)))
	var out [2]sampled
	for i := range out {
		logits := put(g, tensor.F32, b.logits, n, b.vocab)
		logits.Stride = b.stride
		s := Samples{
			Logits: logits, Rules: put(g, tensor.U8, b.rules, n, SamplingBytes), Owner: put(g, tensor.I32, b.owner, n),
			Rows: put(g, tensor.I32, b.rows, n+1), Context: put(g, tensor.I32, b.context, n+1), Bias: put(g, tensor.I32, b.bias, len(b.bias), 2),
			Masks: put(g, tensor.I32, b.masks, 2, words), Pool: put(g, tensor.I32, b.pool, n+1, b.cols),
			IDs: put(g, tensor.I32, repeated(-9, n), n), Logprobs: put(g, tensor.F32, make([]float32, n), n),
			TopIDs:      put(g, tensor.I32, repeated(-9, n*MaxTopLogprobs), n, MaxTopLogprobs),
			TopLogprobs: put(g, tensor.F32, make([]float32, n*MaxTopLogprobs), n, MaxTopLogprobs),
			Work:        work, Limits: l,
		}
		g.must(g.k.Sample(g.s, s, NeedLogprobs|NeedEdits|NeedSelect))
		out[i] = sampled{get[int32](g, s.IDs, n), get[int32](g, s.TopIDs, n*MaxTopLogprobs), get[int32](g, s.Pool, len(b.pool)),
			get[float32](g, s.Logprobs, n), get[float32](g, s.TopLogprobs, n*MaxTopLogprobs)}
	}
	if !slices.Equal(out[0].ids, out[1].ids) || !slices.Equal(out[0].logprobs, out[1].logprobs) {
		g.Errorf("sampling twice gave %v, then %v", out[0], out[1])
	}
	return out[0]
}

func (b *sampleBatch) check(t testing.TB, got sampled) {
	t.Helper()
	pool := slices.Clone(b.pool)
	for s := range b.rules {
		r, x := &b.rules[s], b.logits[s*b.stride:][:b.vocab]
		row, pos := int(b.rows[b.owner[s]]), int(b.context[b.owner[s]])
		var mask []uint32
		if words := (b.vocab + 31) / 32; r.Mask > 0 {
			mask = b.masks[int(r.Mask-1)*words:][:words]
		}
		want := expectToken(x, b.pool[max(row, 0)*b.cols:][:pos], r, b.bias, mask)
		if got.ids[s] != want {
			t.Errorf("V=%d sample %d %+v: id %d, want %d", b.vocab, s, *r, got.ids[s], want)
		}
		if want >= 0 && row >= 0 {
			pool[row*b.cols+pos] = want
		}
		if want >= 0 && r.Logprobs >= 0 {
			checkLogprobs(t, x, want, got.logprobs[s], got.topIDs[s*MaxTopLogprobs:][:r.Logprobs], got.topLogprobs[s*MaxTopLogprobs:][:r.Logprobs])
		}
	}
	if !slices.Equal(got.pool, pool) {
		t.Errorf("V=%d: the token pool differs from the old one with the new ids", b.vocab)
	}
}

func checkLogprobs(t testing.TB, x []float32, id int32, lp float32, ids []int32, lps []float32) {
	t.Helper()
	sum, order := 0.0, make([]int32, len(x))
	for i, v := range x {
		order[i] = int32(i)
		sum += math.Exp(float64(v))
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		if x[a] == x[b] {
			return 0
		} else if x[a] > x[b] {
			return -1
		}
		return 1
	})
	off := func(id int32, lp float32) float64 { return math.Abs(float64(lp) - (float64(x[id]) - math.Log(sum))) }
	if d := off(id, lp); !(d < 1e-4) {
		t.Errorf("log-probability of %d is off by %g", id, d)
	}
	for i := range ids {
		if ids[i] != order[i] || !(off(ids[i], lps[i]) < 1e-4) {
			t.Errorf("likely token %d is %d at %g, want %d at %g", i, ids[i], lps[i], order[i], float64(x[order[i]])-math.Log(sum))
		}
	}
}

func TestSample_DrawsTheDefinedTokens_GPU(t *testing.T) {
	drivertest.OnEach(t, sampleDrawsTheDefinedTokens)
}

func sampleDrawsTheDefinedTokens(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	rng := rand.New(rand.NewPCG(7, 8))
	for i, vocab := range []int{1, 2, 19, 111, 989, 4096, 32000, 32003, 128256, 151936, 262143} {
		for kind := range 4 {
			n := 1 + (i*5+kind*7)%23
			if vocab > 30000 {
				n = 1 + n%5 // the reference sorts
			}
			if g.skips(t, 150*n*vocab) {
				continue
			}
			b := newSampleBatch(rng, n, vocab, kind)
			b.check(t, b.run(g))
		}
	}
}

func TestSample_RefusesRowsWithoutATokenAndLeavesTheOthers_GPU(t *testing.T) {
	drivertest.OnEach(t, sampleRefusesRowsWithoutATokenAndLeavesTheOthers)
}

func sampleRefusesRowsWithoutATokenAndLeavesTheOthers(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	b := newSampleBatch(rand.New(rand.NewPCG(9, 10)), 6, 5000, 0)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for s, v := range []float32{nan, inf, minusInf, minusInf} {
		b.logits[s*b.stride+4321] = v
	}
	for i := range b.vocab {
		b.logits[2*b.stride+i] = minusInf
	}
	b.rows[b.owner[4]] = -1 // padding: an id, but nothing in the pool
	b.rules[4].Repetition, b.rules[4].Presence, b.rules[4].Frequency = 1, 0, 0
	got := b.run(g)
	for s, none := range []bool{true, true, true, false, false, false} {
		if (got.ids[s] < 0) != none {
			t.Errorf("sample %d has id %d", s, got.ids[s])
		}
	}
	b.check(t, got)
}

func TestSample_ReferenceMatchesPublishedAndAgreedValues(t *testing.T) {
	if got, want := philox([4]uint32{}, [2]uint32{}), ([4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}); got != want {
		t.Errorf("philox(0, 0) = %x, want %x", got, want) // the known answers of Random123
	}
	for r, want := range map[uint32]uint32{0: 0x41b6fda9, 1: 0x41ae33b3, 0xffffff: 0x40b16211, 0x80000000: 0x3ebba795, 0xdeadbeef: 0xbf36631e, 0xffffffff: 0xc033f049} {
		if got := math.Float32bits(gumbel(r)); got != want {
			t.Errorf("gumbel(%#x) = %#x, want %#x", r, got, want)
		}
	}
	for x, want := range map[float32]uint32{0: 0x3f800000, -1: 0x3ebc5ab2, -3.25: 0x3d1ed1b4, -63.9: 0x1160b058, -64.1: 0} {
		if got := math.Float32bits(expOf(x)); got != want {
			t.Errorf("expOf(%g) = %#x, want %#x", x, got, want)
		}
	}
	if n := unsafe.Sizeof(rule{}); n != SamplingBytes {
		t.Errorf("a rule takes %d bytes, want %d", n, SamplingBytes)
	}
}
