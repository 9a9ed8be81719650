package cuda

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
)

// TestSelfTest_FusedBlocksGoOnToFurtherTiles plays a GPU of one multiprocessor, whose blocks take several tiles, with warps
// that take turns in several orders.
func TestSelfTest_FusedBlocksGoOnToFurtherTiles(t *testing.T) {
	for seed := range uint64(3) {
		if testing.Short() && seed > 0 {
			break
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			lib := drivertest.Simulate(t, drivertest.Config{Major: 9, SMs: 1, Memory: 1 << 30, Seed: seed})
			b, err := OpenWith(lib, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := &selfTest{b: b, memory: memory{ctx: b.ctx}, rng: rand.New(rand.NewPCG(1, seed))}
			s.fused()
			for _, c := range s.checks {
				if c.Err != nil {
					t.Errorf("%s: %v", c.Name, c.Err)
				}
			}
			if err := join(s.memory.close(), b.Close()); err != nil {
				t.Errorf("Close() = %v", err)
			}
		})
	}
}
