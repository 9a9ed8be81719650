package cuda

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tensor"
)

// served is the small model as an engine runs it.
type served struct{ *tiny }

func (m served) Forward(_ backend.Kernels, b *backend.Batch) tensor.View { return m.forward(b) }
func (m served) Vocab() int                                              { return testVocab }
func (m served) MaxContext() int                                         { return testContext }
func (m served) KVSpec(slots int) backend.KVSpec {
	return backend.KVSpec{Layers: 1, KVHeads: testKV, HeadDim: testDim, Slots: slots}
}

// TestEngine_ALostDeviceEndsEveryRequestWithADeviceError has the device fail under an engine that serves two requests:
// a wild address, a fault in a kernel, a broken memory cell.
func TestEngine_ALostDeviceEndsEveryRequestWithADeviceError(t *testing.T) {
	for _, code := range []driver.Result{driver.IllegalAddress, driver.LaunchFailed, driver.ECCUncorrectable} {
		for _, call := range []string{"cuGraphLaunch", "cuEventRecord", "cuEventSynchronize", "cuLaunchKernel"} {
			fake := drivertest.New(drivertest.Config{})
			var b *Backend
			e, err := engine.Start(engine.Options{MaxRequests: 2, StepTokens: 16, KVTokens: 64}, func() (backend.Backend, engine.Model, error) {
				lib, err := fake.Library()
				if err != nil {
					return nil, nil, err
				}
				if b, err = OpenWith(lib, 0, Options{}); err != nil {
					return nil, nil, err
				}
				m, err := loadSmall(b)
				return b, served{m}, err
			})
			if err != nil {
				t.Fatal(err)
			}
			clear(fake.Memory(b.results.ids.Ptr, b.results.all)) // kernels do nothing here: every token is 0
			fake.FailCall(call, 3, code)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			var gens []*engine.Generation
			for range 2 {
				g, err := e.Submit(engine.Request{Prompt: []int32{1, 2, 3}, MaxTokens: 20, Sampling: engine.DefaultSampling(), Logprobs: -1})
				if err != nil {
					t.Fatal(err)
				}
				gens = append(gens, g)
			}
			for i, g := range gens {
				var device *engine.DeviceError
				if err := drain(ctx, g); !errors.As(err, &device) || !errors.Is(err, code) || !driver.Sticky(err) {
					t.Errorf("%s fails with %d: request %d ends with %v, want a sticky DeviceError of that code", call, code, i, err)
				}
			}
			if _, err := e.Submit(engine.Request{Prompt: []int32{1}, MaxTokens: 1, Sampling: engine.DefaultSampling(), Logprobs: -1}); !errors.Is(err, code) {
				t.Errorf("%s failed with %d: Submit() = %v, want that", call, code, err)
			}
			if err := e.Close(); !errors.Is(err, code) {
				t.Errorf("%s failed with %d: Close() = %v, want that", call, code, err)
			}
			cancel()
			fake.Check(t)
		}
	}
}

// drain reads g to its end.
func drain(ctx context.Context, g *engine.Generation) error {
	for {
		if _, err := g.Next(ctx, nil); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
