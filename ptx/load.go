package ptx

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weft-llm/weft/driver"
)

// Load tells how one module became ready.
type Load struct {
	File   string        // source without .cu
	Cached bool          // its code came from the cache; otherwise the driver compiled it
	PTX    int           // bytes
	Code   int           // bytes
	Took   time.Duration // to compile or read; several are done at once
}

// image is a module's code on the way to the device.
type image struct {
	Load
	code  []byte
	fresh bool // compiled now
	err   error
}

// Loads lists the modules loaded so far, in order.
func (k *Kernels) Loads() []Load { return slices.Clone(k.loads) }

// CacheErr returns why compiled code was not kept in Kernels.Cache, or nil.
func (k *Kernels) CacheErr() error { return k.cache.err }

// Load makes ready what launches under Dry asked for. Modules are compiled at once on as many threads as there are
// processors, each with the context bound to it.
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
	for im := range k.images(files) {
		errs = append(errs, k.install(im))
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

// images gives the images of files as they become ready.
func (k *Kernels) images(files []string) <-chan image {
	k.openCache()
	todo, done := make(chan string, len(files)), make(chan image, len(files))
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
				im := image{err: bound}
				if bound == nil {
					im = k.image(f)
				}
				done <- im
			}
			if bound == nil {
				if err := k.ctx.Unbind(); err != nil {
					done <- image{err: err}
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

// image reads the code of file from the cache or has the driver compile it. Any thread with the context may call it.
func (k *Kernels) image(file string) image {
	start := time.Now()
	text, err := gen.ReadFile(path(file))
	l := Load{File: file, PTX: len(text)}
	if err != nil {
		return image{Load: l, err: err}
	}
	if code := k.cache.get(file, text); code != nil {
		l.Cached, l.Code, l.Took = true, len(code), time.Since(start)
		return image{Load: l, code: code}
	}
	return k.compile(l)
}

// compile has the driver compile l.File.
func (k *Kernels) compile(l Load) image {
	start := time.Now()
	im := image{Load: l, fresh: true}
	text, err := gen.ReadFile(path(l.File))
	if err != nil {
		return image{Load: l, err: err}
	}
	if k.Cache != "" {
		im.code, im.err = k.ctx.Compile(l.File+".ptx", text)
	}
	if k.Cache == "" || errors.Is(im.err, driver.NotSupported) {
		im.code, im.err, im.fresh = text, nil, false // without the linker the driver compiles as it loads
	}
	im.Cached, im.Code, im.Took = false, len(im.code), time.Since(start)
	return im
}

// install loads im on the device, and keeps its code when it is new.
func (k *Kernels) install(im image) error {
	if im.err != nil {
		return fmt.Errorf("cannot load kernels: %w", im.err)
	}
	m, err := k.ctx.LoadModule(im.File+".ptx", im.code)
	if err != nil && im.Cached && !driver.Sticky(err) {
		return k.install(k.compile(im.Load))
	}
	if err != nil {
		return fmt.Errorf("cannot load kernels: %w", err)
	}
	k.modules[im.File] = m
	k.loads = append(k.loads, im.Load)
	if im.fresh && k.cache.dir != "" && k.cache.err == nil {
		k.cache.err = k.keep(im)
	}
	return nil
}

func (k *Kernels) keep(im image) error {
	text, err := gen.ReadFile(path(im.File))
	if err != nil {
		return err
	}
	return errors.Join(k.cache.put(im.File, text, im.code), k.cache.prune())
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
