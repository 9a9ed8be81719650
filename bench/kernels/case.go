// Package kernels times the GPU kernels on the shapes that models have: random data that lies in no cache, medians over
// replays of a CUDA graph, beside the floor that the bytes and operations set.
package kernels

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/weft-llm/weft/driver"
)

// Case is one kernel on one shape.
type Case struct {
	Kernel string // linear, gated_linear, logits, attend_prefill, …
	Name   string // what of a model it is: "8B qkv"
	Dims   string // "M=16 N=6144 K=4096"
	Bytes  float64
	Ops    float64 // of the tensor cores

	op   string // what Kernels.Force calls it; "" where there is one kernel
	m    int    // tokens, which decide what variants are worth timing, with the features and columns of K
	n, k int
	room sizes
	make func(m *machine) (call, error)
}

// call enqueues the i-th launch; operands take turns.
type call func(i int) error

// sizes are the bytes of a case's operands: activations that the kernel ahead has just written, what is read from memory
// anew each time, and results.
type sizes struct{ hot, cold, out int }

// ID is what Match looks at.
func (c *Case) ID() string { return strings.Join([]string{c.Kernel, c.Name, c.Dims}, "/") }

// Cases are all kernels over their shapes.
func Cases() []Case {
	var out []Case
	for _, more := range []func() []Case{linearCases, fusedCases, prefillCases, decodeCases, rowCases, sampleCases, argmaxCases, convertCases} {
		out = append(out, more()...)
	}
	return out
}

// Match returns the cases whose ID a regular expression finds; all of them for "".
func Match(pattern string) ([]Case, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("cannot choose kernels: %w", err)
	}
	var out []Case
	for _, c := range Cases() {
		if re.MatchString(c.ID()) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("cannot choose kernels: no case matches %q; --list shows them", pattern)
	}
	return out, nil
}

// Ceilings are the most that a GPU does: bytes read and bf16 operations a second; 0 where unknown.
type Ceilings struct{ Read, BF16 float64 }

// ceilingsOf are figures measured on an H200 (reading, and cuBLAS's product of 8192³ on random data), and those of the
// data sheet for other GPUs.
func ceilingsOf(d *driver.Device) Ceilings {
	if strings.Contains(d.Name, "H200") {
		return Ceilings{4.5e12, 0.79e15}
	}
	perClock := map[int]float64{80: 2048, 86: 1024, 89: 1024, 90: 4096}[d.Arch()] // of a multiprocessor
	return Ceilings{
		Read: 2 * float64(d.MemoryClockKHz) * 1e3 * float64(d.MemoryBusBits) / 8, // double data rate
		BF16: perClock * float64(d.SMs) * float64(d.ClockKHz) * 1e3,
	}
}

// Floor is the least time of c in µs: the larger of its bytes' and its operations'.
func (g Ceilings) Floor(c *Case) float64 {
	us := 0.0
	if g.Read > 0 {
		us = 1e6 * c.Bytes / g.Read
	}
	if g.BF16 > 0 {
		us = max(us, 1e6*c.Ops/g.BF16)
	}
	return us
}
