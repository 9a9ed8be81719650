package weft_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
)

// TestMemory_TenThousandRequestsTakeNone: after the model is open, no request makes the driver allocate, free or map
// memory, on either side.
func TestMemory_TenThousandRequestsTakeNone(t *testing.T) {
	const all, together = 10_000, 64
	fake := fakegpu.New(nil)
	m, err := weft.Open(golden.Chat(t), weft.Options{
		CacheDir: "off", Engine: engine.Options{MaxContext: 48, MaxRequests: 16, StepTokens: 64, KVTokens: 400, Queue: together},
		Backend: func() (backend.Backend, error) { return fakegpu.Open(fake) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Check(t)
	defer m.Close()
	memory := func() int { return fake.Count("cuMem") - fake.Count("cuMemcpy") - fake.Count("cuMemset") }
	before := memory()
	r := rand.New(rand.NewPCG(2, 2))
	var flying []*engine.Generation
	for range all {
		prompt := make([]int32, 1+r.IntN(20))
		for i := range prompt {
			prompt[i] = r.Int32N(4)
		}
		q := greedyRequest(prompt, 1+r.IntN(4))
		if r.IntN(4) == 0 {
			q.Sampling, q.Logprobs = engine.DefaultSampling(), r.IntN(6)
		}
		flying = append(flying, submit(t, m, q))
		if len(flying) == together {
			if got := drawn(t, flying[0]); len(got) == 0 || got[0].ID != fakegpu.Token {
				t.Fatalf("a request draws %v", got)
			}
			flying = flying[1:]
		}
	}
	for _, g := range flying {
		drawn(t, g)
	}
	if before == 0 {
		t.Error("opening the model took no memory: the count shows nothing")
	}
	if n := memory() - before; n != 0 {
		t.Errorf("%d requests made %d calls for memory", all, n)
	}
}

// TestMemory_AFullGPUSaysWhatToLower: every size of GPU that is too small for a model gives an error that says what to
// do, and leaves nothing behind.
func TestMemory_AFullGPUSaysWhatToLower(t *testing.T) {
	dir := golden.Chat(t)
	told := map[string]int{"cannot open the kernels": 0, "pick a smaller model": 0, "Lower --step-tokens or --max-requests": 0, "Lower --max-context or --step-tokens": 0}
	step := int64(512 << 10)
	for memory := int64(64 << 10); ; memory += step {
		fake := fakegpu.WithMemory(memory)
		m, err := weft.Open(dir, weft.Options{
			CacheDir: "off", Engine: engine.Options{MaxContext: 128, MaxRequests: 4, StepTokens: 64},
			Backend: func() (backend.Backend, error) { return fakegpu.Open(fake) },
		})
		if err == nil {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if step < 64<<10 {
				break
			}
			memory -= step // the last part again, in small steps
			step = 32 << 10
			continue
		}
		fake.Check(t)
		if memory > 64<<20 {
			t.Fatalf("with %d MiB it still says %v", memory>>20, err)
		}
		known := false
		for text := range told {
			if strings.Contains(err.Error(), text) {
				told[text]++
				known = true
			}
		}
		if !known {
			t.Errorf("with %d KiB: %v", memory>>10, err)
		}
	}
	for text, n := range told {
		if n == 0 {
			t.Errorf("no size of memory gives an error with %q", text)
		}
	}
}
