package model

import (
	"fmt"
	"io"
	"strings"

	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// Write prints the report for a person.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	c := &r.Config
	line("model", "%s (%s)", r.Path, r.Format)
	line("architecture", "%s", c.Arch)
	if c.Layers > 0 {
		r.shape(line)
	}
	for _, u := range r.Types {
		line("weights", "%-8s %5d tensors %12s parameters %12s", u.Type, u.Tensors, count(u.Parameters), size(u.Bytes))
	}
	line("memory", "%s as stored (cpu), %s in %s (cuda), %s in f32", size(r.WeightBytes(tensor.Invalid)), size(r.WeightBytes(r.Half)), r.Half, size(r.WeightBytes(tensor.F32)))
	if per := r.KVBytesPerToken(r.Half); per > 0 {
		line("KV cache", "%s a token in %s (cuda), %s in f32 (cpu)", size(per), r.Half, size(2*per))
		fits := func(gb int64) string { return count(r.ContextThatFits(gb*1e9*88/100, r.Half, r.Half)) }
		line("context", "%d tokens at most; beside %s weights %s tokens fit 24 GB, %s 80 GB, %s 141 GB", c.MaxPositions, r.Half, fits(24), fits(80), fits(141))
	}
	if len(r.Refusals) == 0 {
		line("weft", "runs it")
	}
	for _, why := range r.Refusals {
		line("weft", "cannot run it: %s", why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) shape(line func(name, format string, args ...any)) {
	c := &r.Config
	tied := ""
	if c.TieEmbeddings {
		tied = ", tied to the output"
	}
	line("shape", "%d layers, hidden %d, intermediate %d, vocabulary %d%s", c.Layers, c.Hidden, c.Inter, c.Vocab, tied)
	line("attention", "%d heads of %d over %d KV heads%s", c.Heads, c.HeadDim, c.KVHeads, windows(c.Layer))
	for _, rope := range c.Ropes {
		scaling := ""
		if rope.Kind != "default" {
			scaling = ", " + rope.Kind + " scaling"
		}
		line("rope", "base %g over %d dimensions%s", rope.Base, rope.Dim, scaling)
	}
	line("parameters", "%s", count(r.Parameters))
}

func windows(layers []weights.Layer) string {
	n, width := 0, 0
	for _, l := range layers {
		if l.Window > 0 {
			n, width = n+1, l.Window
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of %d layers see the last %d tokens only", n, len(layers), width)
}

// size prints bytes with three digits.
func size(n int64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if v := float64(n) / u.of; v >= 1 {
			return fmt.Sprintf("%.3g %s", v, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// count prints a number with three digits.
func count(n int64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e9, "billion"}, {1e6, "million"}} {
		if v := float64(n) / u.of; v >= 1 {
			return fmt.Sprintf("%.3g %s", v, u.name)
		}
	}
	return fmt.Sprint(n)
}
