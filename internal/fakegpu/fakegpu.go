// Package fakegpu is a GPU played in Go on which a whole server runs: its kernels compute nothing, but each sampled
// token is Token, and results reach the host.
package fakegpu

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

// Token is what every request draws, always.
const Token = 40

// New makes the GPU. before is called for each step; it may be nil.
func New(before func()) *drivertest.Fake { return play(drivertest.Config{}, before) }

// WithMemory makes a GPU of n bytes.
func WithMemory(n int64) *drivertest.Fake { return play(drivertest.Config{Memory: n}, nil) }

func play(c drivertest.Config, before func()) *drivertest.Fake {
	fake := drivertest.New(c)
	fake.Record(false)
	fake.Kernel("sample_draw", func(l *drivertest.Launch) driver.Result { // arguments: ptx.Samples
		const ids = 64
		if before != nil {
			before()
		}
		out := l.Memory(l.Ptr(ids), int64(4*l.Grid.Y))
		clear(out)
		for i := 0; i < len(out); i += 4 {
			out[i] = Token
		}
		return driver.Success
	})
	fake.Kernel("step_end", func(l *drivertest.Launch) driver.Result { // arguments: host, results, words
		n := int64(4 * l.I32(16))
		copy(l.Memory(l.Ptr(0), n), l.Memory(l.Ptr(8), n))
		return driver.Success
	})
	return fake
}

// Open is for weft.Options.Backend.
func Open(fake *drivertest.Fake) (backend.Backend, error) {
	lib, err := fake.Library()
	if err != nil {
		return nil, err
	}
	b, err := cuda.OpenWith(lib, 0, cuda.Options{Chunk: 1 << 14})
	if err != nil {
		return nil, err
	}
	return b, nil
}
