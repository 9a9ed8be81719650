package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/weft-llm/weft/hub"
)

// source is a model on this machine.
type source struct {
	path string
	name string // what clients call it; "" for the path's last element
}

// findModel is the one place where a model's name becomes a path. The server asks once, before it listens to anyone:
// no request makes it download.
func findModel(a *app, model string) (source, error) {
	if !hub.IsRef(model) {
		return source{path: model}, nil
	}
	ref, err := hub.ParseRef(model)
	if err != nil {
		return source{}, usageError{err}
	}
	h, bar, err := openHub(a, 0)
	if err != nil {
		return source{}, err
	}
	m, err := h.Resolve(a.ctx, ref)
	bar.done()
	if err != nil {
		return source{}, err
	}
	if m.Downloaded > 0 {
		fmt.Fprintf(a.stderr, "weft: downloaded %v (%s, commit %s)\n", ref, bytesText(m.Downloaded), m.Commit[:12])
	}
	s := source{path: m.Path}
	if !strings.HasSuffix(strings.ToLower(m.Path), ".gguf") { // a snapshot's directory is called by its commit
		s.name = ref.ID()
	}
	return s, nil
}

// openHub opens the Hub of the environment. The bar shows downloads.
func openHub(a *app, connections int) (*hub.Hub, *bar, error) {
	o, err := hub.FromEnv()
	if err != nil {
		return nil, nil, err
	}
	b := newBar(a.stderr, "downloading")
	o.Connections, o.Agent, o.Progress = connections, "weft/"+version, b.set
	o.Notice = func(line string) { fmt.Fprintf(a.stderr, "weft: %s\n", line) }
	h, err := hub.New(o)
	if err != nil {
		b.done()
		return nil, nil, err
	}
	return h, b, nil
}

type pullCmd struct {
	Model       string `arg:"" placeholder:"M" help:"hf://owner/name[@revision][:file-or-quantisation]."`
	Connections int    `default:"8" placeholder:"N" help:"Connections at once. Higher: faster on a long line, until the server or the disk is the limit."`
}

func (c *pullCmd) Run(a *app) error {
	ref, err := hub.ParseRef(c.Model)
	if err != nil {
		return usageError{err}
	}
	if c.Connections < 1 || c.Connections > 64 {
		return usageError{fmt.Errorf("--connections is %d, want 1 to 64", c.Connections)}
	}
	h, bar, err := openHub(a, c.Connections)
	if err != nil {
		return err
	}
	m, err := h.Pull(a.ctx, ref)
	bar.done()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "weft: %v is commit %s, %d files, %s (%s downloaded)\n", ref, m.Commit[:12], len(m.Files), bytesText(m.Bytes()), bytesText(m.Downloaded))
	fmt.Fprintln(a.stdout, m.Path)
	return nil
}

type listCmd struct {
	Files bool `help:"List the files of each model too."`
}

func (c *listCmd) Run(a *app) error {
	h, bar, err := openHub(a, 0)
	if err != nil {
		return err
	}
	bar.done()
	models, err := h.List()
	if err != nil {
		return err
	}
	if len(models) == 0 {
		fmt.Fprintf(a.stderr, "weft: no models in %s\n", h.Cache())
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tREVISION\tCOMMIT\tSIZE\tFILES")
	for _, m := range models {
		c.row(w, m)
	}
	return w.Flush()
}

func (c *listCmd) row(w *tabwriter.Writer, m hub.Cached) {
	name := hub.Scheme + m.Ref.ID()
	if m.Commit != "" {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", name, strings.Join(m.Refs, ","), m.Commit[:12], bytesText(m.Bytes()), len(m.Files))
	}
	if c.Files {
		for _, f := range m.Files {
			fmt.Fprintf(w, "  %s\t\t\t%s\t\n", f.Name, bytesText(f.Size))
		}
	}
	if m.Partial > 0 {
		fmt.Fprintf(w, "%s\t(partial download)\t\t%s\t\n", name, bytesText(m.Partial))
	}
}

type rmCmd struct {
	Model string `arg:"" placeholder:"M" help:"hf://owner/name for all of a model, @revision for one revision, :file-or-quantisation for some files."`
}

func (c *rmCmd) Run(a *app) error {
	ref, err := hub.ParseRef(c.Model)
	if err != nil {
		return usageError{err}
	}
	h, bar, err := openHub(a, 0)
	if err != nil {
		return err
	}
	bar.done()
	freed, err := h.Remove(ref)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "weft: removed %v, %s freed\n", ref, bytesText(freed))
	return nil
}

// bytesText prints a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
