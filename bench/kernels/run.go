package kernels

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weft-llm/weft/ptx"
)

// Options say what to time.
type Options struct {
	Out      string // folder for linear.csv; it exists
	Peers    string // CSV of bench/peers/linear.py, or empty
	Variants bool   // every kernel that runs a shape besides the chosen one
	Only     string // cases whose name contains it
	Sizes    []int  // cases of these M; all if empty
}

// Row is the outcome of one case.
type Row struct {
	Case
	Us, Again  float64 // the chosen kernel, timed twice: their difference is the noise
	Best       string  // the fastest kernel, where all were timed
	BestUs     float64
	Peer       float64 // µs, 0 if unknown
	PeerSource string
}

// List writes the cases as CSV, for the scripts in bench/peers.
func List(w io.Writer, o Options) error {
	out := csv.NewWriter(w)
	for _, c := range choose(o) {
		if err := out.Write([]string{c.Name, fmt.Sprint(c.M), fmt.Sprint(c.N), fmt.Sprint(c.K), string(c.Kind), fmt.Sprint(c.Calls())}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func choose(o Options) []Case {
	var out []Case
	for _, c := range Cases() {
		if strings.Contains(c.Name, o.Only) && (len(o.Sizes) == 0 || slices.Contains(o.Sizes, c.M)) {
			out = append(out, c)
		}
	}
	return out
}

// Linear times the linear kernels and writes linear.csv and a table.
func Linear(o Options, table io.Writer) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cases := choose(o)
	peers, err := readPeers(o.Peers)
	if err != nil {
		return err
	}
	m, err := openMachine(cases)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.load(table); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(o.Out, "linear.csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	log := csv.NewWriter(f)
	log.Write([]string{"case", "m", "n", "k", "kind", "kernel", "us", "floor_us", "share_of_floor", "gb_s", "tflop_s", "peer_us"})
	printHead(table)
	for _, c := range cases {
		r, err := m.measure(c, o.Variants, log)
		if err != nil {
			return err
		}
		r.Peer = peers[key(c.Name, c.M)]
		log.Write(record(c, "peer", r.Peer, r.Peer))
		log.Flush()
		printRow(table, r)
	}
	return errors.Join(log.Error(), f.Close())
}

// load has the driver compile every linear kernel, and says how long that took.
func (m *machine) load(w io.Writer) error {
	m.k.Dry = true
	defer func() { m.k.Dry = false }()
	call := m.launch(Case{"", 1, 1024, 1024, Plain})
	for _, v := range m.k.Variants() {
		began := time.Now()
		if v.Op != "linear" || v.Arch != "sm_90a" {
			continue
		}
		if err := errors.Join(m.k.Force("linear", v.Name), call(0)); err != nil {
			return err
		}
		if took := time.Since(began); took > 5*time.Millisecond {
			fmt.Fprintf(w, "%s compiled in %v\n", v.Source, took.Round(time.Millisecond))
		}
	}
	return nil
}

// measure times the choice first and last, and the variants between.
func (m *machine) measure(c Case, variants bool, log *csv.Writer) (r Row, err error) {
	r.Case = c
	if r.Us, err = m.time(c, ""); err != nil {
		return r, err
	}
	log.Write(record(c, "chosen", r.Us, 0))
	if variants {
		for _, v := range m.k.Variants() {
			if !worthTiming(v, c) {
				continue
			}
			us, err := m.time(c, v.Name)
			if err != nil {
				return r, err
			}
			log.Write(record(c, v.Name, us, 0))
			if r.Best == "" || us < r.BestUs {
				r.Best, r.BestUs = v.Name, us
			}
		}
	}
	r.Again, err = m.time(c, "")
	log.Write(record(c, "chosen again", r.Again, 0))
	return r, err
}

// worthTiming leaves out kernels that are plainly the wrong size, and sizes between those that tell.
func worthTiming(v ptx.Variant, c Case) bool {
	if v.Op != "linear" || v.Arch != "sm_90a" || slices.Contains([]int{2, 4, 8, 32, 1024, 4096}, c.M) {
		return false
	}
	if strings.HasPrefix(v.Name, "skinny") {
		return v.Rows >= c.M && v.Rows <= max(8, 2*c.M) || c.M > 64 && c.M <= 256 && v.Rows >= 64
	}
	return c.M > 64 && (c.M < 2048 || v.Rows*v.Cols >= 128*128)
}

func record(c Case, kernel string, us, peer float64) []string {
	n := func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
	if us == 0 {
		return []string{c.Name, fmt.Sprint(c.M), fmt.Sprint(c.N), fmt.Sprint(c.K), string(c.Kind), kernel, "", n(c.Floor()), "", "", "", ""}
	}
	return []string{c.Name, fmt.Sprint(c.M), fmt.Sprint(c.N), fmt.Sprint(c.K), string(c.Kind), kernel, n(us), n(c.Floor()),
		n(c.Floor() / us), n(c.Bytes() / us / 1e3), n(c.Ops() / us / 1e6), n(peer)}
}

func key(name string, m int) string { return name + "/" + strconv.Itoa(m) }

// readPeers reads case, m and µs of each row.
func readPeers(path string) (map[string]float64, error) {
	out := map[string]float64{}
	if path == "" {
		return out, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("cannot read the peers' times: %w", err)
	}
	for _, r := range rows {
		if len(r) < 3 {
			return nil, fmt.Errorf("cannot read the peers' times: row %q", r)
		}
		us, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			return nil, fmt.Errorf("cannot read the peers' times: %w", err)
		}
		out[r[0]+"/"+r[1]] = us
	}
	return out, nil
}

// printHead and printRow give a line per case; ratio is the peer's time over ours: above 1 is faster.
func printHead(w io.Writer) {
	fmt.Fprintf(w, "%-14s %5s %8s %8s %5s %8s %6s %7s %8s %s\n", "case", "M", "us", "again", "floor", "peer", "ratio", "TFLOP/s", "best us", "best kernel")
}

func printRow(w io.Writer, r Row) {
	ratio := 0.0
	if r.Peer > 0 {
		ratio = r.Peer / min(r.Us, r.Again)
	}
	fmt.Fprintf(w, "%-14s %5d %8.2f %8.2f %4.0f%% %8.2f %6.2f %7.0f %8.2f %s\n", r.Name, r.M, r.Us, r.Again,
		100*r.Floor()/min(r.Us, r.Again), r.Peer, ratio, r.Ops()/min(r.Us, r.Again)/1e6, r.BestUs, r.Best)
}
