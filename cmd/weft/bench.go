package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/bench"
	"github.com/weft-llm/weft/engine"
)

type benchCmd struct {
	Throughput throughputCmd `cmd:"" help:"Offline: the 256-request workload of nano-vLLM and mini-SGLang; with host work and device time of its decode steps."`
	Latency    latencyCmd    `cmd:"" help:"Offline: decode steps at several batch sizes, and time to first token."`
	Kernels    kernelsCmd    `cmd:"" help:"Every GPU kernel over its shapes: time, floor, share of the floor, beside other libraries."`
	Startup    startupCmd    `cmd:"" help:"From process start to first token, the first time and again."`

	Serve        benchServeCmd   `cmd:"" help:"Online: any OpenAI endpoint under arrivals, traces and conversations; latencies, throughput, goodput."`
	Interference interferenceCmd `cmd:"" help:"Online: what a long prompt does to requests that generate."`
	Overload     overloadCmd     `cmd:"" help:"Online: many requests at the same moment; how many are refused, and how fast."`
	Prefix       prefixCmd       `cmd:"" help:"Online: conversations with a shared system prompt, with the prefix cache on against off."`
}

// benchFlags are what every bench takes.
type benchFlags struct {
	engineFlags
	CSV string `placeholder:"FILE" help:"Also write the table as CSV, headed by hardware, driver, commit and command."`
}

type throughputCmd struct {
	benchFlags
	Temperature float32 `default:"0.6" help:"Sampling temperature."`
	Requests    int     `default:"256" help:"Only the first N requests of the workload."`
	Rounds      int     `default:"2" help:"Times the workload runs; the first one warms up."`
	Trace       string  `placeholder:"FILE" help:"Write the last steps of the last round (at most 4096) as a Chrome trace, which ui.perfetto.dev opens."`
}

func (c *throughputCmd) Run(a *app) error {
	m, err := c.openBench(a)
	if err != nil {
		return err
	}
	defer m.Close()
	jobs := bench.NanoVLLM()
	jobs = jobs[:min(c.Requests, len(jobs))]
	t := bench.Table{Columns: []string{"model", "round", "requests", "input_tokens", "output_tokens", "wall_s", "output_tok_s",
		"decode_steps", "host_us_p50", "host_us_p99", "device_us", "gap_us", "device_idle"}}
	var last []engine.StepRecord
	for round := range c.Rounds {
		before := m.Engine().Stats().Steps
		r, err := bench.Run(a.ctx, m.Engine(), jobs, c.Temperature)
		if err != nil {
			return err
		}
		last = bench.SinceStep(m.Engine().Flight(), before)
		f := bench.DecodePhase(last)
		t.Rows = append(t.Rows, []string{m.Name(), fmt.Sprint(round + 1), fmt.Sprint(r.Requests), fmt.Sprint(r.Input), fmt.Sprint(r.Output),
			fmt.Sprintf("%.3f", r.Wall.Seconds()), fmt.Sprintf("%.1f", r.PerSecond()),
			fmt.Sprint(f.Steps), us(f.HostP50), us(f.HostP99), us(f.Device), us(f.Gap), fmt.Sprintf("%.2f%%", 100*f.Idle)})
	}
	if err := create(c.Trace, func(w io.Writer) error { return engine.WriteTrace(w, last) }); err != nil {
		return err
	}
	return c.report(a, m, &t)
}

type latencyCmd struct {
	benchFlags
	Batch  []int `default:"1,16,64,256" help:"Batch sizes for decode steps."`
	Prompt int   `default:"512" help:"Prompt tokens before the decode steps."`
	Output int   `default:"256" help:"Tokens decoded."`
	First  []int `default:"128,1024,8192" help:"Prompt sizes for the time to first token."`
	Rounds int   `default:"3" help:"Rounds; the median counts."`
}

func (c *latencyCmd) Run(a *app) error {
	m, err := c.openBench(a)
	if err != nil {
		return err
	}
	defer m.Close()
	t := bench.Table{Columns: []string{"model", "what", "batch", "prompt", "outputs", "ms", "tok_s", "floor_ms", "share_of_floor"}}
	for _, batch := range c.Batch {
		s, err := bench.Decode(a.ctx, m.Engine(), batch, c.Prompt, c.Output, c.Rounds)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, append([]string{m.Name(), "decode", fmt.Sprint(batch), fmt.Sprint(c.Prompt), fmt.Sprint(c.Output),
			ms(s.Step), fmt.Sprintf("%.1f", float64(batch)/s.Step.Seconds())}, floor(m, batch, c.Prompt+c.Output/2, s.Step)...))
	}
	for _, n := range c.First {
		if n >= m.Engine().Limit() {
			fmt.Fprintf(a.stderr, "weft: no time to first token for %d tokens: the context is %d\n", n, m.Engine().Limit())
			continue
		}
		f, err := bench.Prefill(a.ctx, m.Engine(), n, c.Rounds)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, []string{m.Name(), "first token", "1", fmt.Sprint(n), "1", ms(f.TTFT),
			fmt.Sprintf("%.1f", float64(n)/f.TTFT.Seconds()), "", ""})
	}
	return c.report(a, m, &t)
}

func us(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Microsecond)) }

func ms(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Millisecond)) }

// floor returns the time that reading the weights and the KV cache once takes at the memory's bandwidth, and its share
// of step; nothing where the bandwidth is not known.
func floor(m *weft.Model, batch, context int, step time.Duration) []string {
	bandwidth := m.Engine().Info().Bandwidth
	if bandwidth == 0 {
		return []string{"", ""}
	}
	bytes := m.StepBytes(batch, context)
	f := time.Duration(float64(bytes) / bandwidth * float64(time.Second))
	return []string{ms(f), fmt.Sprintf("%.1f%%", 100*f.Seconds()/step.Seconds())}
}

// openBench opens the model for a workload that submits everything at once.
func (c *benchFlags) openBench(a *app) (*weft.Model, error) {
	c.Queue = 4096
	c.PrefixCache = false
	return c.open(a)
}

func (c *benchFlags) report(a *app, m *weft.Model, t *bench.Table) error {
	return c.write(a, bench.Header{Hardware: m.Engine().Info().Name, Driver: m.Engine().Info().Driver}, t)
}

// write prints t, and writes it to a file where one is named.
func (c *benchFlags) write(a *app, h bench.Header, t *bench.Table) error {
	t.WriteText(a.stdout)
	h.Commit, h.Command = version, "weft "+strings.Join(a.args, " ")
	t.Header = h
	return create(c.CSV, t.WriteCSV)
}
