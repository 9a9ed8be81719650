package kernels

import (
	"fmt"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// matrix is one weight of a model; kernel is linear, gated_linear or logits.
type matrix struct {
	kernel, name string
	n, k         int
}

var matrices = []matrix{
	{"linear", "0.6B qkv", 4096, 1024}, {"linear", "0.6B o", 1024, 2048}, {"gated_linear", "0.6B gate+up", 6144, 1024},
	{"linear", "0.6B down", 1024, 3072}, {"logits", "0.6B head", 151936, 1024},
	{"linear", "8B qkv", 6144, 4096}, {"linear", "8B o", 4096, 4096}, {"gated_linear", "8B gate+up", 24576, 4096},
	{"linear", "8B down", 4096, 12288}, {"logits", "8B head", 151936, 4096}, {"gated_linear", "llama gate+up", 28672, 4096},
	{"linear", "llama down", 4096, 14336},
}

// linearCases are the matrices at decode and prefill sizes, and the square products that libraries are measured by.
func linearCases() []Case {
	var out []Case
	for _, w := range matrices {
		for _, m := range []int{1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 512, 1024, 2048, 4096, 8192} {
			if w.kernel == "logits" && m > 256 || w.n > 25000 && w.kernel == "gated_linear" && m > 1 && m != 64 && m < 2048 {
				continue
			}
			out = append(out, linearCase(w, m))
		}
	}
	for _, n := range []int{4096, 8192} {
		out = append(out, linearCase(matrix{"linear", "square", n, n}, n))
	}
	return out
}

// linearCase is y [M,N] = x [M,K] · w [N,K]ᵀ. x is not read anew: the kernel ahead has written it.
func linearCase(w matrix, m int) Case {
	y := 2 * m * w.n
	switch w.kernel {
	case "gated_linear":
		y /= 2
	case "logits":
		y *= 2
	}
	room := sizes{hot: 2 * m * w.k, cold: 2 * w.n * w.k, out: y}
	return Case{
		Kernel: w.kernel, Name: w.name, Dims: fmt.Sprintf("M=%d N=%d K=%d", m, w.n, w.k),
		Bytes: float64(room.hot + room.cold + room.out), Ops: 2 * float64(m) * float64(w.n) * float64(w.k),
		op: "linear", m: m, n: w.n, k: w.k, room: room,
		make: func(g *machine) (call, error) { return g.linear(w, m), nil },
	}
}

func (g *machine) linear(w matrix, m int) call {
	x, weights := tensor.Of(g.hot.base, tensor.BF16, m, w.k), g.turns(g.cold, 2*w.n*w.k)
	at := func(i int) tensor.View { return tensor.Of(weights(i), tensor.BF16, w.n, w.k) }
	switch w.kernel {
	case "gated_linear":
		y := tensor.Of(g.out.base, tensor.BF16, m, w.n/2)
		return func(i int) error { return g.k.GatedLinear(g.s, y, x, at(i), ptx.SiLU) }
	case "logits":
		y := tensor.Of(g.out.base, tensor.F32, m, w.n)
		return func(i int) error { return g.k.Logits(g.s, y, x, at(i), 1, 0) }
	}
	y := tensor.Of(g.out.base, tensor.BF16, m, w.n)
	return func(i int) error { return g.k.Linear(g.s, y, x, at(i), tensor.View{}) }
}
