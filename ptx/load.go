package ptx

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weft-llm/weft/driver"
)

// Load tells how one module became ready.
type Load struct {
	File string // source without .cu
	From Origin
	PTX  int           // bytes
	Code int           // bytes
	Took time.Duration // several are done at once

	// Refused is why code from an earlier origin was not taken, nil if it was not there. What the driver's linker makes
	// instead can be much slower on Hopper (docs/DECODE.md).
	Refused error
}

// Origin is where a module's machine code comes from; the first that has it and that the driver takes is used.
type Origin int

const (
	Carried  Origin = iota // made together with the PTX, for common devices
	Kept                   // in Kernels.Cache by an earlier run
	Compiled               // by the driver, now
)

// fetched is a module on its way to Kernels.modules.
type fetched struct {
	Load
	module *driver.Module
	fresh  []byte // code that the next run can use
	err    error
}

// Loads lists the modules loaded so far, in order.
func (k *Kernels) Loads() []Load { return slices.Clone(k.loads) }

// CacheErr returns why compiled code was not kept in Kernels.Cache, or nil.
func (k *Kernels) CacheErr() error { return k.cache.err }

// Load makes ready what launches under Dry asked for, on as many threads as there are processors, each with the context
// bound to it.
func (k *Kernels) Load() error {
	var files []string
	for _, e := range k.wanted {
		if f := e.module(k.elem()); k.modules[f] == nil && !slices.Contains(files, f) {
			files = append(files, f)
		}
	}
	// The longest take the longest: they go first.
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(size(b), size(a)) })
	var errs []error
	for l := range k.fetchAll(files) {
		errs = append(errs, k.install(l))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	wanted := k.wanted
	k.wanted = nil
	for _, e := range wanted {
		if err := k.resolve(e); err != nil {
			return err
		}
	}
	return nil
}

// LoadAll makes every kernel ready that the device can run.
func (k *Kernels) LoadAll() error {
	for _, e := range k.entries {
		if k.Hopper() || !strings.HasSuffix(e.file, "_sm90") {
			k.want(e)
		}
	}
	return k.Load()
}

// fetchAll gives the modules of files as they become ready.
func (k *Kernels) fetchAll(files []string) <-chan fetched {
	k.openCache()
	todo, done := make(chan string, len(files)), make(chan fetched, len(files))
	for _, f := range files {
		todo <- f
	}
	close(todo)
	var workers sync.WaitGroup
	for range min(len(files), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			runtime.LockOSThread() // the context is the thread's
			defer runtime.UnlockOSThread()
			bound := k.ctx.Bind()
			for f := range todo {
				l := fetched{err: bound}
				if bound == nil {
					l = k.fetch(f)
				}
				done <- l
			}
			if bound == nil {
				if err := k.ctx.Unbind(); err != nil {
					done <- fetched{err: err}
				}
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()
	return done
}

func size(file string) int {
	text, _ := gen.ReadFile(path(file))
	return len(text)
}

// fetch loads the module of file. Any thread with the context may call it.
func (k *Kernels) fetch(file string) fetched {
	start := time.Now()
	text, err := gen.ReadFile(path(file))
	l := fetched{Load: Load{File: file, PTX: len(text)}, err: err}
	if err != nil {
		return l
	}
	for l.From = Carried; ; l.From++ {
		var code []byte
		if code, l.err = k.code(file, text, l.From); l.err == nil && code != nil {
			l.module, l.err = k.ctx.LoadModule(file+".ptx", code)
		}
		if l.err != nil && l.From != Compiled && l.Refused == nil {
			l.Refused = l.err
		}
		if l.module != nil || l.From == Compiled || driver.Sticky(l.err) {
			if l.From == Compiled && !bytes.Equal(code, text) {
				l.fresh = code
			}
			l.Code, l.Took = len(code), time.Since(start)
			return l
		}
	}
}

// code gives the machine code of file from one origin, nil where that has none. A driver that compiles only as it loads is
// given the PTX.
func (k *Kernels) code(file string, text []byte, from Origin) ([]byte, error) {
	switch from {
	case Carried:
		return carried(file, k.ctx.Device.Arch())
	case Kept:
		return k.cache.get(file, text), nil
	}
	if k.Cache == "" {
		return text, nil
	}
	code, err := k.ctx.Compile(file+".ptx", text)
	if errors.Is(err, driver.NotSupported) {
		return text, nil
	}
	return code, err
}

// carried gives the machine code of file for devices of compute capability arch, 90 for 9.0. What was made for a device
// runs on those of the same major version that came later (CUDA C++ Programming Guide, binary compatibility; Jetson's,
// which are set apart there, may refuse it).
func carried(file string, arch int) ([]byte, error) {
	packed, err := gen.ReadFile(fmt.Sprintf("gen/code/sm_%d/%s.cubin.gz", arch/10*10, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("cannot read the machine code of %s: %w", file, err)
	}
	return io.ReadAll(z)
}

// install takes l over, and keeps its code when it is new.
func (k *Kernels) install(l fetched) error {
	if l.err != nil {
		return fmt.Errorf("cannot load kernels: %w", l.err)
	}
	k.modules[l.File] = l.module
	k.loads = append(k.loads, l.Load)
	if l.fresh != nil && k.cache.dir != "" && k.cache.err == nil {
		k.cache.err = k.keep(l)
	}
	return nil
}

func (k *Kernels) keep(l fetched) error {
	text, err := gen.ReadFile(path(l.File))
	if err != nil {
		return err
	}
	return errors.Join(k.cache.put(l.File, text, l.fresh), k.cache.prune())
}

// openCache names what code depends on besides its source.
func (k *Kernels) openCache() {
	if k.Cache == "" || k.cache.dir != "" {
		return
	}
	version, err := k.ctx.Library().DriverVersion()
	if err != nil {
		k.cache.err = err
		return
	}
	k.cache.dir, k.cache.key = k.Cache, fmt.Sprintf("driver %d, sm_%d", version, k.ctx.Device.Arch())
}
