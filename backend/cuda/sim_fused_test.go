package cuda

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/driver/drivertest"
)

// simulated opens a GPU of few multiprocessors, so that blocks go on to further tiles.
func simulated(t *testing.T, sms int, o Options) *Backend {
	t.Helper()
	onThread(t)
	fake := drivertest.New(drivertest.Config{Major: 9, Run: true, SMs: sms, Memory: 2 << 30})
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenWith(lib, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
		fake.Check(t)
	})
	return b
}

func TestSimulated_Fused(t *testing.T) {
	b := simulated(t, 1, Options{Fused: true})
	s := &selfTest{b: b, memory: memory{ctx: b.ctx}, rng: rand.New(rand.NewPCG(1, 2))}
	s.fused()
	if err := s.memory.close(); err != nil {
		t.Error(err)
	}
	for _, c := range s.checks {
		t.Logf("%s: %v", c.Name, c.Err)
		if c.Err != nil {
			t.Errorf("%s: %v", c.Name, c.Err)
		}
	}
}

func TestSimulated_FusedConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backend.Backend { return simulated(t, 4, Options{Fused: true}) })
}
