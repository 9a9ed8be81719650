package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// flagsCmd writes docs/flags.md from the parser's own table, so that the reference cannot go stale.
type flagsCmd struct{}

func (c *flagsCmd) Run(a *app, parser *kong.Kong) error {
	fmt.Fprintln(a.stdout, "# Flags\n\nMade by `weft flags`; do not edit. Every flag can be set by its environment variable too; the command line wins.")
	writeCommand(a.stdout, "weft", parser.Model.Node)
	return nil
}

func writeCommand(w io.Writer, name string, n *kong.Node) {
	if n.Hidden {
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n%s\n", name, n.Help)
	if len(n.Flags) > 0 {
		fmt.Fprintf(w, "\n| flag | default | variable | meaning |\n|---|---|---|---|\n")
	}
	for _, f := range n.Flags {
		if f.Name != "help" && !f.Hidden {
			fmt.Fprintf(w, "| `%s` | %s | `%s` | %s |\n", cell(flagName(f)), f.Default, strings.Join(f.Envs, " "), cell(f.Help))
		}
	}
	for _, child := range n.Children {
		writeCommand(w, name+" "+child.Name, child)
	}
}

func flagName(f *kong.Flag) string {
	name := "--" + f.Name
	if f.Tag.Negatable != "" {
		name = "--[no-]" + f.Name
	}
	if !f.IsBool() {
		name += "=" + strings.ToUpper(f.FormatPlaceHolder())
	}
	return name
}

// cell escapes what would end a table's cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
