package ptx

import (
	"fmt"
	"testing"

	"github.com/weft-llm/weft/tensor"
)

// projections are [N,K] of two models, gate and up in one.
var projections = []struct {
	name string
	n, k int
}{
	{"0.6B-qkv", 4096, 1024}, {"0.6B-o", 1024, 2048}, {"0.6B-gateup", 6144, 1024}, {"0.6B-down", 1024, 3072}, {"0.6B-head", 151936, 1024},
	{"8B-qkv", 6144, 4096}, {"8B-o", 4096, 4096}, {"8B-gateup", 24576, 4096}, {"8B-down", 4096, 12288},
}

// coldBytes is more than any L2: weights are taken in turns so that each is read from memory.
const coldBytes = 200 << 20

// BenchmarkLinear times every variant that can run a shape, and the choice among them, with cold weights.
// Run it with -benchtime 1x: the medians are of 20 replays of a graph.
func BenchmarkLinear(b *testing.B) {
	g := openGPU(b)
	for _, p := range projections {
		var weights []tensor.View
		for total := int64(0); total < coldBytes; total += weights[0].Bytes() {
			weights = append(weights, g.random(b, tensor.BF16, p.n, p.k))
		}
		for _, m := range []int{1, 4, 8, 16, 32, 64, 128, 256, 512, 2048, 8192} {
			x, y := g.random(b, tensor.BF16, m, p.k), g.random(b, tensor.BF16, m, p.n)
			if p.n > 100000 && m > 256 {
				continue
			}
			for _, v := range append([]Variant{{}}, g.k.Variants()...) {
				if v.Op != "linear" && v.Op != "" || v.Rows != 0 && (m > 64*v.Rows || v.Rows <= 16 && m > v.Rows || v.Rows > 8*m) {
					continue
				}
				name := fmt.Sprintf("%s/M=%d/%s", p.name, m, or(v.Name, "chosen"))
				b.Run(name, func(b *testing.B) {
					if err := g.k.Force("linear", v.Name); err != nil {
						b.Fatal(err)
					}
					took := g.time(b, max(len(weights), 20), func(i int) error {
						return g.k.Linear(g.s, y, x, weights[i%len(weights)], tensor.View{})
					})
					us := float64(took.Nanoseconds()) / 1e3
					bytes, ops := 2*float64(p.n*p.k+m*p.k+m*p.n), 2*float64(m)*float64(p.n)*float64(p.k)
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(us, "µs")
					b.ReportMetric(bytes/us/1e3, "GB/s")
					b.ReportMetric(ops/us/1e6, "TFLOP/s")
				})
			}
		}
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
