package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/nvml"
	"github.com/weft-llm/weft/tensor"
)

type doctorCmd struct {
	Kernels bool `help:"List which kernel runs what on which GPU."`
}

// errUnhealthy makes the process exit with 1; what is wrong was printed.
var errUnhealthy = errors.New("not healthy: see the lines marked FAIL")

func (c *doctorCmd) Run(a *app) error {
	runtime.LockOSThread() // a CUDA context belongs to a thread
	defer runtime.UnlockOSThread()
	d := doctor{app: a}
	d.ok("weft %s, %s/%s, %s", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	lib, err := driver.Open()
	if err != nil {
		d.fail("driver: %v", err)
		return errUnhealthy
	}
	n, err := lib.DeviceCount()
	if d.check(err, "devices") {
		d.driver(lib)
	}
	for i := range n {
		d.gpu(lib, i, c.Kernels)
	}
	d.nvml()
	if d.failed {
		return errUnhealthy
	}
	return nil
}

// doctor prints findings.
type doctor struct {
	*app
	failed bool
}

func (d *doctor) ok(format string, args ...any) { fmt.Fprintf(d.stdout, "ok    "+format+"\n", args...) }

func (d *doctor) fail(format string, args ...any) {
	d.failed = true
	fmt.Fprintf(d.stdout, "FAIL  "+format+"\n", args...)
}

// check prints a failure of what, and reports whether there was none.
func (d *doctor) check(err error, what string) bool {
	if err != nil {
		d.fail("%s: %v", what, err)
	}
	return err == nil
}

func (d *doctor) driver(lib *driver.Library) {
	v, err := lib.DriverVersion()
	if d.check(err, "driver version") {
		d.ok("driver: CUDA %d.%d", v/1000, v%1000/10)
	}
	for _, lost := range lib.Lost() {
		d.ok("driver: %v", lost)
	}
}

// gpu tells of one GPU, and runs every kernel on it.
func (d *doctor) gpu(lib *driver.Library, i int, kernels bool) {
	dev, err := lib.Device(i)
	if !d.check(err, fmt.Sprintf("GPU %d", i)) {
		return
	}
	d.ok("GPU %d: %s, compute capability %d.%d, %d multiprocessors, %.1f GiB", i, dev.Name, dev.Major, dev.Minor, dev.SMs, float64(dev.TotalMemory)/(1<<30))
	for _, elem := range []tensor.DType{tensor.BF16, tensor.F16} {
		d.kernels(lib, i, elem, kernels)
	}
}

// kernels runs every kernel for elem on GPU i.
func (d *doctor) kernels(lib *driver.Library, i int, elem tensor.DType, list bool) {
	start := time.Now()
	b, err := cuda.OpenWith(lib, i, cuda.Options{Elem: elem})
	if !d.check(err, fmt.Sprintf("GPU %d: open", i)) {
		return
	}
	defer func() { d.check(b.Close(), fmt.Sprintf("GPU %d: close", i)) }()
	passed := 0
	for _, c := range b.SelfTest() {
		if d.check(c.Err, fmt.Sprintf("GPU %d: kernel %s in %s", i, c.Name, elem)) {
			passed++
		}
	}
	d.ok("GPU %d: %d kernels agree with the host in %s, %.1f s with compiling them", i, passed, elem, time.Since(start).Seconds())
	if list {
		for _, v := range b.Kernels().Variants() {
			fmt.Fprintf(d.stdout, "      %v\n", v)
		}
	}
}

// nvml is optional: what it tells is only shown.
func (d *doctor) nvml() {
	n, err := nvml.Open()
	if err != nil {
		d.ok("NVML: not there (%v); weft runs without it", err)
		return
	}
	defer n.Close()
	v, err := n.DriverVersion()
	if d.check(err, "NVML") {
		d.ok("NVML: driver %s", v)
	}
}
