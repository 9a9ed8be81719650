package cuda

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// TestFuses_WhatWasMeasuredToBeFaster has the matrices of Qwen3-0.6B and 8B: gate+up for most of mostGated, q+k+v of mostHeads.
func TestFuses_WhatWasMeasuredToBeFaster(t *testing.T) {
	onThread(t)
	for _, c := range []struct {
		name         string
		gpu          drivertest.Config
		o            Options
		tokens, n, k int
		most         int
		want         bool
	}{
		{"0.6B gate+up", drivertest.Config{}, Options{}, 1, 6144, 1024, mostGated, true},
		{"0.6B gate+up for 32", drivertest.Config{}, Options{}, 32, 6144, 1024, mostGated, true},
		{"0.6B gate+up for 33", drivertest.Config{}, Options{}, 33, 6144, 1024, mostGated, false},
		{"8B gate+up", drivertest.Config{}, Options{}, 1, 24576, 4096, mostGated, false},
		{"8B q+k+v", drivertest.Config{}, Options{}, 16, 6144, 4096, mostHeads, true},
		{"one by one", drivertest.Config{}, Options{Single: true}, 1, 6144, 1024, mostGated, false},
		{"deterministic", drivertest.Config{}, Options{Deterministic: true}, 1, 6144, 1024, mostGated, false},
		{"f16", drivertest.Config{}, Options{Elem: tensor.F16}, 1, 6144, 1024, mostGated, false},
		{"sm_80", drivertest.Config{Major: 8}, Options{}, 1, 6144, 1024, mostGated, false},
	} {
		lib, err := drivertest.New(c.gpu).Library()
		if err != nil {
			t.Fatal(err)
		}
		b, err := OpenWith(lib, 0, c.o)
		if err != nil {
			t.Fatal(err)
		}
		stream := backend.Residual{Sum: tensor.Of(0, tensor.BF16, c.tokens, c.k)}
		norm := backend.Norm{W: &weight{}}
		if _, ok := b.fuses(stream, norm, tensor.Of(0, tensor.BF16, c.n, c.k), c.most); ok != c.want {
			t.Errorf("%s: fused %v, want %v", c.name, ok, c.want)
		}
		stream.Next = stream.Sum
		if _, ok := b.fuses(stream, norm, tensor.Of(0, tensor.BF16, c.n, c.k), c.most); ok {
			t.Errorf("%s: fused with something left to add to the stream", c.name)
		}
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
}
