package kernels

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Columns are those of results, weft's and the peers' alike.
var columns = []string{"kernel", "case", "dims", "bytes", "ops", "by", "us", "noise", "floor_us", "share_of_floor", "gb_s", "tflop_s"}

// Columns returns the heads of a record.
func Columns() []string { return slices.Clone(columns) }

// Record is r as a row under Columns; what is not known is left empty.
func (r Result) Record() []string {
	share, gbs, tflops := "", "", ""
	if r.US > 0 {
		share, gbs, tflops = figure(r.Floor/r.US, 3), figure(r.Bytes/r.US/1e3, 1), figure(r.Ops/r.US/1e6, 1)
	}
	return []string{r.Kernel, r.Name, r.Dims, strconv.FormatFloat(r.Bytes, 'f', 0, 64), strconv.FormatFloat(r.Ops, 'f', 0, 64),
		r.By, figure(r.US, 3), figure(r.Noise, 4), figure(r.Floor, 3), share, gbs, tflops}
}

// figure is v with so many digits behind the point, nothing for 0.
func figure(v float64, digits int) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// List writes cases under Columns with no times: what bench/peers/kernels.py reads.
func List(w io.Writer, cases []Case) error {
	out := csv.NewWriter(w)
	rows := [][]string{columns}
	for i := range cases {
		rows = append(rows, Result{Case: &cases[i]}.Record())
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("cannot list the cases: %w", err)
	}
	return nil
}

// Peer is one of another library's times.
type Peer struct {
	By string
	US float64
}

// Peers are times of other libraries by the ID of their case.
type Peers map[string][]Peer

// ReadPeers reads what bench/peers/kernels.py wrote: Columns below comments that begin with #.
func ReadPeers(r io.Reader) (Peers, error) {
	in := csv.NewReader(r)
	in.Comment = '#'
	rows, err := in.ReadAll()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the peers' times: %w", err)
	case len(rows) == 0 || !slices.Equal(rows[0], columns):
		return nil, fmt.Errorf("cannot read the peers' times: the columns are not %v", columns)
	}
	out := Peers{}
	for _, row := range rows[1:] {
		us, err := strconv.ParseFloat(row[6], 64)
		if err != nil || us <= 0 {
			return nil, fmt.Errorf("cannot read the peers' times: %q of %s is no time in µs", row[6], row[1])
		}
		id := (&Case{Kernel: row[0], Name: row[1], Dims: row[2]}).ID()
		out[id] = append(out[id], Peer{row[5], us})
	}
	return out, nil
}

// Results are the peers' times of c, with the floor that weft's time was held against.
func (p Peers) Results(c *Case, floor float64) (out []Result) {
	for _, t := range p[c.ID()] {
		out = append(out, Result{Case: c, By: t.By, US: t.US, Floor: floor})
	}
	return out
}
