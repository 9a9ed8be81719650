package load

import (
	"fmt"
	"io"
)

// Comparison is one workload run in two ways.
type Comparison struct {
	Off        Summary `json:"off"`
	On         Summary `json:"on"`
	Throughput float64 `json:"throughput_ratio"` // output tokens a second, on over off
	TTFT       float64 `json:"ttft_ratio"`       // mean, on over off
	Same       int     `json:"same"`             // answers with the same text in both
	Compared   int     `json:"compared"`         // answers that both have
}

// Compare sets two runs of the same workload beside each other.
func Compare(off, on *Report) *Comparison {
	c := &Comparison{Off: off.Summarize(nil), On: on.Summarize(nil)}
	if c.Off.OutputPerSecond > 0 {
		c.Throughput = c.On.OutputPerSecond / c.Off.OutputPerSecond
	}
	if c.Off.TTFT.Mean > 0 {
		c.TTFT = float64(c.On.TTFT.Mean) / float64(c.Off.TTFT.Mean)
	}
	type key struct{ session, turn int }
	hashes := map[key]uint64{}
	for _, r := range off.Results {
		if r.Error == "" {
			hashes[key{r.Session, r.Turn}] = r.Hash
		}
	}
	for _, r := range on.Results {
		h, ok := hashes[key{r.Session, r.Turn}]
		if !ok || r.Error != "" {
			continue
		}
		c.Compared++
		if h == r.Hash {
			c.Same++
		}
	}
	return c
}

// WriteText writes c as a table.
func (c *Comparison) WriteText(w io.Writer) {
	fmt.Fprintln(w, "prefix cache off:")
	c.Off.WriteText(w)
	fmt.Fprintln(w, "prefix cache on:")
	c.On.WriteText(w)
	fmt.Fprintf(w, "on against off: %.2f times the throughput, %.2f times the mean time to first token, %d of %d answers identical\n",
		c.Throughput, c.TTFT, c.Same, c.Compared)
}
