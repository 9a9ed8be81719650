// Package kernels times the GPU kernels on the shapes that models have: random data, weights read from memory, medians
// over replays of a CUDA graph, beside the floor that the bytes and operations set.
package kernels

import "fmt"

// Case is one linear operation: y [M,N] = x [M,K] · w [N,K]ᵀ.
type Case struct {
	Name    string
	M, N, K int
	Kind    Kind
}

// Kind is what follows the product.
type Kind string

const (
	Plain  Kind = "plain"  // bf16
	Gated  Kind = "gated"  // SiLU(gate)·up in the same kernel; peers are timed on the product alone
	Logits Kind = "logits" // f32
)

// matrix is one weight of a model.
type matrix struct {
	name string
	n, k int
	kind Kind
}

var matrices = []matrix{
	{"0.6B qkv", 4096, 1024, Plain}, {"0.6B o", 1024, 2048, Plain}, {"0.6B gate+up", 6144, 1024, Gated},
	{"0.6B down", 1024, 3072, Plain}, {"0.6B head", 151936, 1024, Logits},
	{"8B qkv", 6144, 4096, Plain}, {"8B o", 4096, 4096, Plain}, {"8B gate+up", 24576, 4096, Gated},
	{"8B down", 4096, 12288, Plain}, {"8B head", 151936, 4096, Logits}, {"llama gate+up", 28672, 4096, Gated},
	{"llama down", 4096, 14336, Plain},
}

// Cases are the matrices at decode and prefill sizes, and the square products that libraries are measured by.
func Cases() []Case {
	var out []Case
	for _, m := range matrices {
		for _, t := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192} {
			if m.kind == Logits && t > 256 || m.n > 25000 && m.kind == Gated && t > 1 && t != 64 && t < 2048 {
				continue
			}
			out = append(out, Case{m.name, t, m.n, m.k, m.kind})
		}
	}
	for _, n := range []int{4096, 8192} {
		out = append(out, Case{fmt.Sprintf("square %d", n), n, n, n, Plain})
	}
	return out
}

// Bytes are the fewest that the case moves: each operand once.
func (c Case) Bytes() float64 {
	n, k, m := float64(c.N), float64(c.K), float64(c.M)
	y := 2 * m * n
	switch c.Kind {
	case Gated:
		y /= 2
	case Logits:
		y *= 2
	}
	return 2*n*k + 2*m*k + y
}

// Ops are the floating-point operations.
func (c Case) Ops() float64 { return 2 * float64(c.M) * float64(c.N) * float64(c.K) }

// Ceilings of one NVIDIA H200, measured: reading, and cuBLAS's bf16 product of 8192³ on random data.
const (
	readBytes = 4.5e12
	bf16Ops   = 0.79e15
)

// Floor is the least time in µs: the larger of its bytes' and its operations'.
func (c Case) Floor() float64 { return 1e6 * max(c.Bytes()/readBytes, c.Ops()/bf16Ops) }
