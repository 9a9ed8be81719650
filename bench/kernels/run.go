package kernels

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
)

// Options say where to time what.
type Options struct {
	GPU      int
	Cache    string // directory of compiled kernels, "" for none
	Variants bool   // every kernel that runs a shape besides the chosen one
	Apart    bool   // no launch starts before the one before has ended
}

// GPU is what was timed on, for the header of results.
type GPU struct{ Hardware, Driver string }

// Chosen is Result.By of the kernel that weft takes by itself.
const Chosen = "weft"

// Result is one way to compute a case.
type Result struct {
	*Case
	By    string  // Chosen, "weft " and a variant, or a peer's name
	US    float64 // µs a launch, the median
	Noise float64 // how far a second time of Chosen was from the first, as a share; 0 where not known
	Floor float64 // µs; 0 where not known
}

// Run times cases one after the other. begin is called once, emit for each case: the choice first, then the variants. It
// ends early with ctx, or when something fails; what was handed out before stays true.
func Run(ctx context.Context, lib *driver.Library, cases []Case, o Options, begin func(GPU) error, emit func([]Result) error) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m, err := openMachine(lib, o, cases)
	defer func() { err = errors.Join(err, m.close()) }()
	if err != nil {
		return fmt.Errorf("cannot time kernels on GPU %d: %w", o.GPU, err)
	}
	d := m.ctx.Device
	g := GPU{Hardware: fmt.Sprintf("%s, %d multiprocessors", d.Name, d.SMs)}
	if v, err := lib.DriverVersion(); err == nil {
		g.Driver = fmt.Sprintf("CUDA %d.%d", v/1000, v%1000/10)
	}
	if err := begin(g); err != nil {
		return err
	}
	for i := range cases {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := m.measure(&cases[i], o.Variants, emit); err != nil {
			return fmt.Errorf("cannot time %s: %w", cases[i].ID(), err)
		}
	}
	return nil
}

// measure times the choice first and last, and the variants between.
func (m *machine) measure(c *Case, variants bool, emit func([]Result) error) error {
	launch, err := c.make(m)
	if err != nil {
		return errors.Join(err, m.drop())
	}
	defer m.drop()
	r := Result{Case: c, By: Chosen, Floor: m.ceilings.Floor(c)}
	n := max(2, min(256, int(1200/max(r.Floor, 1))))
	first, err := m.time(launch, n)
	if err != nil {
		return err
	}
	var others []Result
	if variants && c.op != "" {
		if others, err = m.variants(r, launch, n); err != nil {
			return err
		}
	}
	again, err := m.time(launch, n)
	if err != nil {
		return err
	}
	r.US, r.Noise = min(first, again), max(first, again)/min(first, again)-1
	return emit(append([]Result{r}, others...))
}

func (m *machine) variants(r Result, launch call, n int) (out []Result, err error) {
	defer func() { err = errors.Join(err, m.k.Force(r.op, "")) }()
	for _, v := range m.k.Variants() {
		if !worthTiming(v, r.Case) {
			continue
		}
		if err = m.k.Force(r.op, v.Name); err != nil {
			return nil, err
		}
		r.By = "weft " + v.Name
		if r.US, err = m.time(launch, n); err != nil {
			return nil, fmt.Errorf("by %s: %w", v.Name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// worthTiming leaves out kernels that are plainly the wrong size, and sizes between those that tell.
func worthTiming(v ptx.Variant, c *Case) bool {
	if v.Op != c.op || v.Op != "linear" {
		return v.Op == c.op
	}
	if slices.Contains([]int{2, 4, 8, 32, 1024, 4096}, c.m) {
		return false
	}
	return v.Fits(c.m, c.n, c.k) && (c.m < 2048 || v.Rows*v.Cols >= 128*128)
}
