package weft

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// openDevice opens the backend that o.Device names. "auto" takes the CPU only when there is no driver or no GPU; a GPU
// that fails is an error, not a reason to run a hundred times slower.
func openDevice(o Options, c *weights.Checkpoint) (backend.Backend, error) {
	if o.Backend != nil {
		return o.Backend()
	}
	kind, index, err := parseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	elem, err := parseDType(o.DType)
	if err != nil {
		return nil, err
	}
	if kind == "cpu" {
		return openCPU(o, elem)
	}
	gpu := cuda.Options{Elem: elem, Cache: KernelCache(o.CacheDir), Single: o.SingleKernels, Force: o.ForceKernels, Deterministic: o.Deterministic}
	if elem == tensor.Invalid {
		gpu.Elem = model.HalfType(c)
	}
	b, err := cuda.Open(index, gpu)
	if err != nil && kind == "auto" && errors.Is(err, driver.ErrNoDriver) {
		return openCPU(o, elem)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// openCPU refuses an elem that was asked for, rather than to compute in another.
func openCPU(o Options, elem tensor.DType) (backend.Backend, error) {
	if elem != tensor.Invalid {
		return nil, fmt.Errorf("cannot compute in %s on the CPU: it computes in f32, on weights as they are stored; drop --dtype, or pass --device cuda", elem)
	}
	return cpu.New(cpu.Options{Threads: o.Threads}), nil
}

// KernelCache is where kernels that the driver compiled are kept: below dir, or below the user's cache directory; "" for "off", and where
// there is none.
func KernelCache(dir string) string {
	switch dir {
	case "off":
		return ""
	case "":
		user, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(user, "weft")
	}
	return filepath.Join(dir, "cubin")
}

// parseDType reads "bf16", "f16", or "auto", which is Invalid.
func parseDType(s string) (tensor.DType, error) {
	switch s {
	case "", "auto":
		return tensor.Invalid, nil
	case "bf16":
		return tensor.BF16, nil
	case "f16":
		return tensor.F16, nil
	}
	return tensor.Invalid, fmt.Errorf("cannot compute in %q: want auto, bf16 or f16", s)
}

// parseDevice reads "auto", "cpu", "cuda" or "cuda:N".
func parseDevice(s string) (kind string, index int, err error) {
	switch kind, n, numbered := strings.Cut(s, ":"); {
	case s == "":
		return "auto", 0, nil
	case !numbered && (kind == "auto" || kind == "cpu" || kind == "cuda"):
		return kind, 0, nil
	case numbered && kind == "cuda":
		if index, err = strconv.Atoi(n); err == nil && index >= 0 {
			return kind, index, nil
		}
	}
	return "", 0, fmt.Errorf("cannot use device %q: want auto, cpu, cuda or cuda:N", s)
}
