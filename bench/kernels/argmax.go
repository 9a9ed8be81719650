package kernels

import (
	"fmt"
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// argmaxCases are the ends of greedy steps: logits in memory and the choice from them, and on Hopper both at once. The launches of
// one count as one kernel.
func argmaxCases() []Case {
	var out []Case
	for _, w := range matrices {
		if w.kernel != "logits" {
			continue
		}
		for _, m := range []int{1, 16, 64, 96, 128, 192, 256} {
			out = append(out, argmaxCase("logits_sample", w, m, 4*m*w.n), argmaxCase("argmax_logits", w, m, 0))
		}
	}
	return out
}

// argmaxCase reads x [M,K] and w [N,K], and writes so many bytes of logits or does without them.
func argmaxCase(kernel string, w matrix, m, logits int) Case {
	room := sizes{hot: 2 * m * w.k, cold: 2 * w.n * w.k, out: logits}
	return Case{
		Kernel: kernel, Name: w.name, Dims: fmt.Sprintf("M=%d N=%d K=%d", m, w.n, w.k), op: "linear", m: m, n: w.n, k: w.k, room: room,
		Bytes: float64(room.hot + room.cold + 2*room.out), Ops: 2 * float64(m) * float64(w.n) * float64(w.k),
		make: func(g *machine) (call, error) { return g.argmax(w, m, logits == 0) },
	}
}

// argmax has logits of standard deviation 2.
func (g *machine) argmax(w matrix, m int, atOnce bool) (call, error) {
	if atOnce && !g.k.Hopper() {
		return nil, fmt.Errorf("argmax_logits runs on Hopper alone")
	}
	s, err := g.samples(m, w.n, backend.Sampling{Logprobs: -1})
	if err != nil {
		return nil, err
	}
	scale := 2 / float32(math.Sqrt(float64(w.k)))
	x, weights := tensor.Of(g.hot.base, tensor.BF16, m, w.k), g.matrices(g.cold, w.n, w.k)
	s.Logits = tensor.Of(g.out.base, tensor.F32, m, w.n)
	if atOnce {
		return func(i int) error { return g.k.ArgmaxLogits(g.s, s, x, weights(i), scale, 0, 0, 0) }, nil
	}
	return func(i int) error {
		if err := g.k.Logits(g.s, s.Logits, x, weights(i), scale, 0); err != nil {
			return err
		}
		return g.k.Sample(g.s, s, 0)
	}, nil
}
