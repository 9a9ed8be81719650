package bench

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Header is what every table of results begins with, so that a figure can be traced.
type Header struct{ Hardware, Driver, Commit, Command string }

// Table is a result: rows of cells under columns.
type Table struct {
	Header  Header
	Columns []string
	Rows    [][]string
}

// WriteCSV writes t with its header as comment lines.
func (t *Table) WriteCSV(w io.Writer) error {
	h := t.Header
	if _, err := fmt.Fprintf(w, "# hardware: %s\n# driver: %s\n# commit: %s\n# command: %s\n", h.Hardware, h.Driver, h.Commit, h.Command); err != nil {
		return fmt.Errorf("cannot write results: %w", err)
	}
	c := csv.NewWriter(w)
	if err := c.WriteAll(append([][]string{t.Columns}, t.Rows...)); err != nil {
		return fmt.Errorf("cannot write results: %w", err)
	}
	return nil
}

// WriteText writes t aligned for a terminal.
func (t *Table) WriteText(w io.Writer) {
	width := make([]int, len(t.Columns))
	all := append([][]string{t.Columns}, t.Rows...)
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range all {
		for i, cell := range row {
			fmt.Fprintf(w, "%*s  ", width[i], cell)
		}
		fmt.Fprintln(w)
	}
}
