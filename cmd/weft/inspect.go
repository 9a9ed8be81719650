package main

import (
	"fmt"
	"io"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/weights"
)

type inspectCmd struct {
	Model   string `arg:"" placeholder:"M" help:"Directory, .gguf file, hf://owner/name or builtin."`
	Tensors bool   `help:"List every tensor."`
}

func (c *inspectCmd) Run(a *app) error {
	src, err := findModel(a, c.Model)
	if err != nil {
		return err
	}
	ck, err := weft.OpenWeights(src.path)
	if err != nil {
		return err
	}
	defer ck.Close()
	model.Inspect(ck).Write(a.stdout)
	if c.Tensors {
		listTensors(a.stdout, ck)
	}
	return nil
}

func listTensors(w io.Writer, c *weights.Checkpoint) {
	fmt.Fprintln(w)
	for _, t := range c.Tensors() {
		fmt.Fprintf(w, "%-8s %-20s %12d  %s\n", t.TypeName, fmt.Sprint(t.Dim), t.Bytes, t.FileName)
	}
}
