package cpu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/tensor"
)

// best reports the fastest of many short runs, since other processes share the machine.
func best(b *testing.B, work float64, unit string, f func()) {
	fastest := time.Hour
	for b.Loop() {
		start := time.Now()
		for range 4 {
			f()
		}
		fastest = min(fastest, time.Since(start)/4)
	}
	b.ReportMetric(work/fastest.Seconds()/1e9, unit)
}

func BenchmarkDot(b *testing.B) {
	const k, rows = 768, 192
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float32, k), make([]float32, 4)
	for _, kern := range available() {
		for t, dot := range kern.dots {
			w := randomBlocks(rng, t, rows*k)
			ld := int(t.Bytes(k))
			b.Run(fmt.Sprintf("%s/%s", kern.name, t), func(b *testing.B) {
				best(b, k*rows, "Gweights/s", func() {
					for r := 0; r < rows; r += 4 {
						dot(&y[0], &x[0], &w[r*ld], ld, k)
					}
				})
			})
		}
	}
}

func BenchmarkDequantise(b *testing.B) {
	const n = 256 * 24
	rng := rand.New(rand.NewPCG(1, 1))
	dst := make([]float32, n)
	for _, kern := range available() {
		for _, t := range []tensor.DType{tensor.F16, tensor.BF16, tensor.Q8_0, tensor.Q4_0, tensor.Q4_1, tensor.Q5_0, tensor.Q2_K, tensor.Q3_K, tensor.Q4_K, tensor.Q5_K, tensor.Q6_K, tensor.IQ4_XS} {
			f, src := kern.dequantise(t), randomBlocks(rng, t, n)
			b.Run(fmt.Sprintf("%s/%s", kern.name, t), func(b *testing.B) {
				best(b, n, "Gweights/s", func() { f(dst, src) })
			})
		}
	}
}

func BenchmarkTile(b *testing.B) {
	const tokens = 64
	for _, kern := range available() {
		for _, k := range []int{576, 1536, 4096} {
			x, w, y := make([]float32, tokens*k), make([]float32, kern.nr*k), make([]float32, tokens*kern.nr)
			b.Run(fmt.Sprintf("%s/k=%d", kern.name, k), func(b *testing.B) {
				best(b, float64(2*tokens*k*kern.nr), "GFLOP/s", func() { kern.tiles(y, kern.nr, x, k, tokens, w, k, k) })
			})
		}
	}
}

// BenchmarkStream reads weights from memory as they are loaded instead of a cache, a megabyte at a time.
func BenchmarkStream(b *testing.B) {
	const k, rows = 576, 480
	x, y := make([]float32, k), make([]float32, 4)
	c := New(Options{Threads: 1})
	defer c.Close()
	w := c.weights.take(100 << 20)
	if w == nil {
		b.Skip("skipped: memory is short")
	}
	for _, t := range []tensor.DType{tensor.Q4_1, tensor.Q8_0, tensor.BF16, tensor.F32} {
		ld, dot := int(t.Bytes(k)), c.kern.dots[t]
		for i := range w {
			w[i] = byte(i)
		}
		if dot == nil {
			continue
		}
		b.Run(t.String(), func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				for at := 0; at+rows*ld <= len(w); at += rows * ld {
					start := time.Now()
					for r := 0; r < rows; r += 4 {
						dot(&y[0], &x[0], &w[at+r*ld], ld, k)
					}
					times = append(times, time.Since(start))
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(rows*ld)/times[len(times)/4].Seconds()/1e9, "GB/s")
			b.ReportMetric(float64(rows*k)/times[len(times)/4].Seconds()/1e9, "Gweights/s")
		})
	}
}
