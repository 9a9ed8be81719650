package golden_test

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/model/weights"
)

func openCPU(*testing.T) backend.Backend { return cpu.New(cpu.Options{Threads: 2}) }

// The tolerance is f32's: sums in another order than transformers'.
func TestCPU_AgreesWithTransformers(t *testing.T) { golden.Run(t, openCPU, 1e-4) }

func TestCPU_DecodesSmolLM2AsTransformers(t *testing.T) { golden.RunSmolLM2(t, openCPU, 0, 1e-4) }

// TestCPU_ResultsDependOnTheirRequestAlone is of models with and without windows, with weights of every width and odd sizes.
func TestCPU_ResultsDependOnTheirRequestAlone(t *testing.T) {
	for _, name := range []string{"qwen3", "gemma3", "llama-odd", "gguf-llama"} {
		t.Run(name, func(t *testing.T) {
			path := golden.Copy(t, name)
			d := golden.Deterministic{
				Open:    func() (backend.Backend, error) { return cpu.New(cpu.Options{Threads: 2}), nil },
				Weights: func() (*weights.Checkpoint, error) { return weights.Open(path) },
				Context: 96, Trials: 1,
			}
			d.Run(t)
		})
	}
}
