package golden_test

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/internal/golden"
)

func openCPU(*testing.T) backend.Backend { return cpu.New(cpu.Options{Threads: 2}) }

// The tolerance is f32's: sums in another order than transformers'.
func TestCPU_AgreesWithTransformers(t *testing.T) { golden.Run(t, openCPU, 1e-4) }

func TestCPU_DecodesSmolLM2AsTransformers(t *testing.T) { golden.RunSmolLM2(t, openCPU, 0, 1e-4) }
