package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/bench"
	"github.com/weft-llm/weft/bench/kernels"
	"github.com/weft-llm/weft/driver"
)

// kernelsCmd times the GPU kernels without a model.
type kernelsCmd struct {
	Only     string `name:"run" placeholder:"REGEXP" help:"Only the cases whose kernel/case/dims a regular expression finds, such as 'linear/8B.*/M=(1|64) '. --list shows them."`
	Variants bool   `help:"Also time every kernel that the choice for a shape ranks, not the chosen one alone."`
	Apart    bool   `help:"Start no launch before the one before has ended. Otherwise those of Hopper's kernels overlap, which hides what a kernel leaves unused: in a step another kernel follows."`
	Peers    string `placeholder:"FILE" help:"Times that bench/peers/kernels.py wrote on the same machine, to stand beside ours."`
	CSV      string `placeholder:"FILE" help:"Also write every time as CSV, headed by hardware, driver, commit and command; row by row, so that what was timed before an interruption is there."`
	Plot     string `placeholder:"FILE" help:"Also draw the shares of the floor as SVG."`
	List     bool   `help:"Print the cases as CSV and time nothing. Needs no GPU."`
	GPU      int    `name:"gpu" default:"0" placeholder:"N" help:"GPU to use, as the driver counts them."`
	CacheDir string `placeholder:"DIR" help:"Where kernels that the driver compiled are kept for the next start; off: nowhere. GPUs of compute capability 8.x and 9.0 need none. Default: weft in the user's cache directory."`
}

func (c *kernelsCmd) Run(a *app) error {
	cases, err := kernels.Match(c.Only)
	if err != nil {
		return usageError{err}
	}
	if c.List {
		return kernels.List(a.stdout, cases)
	}
	peers, err := c.readPeers()
	if err != nil {
		return err
	}
	open := a.library
	if open == nil {
		open = driver.Open
	}
	lib, err := open()
	if err != nil {
		return fmt.Errorf("cannot time kernels without a GPU: %w", err)
	}
	out, err := newKernelReport(c, a)
	if err != nil {
		return err
	}
	o := kernels.Options{GPU: c.GPU, Cache: weft.KernelCache(c.CacheDir), Variants: c.Variants, Apart: c.Apart}
	err = kernels.Run(a.ctx, lib, cases, o, out.begin, func(rs []kernels.Result) error { return out.add(rs, peers) })
	return errors.Join(err, out.end())
}

func (c *kernelsCmd) readPeers() (kernels.Peers, error) {
	if c.Peers == "" {
		return nil, nil
	}
	f, err := os.Open(c.Peers)
	if err != nil {
		return nil, fmt.Errorf("cannot read the peers' times: %w", err)
	}
	defer f.Close()
	return kernels.ReadPeers(f)
}

// kernelReport writes results as they come: a line of the table for each case, a row of CSV for each result.
type kernelReport struct {
	*app
	command, plot string
	file          *os.File // nil for none
	csv           *csv.Writer
	all           []kernels.Result
}

func newKernelReport(c *kernelsCmd, a *app) (r *kernelReport, err error) {
	r = &kernelReport{app: a, command: "weft " + strings.Join(a.args, " "), plot: c.Plot, csv: csv.NewWriter(io.Discard)}
	if c.CSV == "" {
		return r, nil
	}
	if r.file, err = os.Create(c.CSV); err != nil {
		return nil, fmt.Errorf("cannot write results: %w", err)
	}
	return r, nil
}

func (r *kernelReport) begin(g kernels.GPU) error {
	if r.file != nil {
		t := bench.Table{Header: bench.Header{Hardware: g.Hardware, Driver: g.Driver, Commit: version, Command: r.command}, Columns: kernels.Columns()}
		if err := t.WriteCSV(r.file); err != nil {
			return err
		}
		r.csv = csv.NewWriter(r.file)
	}
	kernels.PrintHead(r.stdout)
	return nil
}

func (r *kernelReport) add(results []kernels.Result, peers kernels.Peers) error {
	results = append(results, peers.Results(results[0].Case, results[0].Floor)...)
	kernels.PrintRow(r.stdout, results)
	r.all = append(r.all, results...)
	for _, x := range results {
		if err := r.csv.Write(x.Record()); err != nil {
			return fmt.Errorf("cannot write results: %w", err)
		}
	}
	r.csv.Flush()
	return r.csv.Error()
}

func (r *kernelReport) end() error {
	err := create(r.plot, func(w io.Writer) error { return kernels.WriteSVG(w, r.command, r.all) })
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	return err
}
