package golden_test

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// openGPU returns what opens d's first GPU with o.
func openGPU(d drivertest.Device, o cuda.Options) golden.Open {
	return func(t *testing.T) backend.Backend {
		t.Helper()
		runtime.LockOSThread() // a CUDA context belongs to a thread; the test's goroutine ends with it
		b, err := cuda.OpenWith(d.Library, 0, o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// The tolerance is bf16's: activations and weights have 8 bits.
func TestGPU_AgreesWithTransformers(t *testing.T) { agrees(t, cuda.Options{}, 2e-2) }

// A kernel for each operation rounds more often than those that do several.
func TestGPU_SingleAgreesWithTransformers(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		gpu, err := d.Library.Device(0)
		if err != nil {
			t.Fatal(err)
		}
		if gpu.Arch() != 90 {
			t.Skipf("skipped: kernels are fused on sm_90 alone, and this GPU is sm_%d", gpu.Arch())
		}
		agreesOn(t, d, cuda.Options{Single: true}, 2e-2)
	})
}

// f16 has 11.
func TestGPU_F16AgreesWithTransformers(t *testing.T) { agrees(t, cuda.Options{Elem: tensor.F16}, 4e-3) }

// simulated are the models that a simulated GPU computes, by whether it is the one of sm_90: all kernels of a forward pass,
// windows, caps, norms of heads, quantised weights, and sizes that no tile fits.
var simulated = map[bool][]string{false: {"gguf-gemma2", "llama-odd"}, true: {"qwen3", "gemma3"}}

func agrees(t *testing.T, o cuda.Options, tolerance float64) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) { agreesOn(t, d, o, tolerance) })
}

func agreesOn(t *testing.T, d drivertest.Device, o cuda.Options, tolerance float64) {
	if d.Simulated {
		golden.Run(t, openGPU(d, o), tolerance, simulated[d.Hopper]...)
		return
	}
	golden.Run(t, openGPU(d, o), tolerance)
}

// tooSlow leaves a test to real GPUs.
func tooSlow(t *testing.T, d drivertest.Device) {
	if d.Simulated {
		t.Skip("skipped: a simulated GPU would take many minutes")
	}
}

// TestGPU_SmolLM2AgreesUpToNearTies holds the type that the file is computed in by default, and tells how near bf16 comes.
func TestGPU_SmolLM2AgreesUpToNearTies(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		tooSlow(t, d)
		c, err := weights.Open(golden.SmolLM2(t))
		if err != nil {
			t.Fatal(err)
		}
		elem := model.HalfType(c)
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		t.Run(elem.String()+", the default", func(t *testing.T) { golden.RunSmolLM2(t, openGPU(d, cuda.Options{Elem: elem}), 0.05, 0.005) })
		t.Run("bf16, for the figures", func(t *testing.T) { golden.RunSmolLM2(t, openGPU(d, cuda.Options{}), math.Inf(1), 0.005) })
	})
}

// shapes are configurations whose weights are random: projections of Qwen3-0.6B and of SmolLM2-135M, two layers each.
var shapes = map[string]string{
	"qwen3": `{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 2,
		"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 8192, "max_position_embeddings": 2048,
		"rms_norm_eps": 1e-6, "rope_theta": 1000000, "tie_word_embeddings": true, "hidden_act": "silu", "torch_dtype": "bfloat16"}`,
	"llama": `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 2,
		"num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64, "vocab_size": 8192, "max_position_embeddings": 2048,
		"rms_norm_eps": 1e-5, "rope_theta": 100000, "tie_word_embeddings": true, "hidden_act": "silu", "torch_dtype": "bfloat16"}`,
}

func TestGPU_DeterministicResultsDependOnTheirRequestAlone(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		tooSlow(t, d)
		for name, config := range shapes {
			for _, elem := range []tensor.DType{tensor.BF16, tensor.F16} {
				t.Run(name+" in "+elem.String(), func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "config.json")
					if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
						t.Fatal(err)
					}
					o := cuda.Options{Deterministic: true, Elem: elem}
					d := golden.Deterministic{
						Open:    func() (backend.Backend, error) { return cuda.OpenWith(d.Library, 0, o) },
						Weights: func() (*weights.Checkpoint, error) { return weights.OpenDummy(path) },
						Context: 600, Trials: 4,
					}
					d.Run(t)
				})
			}
		}
	})
}
