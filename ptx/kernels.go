package ptx

import (
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

//go:embed gen/sm_80/*.ptx gen/sm_90a/*.ptx gen/code
var gen embed.FS

// Kernels are the kernels on one device.
type Kernels struct {
	// Dry makes launchers check their arguments and note the kernel for Load, and launch nothing: to measure a step and to
	// have every module loaded before the first request.
	Dry bool

	// Cache is the directory where code that the driver compiled is kept for the next run, "" for nowhere. Set it before the
	// first launch.
	Cache string

	// Steady takes linear kernels alone that add the products of an output in one order, whatever M: K is not split, and
	// goes by 16 columns. Attention of prompts cuts no tile by the keys. It is slower where tokens are few. CheckSteady tells
	// whether the device keeps to it.
	Steady bool

	// Overlap launches the kernels that can on Hopper before those ahead of them have ended. Without it each waits
	// for the end of all. Set it before the first launch.
	Overlap bool

	// Early takes the kernel of decode attention on Hopper that starts before the kernel ahead has ended, and reads the step's
	// inputs and the cache by then, but for the newest key of a request. What wrote them must be ahead of a linear kernel,
	// NormHeads or Rows that is ahead of it. Set it before the first launch.
	Early bool

	// Elem is the type of weights, activations and the KV cache, where docs of launchers say bf16: BF16, which Invalid stands
	// for, or F16. Set it before the first launch. F16 runs the kernels for sm_80 on Hopper too.
	Elem tensor.DType

	ctx     *driver.Context
	modules map[string]*driver.Module
	loads   []Load
	cache   cache
	entries []*entry
	wanted  []*entry // what dry launches asked for
	args    driver.Args
	config  driver.Launch

	norm    normKernels
	step    stepKernels
	rows    rowsKernels
	rope    ropeKernels
	convert convertKernels
	lin     linearKernels
	hop     hopperLinear
	fuse    fusedKernels
	attend  attendKernels
	sample  sampleKernels
	scratch
}

// Open prepares the kernels for c and reserves the scratch memory that they share, some tens of MiB. Nothing is compiled yet: a
// module is when a kernel of it is first used. End with Close.
func Open(c *driver.Context) (*Kernels, error) {
	if a := c.Device.Arch(); a < 80 {
		return nil, fmt.Errorf("cannot run kernels on %s: compute capability %d.%d, at least 8.0 is needed", c.Device.Name, a/10, a%10)
	}
	k := newKernels()
	k.ctx = c
	k.attend.reserve(c.Device.SharedPerBlockOptin)
	if err := k.openScratch(); err != nil {
		return nil, fmt.Errorf("cannot open the kernels: %w", errors.Join(err, k.Close()))
	}
	return k, nil
}

// newKernels declares every kernel, for no device yet.
func newKernels() *Kernels {
	k := &Kernels{modules: map[string]*driver.Module{}}
	k.norm.declare(k)
	k.step.declare(k)
	k.rows.declare(k)
	k.rope.declare(k)
	k.convert.declare(k)
	k.lin.declare(k)
	k.hop.declare(k)
	k.fuse.declare(k)
	k.attend.declare(k)
	k.sample.declare(k)
	return k
}

// Hopper reports whether the sm_90a kernels are used: they are on that device, for bf16.
func (k *Kernels) Hopper() bool { return k.ctx.Device.Arch() == 90 && k.elem() == tensor.BF16 }

func (k *Kernels) elem() tensor.DType {
	if k.Elem == tensor.F16 {
		return tensor.F16
	}
	return tensor.BF16
}

// SMs is the number of streaming multiprocessors, which launchers that split work aim at.
func (k *Kernels) SMs() int { return k.ctx.Device.SMs }

// Close unloads the modules and frees the scratch memory. Work that uses them must have ended.
func (k *Kernels) Close() error {
	errs := []error{k.closeScratch()}
	for name, m := range k.modules {
		errs = append(errs, m.Unload())
		delete(k.modules, name)
	}
	for _, e := range k.entries {
		e.fn, e.wanted = nil, false
	}
	k.wanted = nil
	return errors.Join(errs...)
}

// path is where the PTX of source file lies in gen.
func path(file string) string {
	if strings.HasSuffix(file, "_sm90") {
		return "gen/sm_90a/" + file + ".ptx"
	}
	return "gen/sm_80/" + file + ".ptx"
}

// module returns the module of file, loading it on first use.
func (k *Kernels) module(file string) (*driver.Module, error) {
	if k.modules[file] == nil {
		k.openCache()
		if err := k.install(k.fetch(file)); err != nil {
			return nil, err
		}
	}
	return k.modules[file], nil
}
