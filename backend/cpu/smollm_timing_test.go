//go:build unix

package cpu

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// cpuSeconds is the processor time that this process took: on a busy machine it says more than the clock.
func cpuSeconds() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

func benchmark(b *testing.B, typ tensor.DType, o Options, requests, pos, n int) {
	k := New(o)
	defer k.Close()
	m := newLlama(b, k, smolLM2(typ))
	var r backend.Result
	if pos > 0 {
		m.run(b, m.step(requests, 0, pos), &r)
	}
	s := m.step(requests, pos, n)
	m.run(b, s, &r)
	before := cpuSeconds()
	best := time.Hour
	for b.Loop() {
		start := time.Now()
		m.run(b, s, &r)
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(requests*n)/best.Seconds(), "best-tok/s")
	b.ReportMetric(float64(requests*n*b.N)/(cpuSeconds()-before), "tok/cpu-s")
	b.ReportMetric(float64(requests*n*b.N)/b.Elapsed().Seconds(), "tok/s")
}

func BenchmarkDecode(b *testing.B) {
	for _, t := range []tensor.DType{tensor.Q4_1, tensor.Q4_0, tensor.Q8_0, tensor.Q5_0, tensor.BF16, tensor.F32} {
		b.Run(t.String(), func(b *testing.B) { benchmark(b, t, Options{}, 1, 128, 1) })
	}
	b.Run("q4_1/threads=1", func(b *testing.B) { benchmark(b, tensor.Q4_1, Options{Threads: 1}, 1, 128, 1) })
	b.Run("q4_1/requests=8", func(b *testing.B) { benchmark(b, tensor.Q4_1, Options{}, 8, 32, 1) })
}

func BenchmarkPrefill(b *testing.B) {
	for _, n := range []int{16, 128, 512} {
		b.Run(fmt.Sprintf("q4_1/tokens=%d", n), func(b *testing.B) { benchmark(b, tensor.Q4_1, Options{}, 1, 0, n) })
	}
	b.Run("q4_1/threads=1", func(b *testing.B) { benchmark(b, tensor.Q4_1, Options{Threads: 1}, 1, 0, 256) })
}
