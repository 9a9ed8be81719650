// Package model turns a checkpoint into a forward pass over the operations of package backend. It does not know
// where it runs.
package model

import (
	"fmt"
	"sort"
	"strings"
)

// normLayout is where a block normalises.
type normLayout uint8

const (
	preNorm      normLayout = iota // x + f(norm(x)): Llama and most
	sandwichNorm                   // x + norm(f(norm(x))): Gemma-2, Gemma-3
	postNorm                       // x + norm(f(x)): OLMo-2
)

// qkNorm is whether queries and keys are normalised.
type qkNorm uint8

const (
	noQKNorm    qkNorm = iota
	headQKNorm         // each head by itself: Qwen3, Gemma-3
	widthQKNorm        // all heads as one vector: OLMo-2
)

// family is what tells architectures apart beyond their configuration.
type family struct {
	norm   normLayout
	qkNorm qkNorm
	fused  bool // q, k, v are one tensor, and gate and up another: Phi-3
	wide   bool // the residual stream may pass 65504, where f16 ends
}

// families is every architecture that weft runs; all share one decoder. Gemma's streams are wide by what is known of its
// models: their embeddings are multiplied by the root of the hidden size, each block adds a norm with large weights, and
// vLLM refuses float16 for them. Granite's is by Load, which keeps it divided by residual_multiplier: four to five times as
// large as the one that the model was trained with.
var families = map[string]family{
	"LlamaForCausalLM":               {},
	"MistralForCausalLM":             {},
	"Qwen2ForCausalLM":               {},
	"Qwen3ForCausalLM":               {qkNorm: headQKNorm},
	"Gemma2ForCausalLM":              {norm: sandwichNorm, wide: true},
	"Gemma3ForCausalLM":              {norm: sandwichNorm, qkNorm: headQKNorm, wide: true},
	"Gemma3ForConditionalGeneration": {norm: sandwichNorm, qkNorm: headQKNorm, wide: true}, // its text part
	"Phi3ForCausalLM":                {fused: true},                                        // Phi-3, Phi-3.5, Phi-4
	"SmolLM3ForCausalLM":             {},
	"GraniteForCausalLM":             {wide: true},
	"Olmo2ForCausalLM":               {norm: postNorm, qkNorm: widthQKNorm},
}

// Architectures lists the architectures that weft runs.
func Architectures() []string {
	out := make([]string, 0, len(families))
	for name := range families {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func familyOf(arch string) (family, error) {
	f, ok := families[arch]
	if !ok {
		return f, fmt.Errorf("the architecture %q is unknown; the nearest known one is %s, all are %s", arch, nearest(arch), strings.Join(Architectures(), ", "))
	}
	return f, nil
}

// nearest returns the known architecture at the least edit distance from arch.
func nearest(arch string) string {
	best, least := "", -1
	for _, name := range Architectures() {
		if d := distance(stem(arch), stem(name)); least < 0 || d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// stem is the part of an architecture's name that differs: "qwen2" of "Qwen2ForCausalLM".
func stem(arch string) string {
	s, _, _ := strings.Cut(strings.ToLower(arch), "for")
	return s
}
