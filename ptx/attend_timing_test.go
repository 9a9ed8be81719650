package ptx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/tensor"
)

// BenchmarkAttendPrefill and the others here are run with -benchtime 1x: the medians are of 20 replays of a graph.
func BenchmarkAttendPrefill(b *testing.B) {
	g := onGPU(b)
	const heads, kvHeads = 32, 8
	for _, d := range []int{128, 64} {
		for _, n := range []int{512, 1024, 2048, 4096, 8192, 16384} {
			for _, v := range g.k.attendVariants() {
				if v.Name == prefillHopper && !prefillsOnHopper(d, 0) {
					continue
				}
				b.Run(fmt.Sprintf("hd%d/%d/%s", d, n, v.Name), func(b *testing.B) {
					g := g.in(b)
					g.must(g.k.Force(v.Op, v.Name))
					q, y := g.random(b, tensor.BF16, n, heads*d), g.random(b, tensor.BF16, n, heads*d)
					kv, r := g.cache(kvHeads, d, repeated(int32(n), 1), repeated(int32(n), 1), 0)
					f := Scores{Scale: float32(1 / math.Sqrt(float64(d)))}
					g.must(g.k.ReserveDecode(g.s, d, kvHeads, 1)) // as beside decode
					t := g.time(b, 4, func(int) error { return g.k.AttendPrefill(g.s, y, q, kv, r, f) })
					flop := 2 * float64(n) * float64(n+1) * float64(heads*d) // 4·D a visible pair
					b.ReportMetric(float64(t.Nanoseconds())/1e3, "µs/launch")
					b.ReportMetric(flop/t.Seconds()/1e12, "TFLOP/s")
				})
			}
		}
	}
}

func BenchmarkAttendDecode(b *testing.B) {
	g := onGPU(b)
	const d, kvHeads = 128, 8
	for _, c := range []struct{ requests, context, group int }{
		{1, 1024, 4}, {1, 1024, 2}, {1, 8192, 4}, {1, 32768, 4}, {16, 640, 2}, {16, 1024, 4}, {64, 640, 2}, {64, 1024, 4}, {64, 4096, 4},
		{256, 640, 2}, {256, 640, 4}, {256, 1024, 4}, {256, 2048, 4},
	} {
		contexts := repeated(int32(c.context), c.requests)
		rng := rand.New(rand.NewPCG(4, 4))
		for i := range contexts {
			contexts[i] += rng.Int32N(128) * int32(min(i, 1))
		}
		total := 0
		for _, x := range contexts {
			total += int(x)
		}
		for _, v := range g.k.attendVariants() {
			if v.Op != "attend_decode" {
				continue
			}
			b.Run(fmt.Sprintf("B%d/%d/g%d/%s", c.requests, c.context, c.group, v.Name), func(b *testing.B) {
				g := g.in(b)
				g.must(g.k.Force(v.Op, v.Name))
				layers := max(1, 256<<20/(total*kvHeads*d*4)) // more than the L2 holds
				q, y := g.random(b, tensor.BF16, c.requests, c.group*kvHeads*d), g.random(b, tensor.BF16, c.requests, c.group*kvHeads*d)
				kv, r := make([]KV, layers), Requests{}
				for i := range kv {
					kv[i], r = g.cache(kvHeads, d, contexts, repeated(1, c.requests), c.requests)
					kv[i].Pages = kv[0].Pages // layers share them
				}
				g.must(g.k.ReserveDecode(g.s, d, kvHeads, c.requests))
				t := g.time(b, max(layers, 4), func(i int) error {
					return g.k.AttendDecode(g.s, y, q, kv[i%layers], r, Scores{Scale: 0.1})
				})
				bytes := float64(total) * kvHeads * d * 4
				b.ReportMetric(float64(t.Nanoseconds())/1e3, "µs/launch")
				b.ReportMetric(bytes/t.Seconds()/1e9, "GB/s")
			})
		}
	}
}

// cache makes a cache in which each request's slots are runs of 16 in random order, as a busy server's become.
func (b *bench) cache(kvHeads, d int, context, fresh []int32, decodes int) (KV, Requests) {
	n, longest, total := len(context), 0, 0
	start := []int32{0}
	for i, c := range context {
		longest, total = max(longest, int(c)), total+roundUp(int(c), 16)
		start = append(start, start[i]+fresh[i])
	}
	runs := rand.New(rand.NewPCG(2, 2)).Perm(total / 16)
	pages, rows, at := make([]int32, n*longest), make([]int32, n), 0
	for r, c := range context {
		rows[r] = int32(r)
		for p := range c {
			pages[r*longest+int(p)] = int32(16*runs[at+int(p)/16]) + p%16
		}
		at += ceilDiv(int(c), 16)
	}
	plane := func() tensor.View {
		return tensor.Of(b.random(b, tensor.BF16, kvHeads*total, d).Ptr, tensor.BF16, kvHeads, total, d)
	}
	kv := KV{K: plane(), V: plane(), Pages: put(b, tensor.I32, pages, n, longest)}
	r := Requests{Rows: put(b, tensor.I32, rows, n), Start: put(b, tensor.I32, start, n+1), Context: put(b, tensor.I32, context, n),
		Tokens: int(start[n]), Decodes: decodes}
	return kv, r
}

func BenchmarkSample(b *testing.B) {
	g := onGPU(b)
	for _, c := range []struct {
		name string
		need Need
		r    rule
	}{
		{"greedy", 0, rule{}},
		{"temperature", 0, rule{Temperature: 1, TopP: 1}},
		{"k50-p0.9", NeedSelect, rule{Temperature: 1, TopK: 50, TopP: 0.9}},
		{"p0.9", NeedSelect, rule{Temperature: 1, TopP: 0.9}},
		{"logprobs20", NeedLogprobs, rule{Temperature: 1, TopP: 1, Logprobs: 20}},
	} {
		for _, n := range []int{1, 16, 128} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				g := g.in(b)
				t := g.timeSample(n, c.r, c.need)
				b.ReportMetric(float64(t.Nanoseconds())/1e3, "µs/step")
			})
		}
	}
}

func (b *bench) timeSample(n int, r rule, need Need) time.Duration {
	const vocab = 151936
	rng := rand.New(rand.NewPCG(3, 3))
	logits := make([]float32, n*vocab)
	for i := range logits {
		logits[i] = float32(2 * rng.NormFloat64())
	}
	copies := max(1, 128/n) // together larger than the L2
	l := SampleLimits{Samples: n, Vocab: vocab, MaxContext: 16, Biases: 1}
	zero := put(b, tensor.I32, make([]int32, n), n)
	rows := make([]int32, n)
	rules := slices.Repeat([]rule{r}, n)
	for i := range rows {
		rows[i], rules[i].Seed = int32(i), uint64(i)
		if need&NeedLogprobs == 0 {
			rules[i].Logprobs = -1
		}
	}
	s := Samples{
		Rules: put(b, tensor.U8, rules, n, SamplingBytes), Owner: put(b, tensor.I32, rows, n), Rows: put(b, tensor.I32, rows, n), Context: zero,
		Pool: put(b, tensor.I32, make([]int32, 16*n), n, 16), IDs: put(b, tensor.I32, rows, n), Logprobs: put(b, tensor.F32, make([]float32, n), n),
		TopIDs: put(b, tensor.I32, make([]int32, n*MaxTopLogprobs), n, MaxTopLogprobs), TopLogprobs: put(b, tensor.F32, make([]float32, n*MaxTopLogprobs), n, MaxTopLogprobs),
		Work: put(b, tensor.U8, make([]byte, SampleWork(l)), int(SampleWork(l))), Limits: l,
	}
	views := make([]tensor.View, copies)
	for i := range views {
		views[i] = put(b, tensor.F32, logits, n, vocab)
	}
	return b.time(b, max(copies, 2), func(i int) error {
		s := s
		s.Logits = views[i%copies]
		return b.k.Sample(b.s, s, need)
	})
}
