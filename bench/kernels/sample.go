package kernels

import (
	"fmt"
	"unsafe"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// sampleCases are the choices of a token from Qwen3's vocabulary. The launches of one choice count as one kernel.
func sampleCases() []Case {
	const vocab = 151936
	var out []Case
	for _, c := range []struct {
		name string
		need ptx.Need
		rule backend.Sampling
	}{
		{"greedy", 0, backend.Sampling{Logprobs: -1}},
		{"temperature", 0, backend.Sampling{Temperature: 1, TopP: 1, Logprobs: -1}},
		{"top-k 50 top-p 0.9", ptx.NeedSelect, backend.Sampling{Temperature: 1, TopK: 50, TopP: 0.9, Logprobs: -1}},
		{"top-p 0.9", ptx.NeedSelect, backend.Sampling{Temperature: 1, TopP: 0.9, Logprobs: -1}},
		{"logprobs", ptx.NeedLogprobs, backend.Sampling{Temperature: 1, TopP: 1, Logprobs: 20}},
	} {
		for _, n := range []int{1, 16, 128} {
			out = append(out, Case{
				Kernel: "sample", Name: c.name, Dims: fmt.Sprintf("S=%d V=%d", n, vocab), Bytes: 4 * float64(n) * vocab, m: n,
				room: sizes{cold: 4 * n * vocab},
				make: func(g *machine) (call, error) { return g.sample(n, vocab, c.rule, c.need) },
			})
		}
	}
	return out
}

// sample takes the random data as logits: the upper half of an f32 is a bf16.
func (g *machine) sample(n, vocab int, rule backend.Sampling, need ptx.Need) (call, error) {
	s, err := g.samples(n, vocab, rule)
	logits := g.turns(g.cold, 4*n*vocab)
	return func(i int) error {
		s.Logits = tensor.Of(logits(i), tensor.F32, n, vocab)
		return g.k.Sample(g.s, s, need)
	}, err
}

// samples are n rows that want what rule says, but for the logits.
func (g *machine) samples(n, vocab int, rule backend.Sampling) (s ptx.Samples, err error) {
	limits := ptx.SampleLimits{Samples: n, Vocab: vocab, MaxContext: 16, Biases: 1}
	rules, rows := make([]backend.Sampling, n), make([]int32, n)
	for i := range rows {
		rule.Seed = uint64(i)
		rules[i], rows[i] = rule, int32(i)
	}
	words := unsafe.Slice((*int32)(unsafe.Pointer(&rules[0])), n*ptx.SamplingBytes/4)
	const top = ptx.MaxTopLogprobs
	for _, v := range []struct {
		to   *tensor.View
		data []int32
		as   tensor.View
	}{
		{&s.Rules, words, tensor.Of(0, tensor.U8, n, ptx.SamplingBytes)}, {&s.Owner, rows, tensor.Of(0, tensor.I32, n)},
		{&s.Rows, rows, tensor.Of(0, tensor.I32, n)}, {&s.Context, make([]int32, n), tensor.Of(0, tensor.I32, n)},
		{&s.Pool, make([]int32, 16*n), tensor.Of(0, tensor.I32, n, 16)}, {&s.IDs, rows, tensor.Of(0, tensor.I32, n)},
		{&s.Logprobs, rows, tensor.Of(0, tensor.F32, n)}, {&s.TopIDs, make([]int32, top*n), tensor.Of(0, tensor.I32, n, top)},
		{&s.TopLogprobs, make([]int32, top*n), tensor.Of(0, tensor.F32, n, top)},
		{&s.Work, make([]int32, ptx.SampleWork(limits)/4), tensor.Of(0, tensor.U8, int(ptx.SampleWork(limits)))},
	} {
		at, err := g.ints(v.data)
		if err != nil {
			return s, err
		}
		*v.to = v.as
		v.to.Ptr = at.Ptr
	}
	s.Limits = limits
	return s, nil
}
