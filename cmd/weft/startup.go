package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/weft-llm/weft/bench"
	"github.com/weft-llm/weft/ptx"
)

// startupCmd starts weft anew for each round and times it from outside: from before the process exists to its first token.
type startupCmd struct {
	benchFlags
	Prompt int  `default:"16" help:"Prompt tokens."`
	Rounds int  `default:"2" help:"Starts after the first, which finds no kernel that the driver compiled before. GPUs of compute capability 8.x and 9.0 need none."`
	Once   bool `hidden:"" help:"Be the process that is timed."`
}

// startupTimes is what the timed process writes, each in nanoseconds since 1970.
type startupTimes struct {
	Main, Open, First       int64
	Compiled, Kept, Carried int   // modules
	Longest, Kernels        int64 // ns: of one module, and of all together, which are done at once
	PTX, Code               int   // bytes
	Hardware, Driver        string
	Model, CacheFailed      string
}

func (c *startupCmd) Run(a *app) error {
	if c.Once {
		return c.once(a)
	}
	dir, err := os.MkdirTemp("", "weft-startup-*")
	if err != nil {
		return fmt.Errorf("cannot make a cache for compiled kernels: %w", err)
	}
	defer os.RemoveAll(dir)
	t := bench.Table{Columns: []string{"model", "compiled_kernels", "total_ms", "process_ms", "load_ms", "first_token_ms",
		"modules_compiled", "modules_kept", "modules_carried", "longest_module_ms", "all_modules_ms", "ptx_kb", "code_kb"}}
	var last startupTimes
	for round := range 1 + c.Rounds {
		s, start, err := c.start(a, dir)
		if err != nil {
			return err
		}
		state := "at hand"
		if round == 0 {
			state = "none"
		}
		span := func(from, to int64) string { return ms(time.Duration(to - from)) }
		t.Rows = append(t.Rows, []string{s.Model, state, span(start, s.First), span(start, s.Main), span(s.Main, s.Open), span(s.Open, s.First),
			fmt.Sprint(s.Compiled), fmt.Sprint(s.Kept), fmt.Sprint(s.Carried), ms(time.Duration(s.Longest)), ms(time.Duration(s.Kernels)), fmt.Sprint(s.PTX >> 10), fmt.Sprint(s.Code >> 10)})
		if s.CacheFailed != "" {
			fmt.Fprintf(a.stderr, "weft: %s\n", s.CacheFailed)
		}
		last = s
	}
	return c.write(a, bench.Header{Hardware: last.Hardware, Driver: last.Driver}, &t)
}

// start runs this program again, with the driver's own cache of compiled kernels off and ours in dir.
func (c *startupCmd) start(a *app, dir string) (s startupTimes, start int64, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, 0, fmt.Errorf("cannot start weft: %w", err)
	}
	args := append(slices.Clone(a.args), "--once", "--cache-dir="+dir)
	cmd := exec.CommandContext(a.ctx, self, args...)
	cmd.Env = append(os.Environ(), "CUDA_CACHE_DISABLE=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, a.stderr
	start = time.Now().UnixNano()
	if err = cmd.Run(); err == nil {
		err = json.Unmarshal(out.Bytes(), &s)
	}
	if err != nil {
		return s, 0, fmt.Errorf("cannot start weft %s: %w", strings.Join(args, " "), err)
	}
	return s, start, nil
}

// once opens the model, computes one token and tells when.
func (c *startupCmd) once(a *app) error {
	s := startupTimes{Main: a.started.UnixNano()}
	m, err := c.openBench(a)
	if err != nil {
		return err
	}
	defer m.Close()
	s.Open = time.Now().UnixNano()
	first, err := bench.First(a.ctx, m.Engine(), c.Prompt)
	if err != nil {
		return err
	}
	s.First = s.Open + int64(first)
	loads, failed := m.KernelLoads()
	for _, l := range loads {
		switch l.From {
		case ptx.Carried:
			s.Carried++
		case ptx.Kept:
			s.Kept++
		case ptx.Compiled:
			s.Compiled++
		}
		s.Longest, s.Kernels = max(s.Longest, int64(l.Took)), s.Kernels+int64(l.Took)
		s.PTX, s.Code = s.PTX+l.PTX, s.Code+l.Code
	}
	if failed != nil {
		s.CacheFailed = failed.Error()
	}
	s.Hardware, s.Driver, s.Model = m.Engine().Info().Name, m.Engine().Info().Driver, m.Name()
	return json.NewEncoder(a.stdout).Encode(s)
}
