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
)

// openDevice opens the backend that o.Device names. "auto" takes the CPU only when there is no driver or no GPU; a GPU
// that fails is an error, not a reason to run a hundred times slower.
func openDevice(o Options) (backend.Backend, error) {
	if o.Backend != nil {
		return o.Backend()
	}
	kind, index, err := parseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	if kind == "cpu" {
		return cpu.New(cpu.Options{Threads: o.Threads}), nil
	}
	b, err := cuda.Open(index, cuda.Options{Cache: KernelCache(o.CacheDir), Single: o.SingleKernels, Deterministic: o.Deterministic})
	if err != nil && kind == "auto" && errors.Is(err, driver.ErrNoDriver) {
		return cpu.New(cpu.Options{Threads: o.Threads}), nil
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// KernelCache is where compiled kernels are kept: below dir, or below the user's cache directory; "" for "off", and where
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
