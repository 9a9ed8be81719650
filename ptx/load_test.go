package ptx

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

func TestLoad_CommonDevicesCompileNothing(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		from         Origin
	}{{8, 0, Carried}, {8, 6, Carried}, {8, 9, Carried}, {9, 0, Carried}, {10, 0, Compiled}, {12, 0, Compiled}} {
		k, fake := load(t, t.TempDir(), drivertest.Config{Major: c.major, Minor: c.minor, Opaque: true})
		for _, l := range k.Loads() {
			if l.From != c.from {
				t.Errorf("%d.%d: %s comes from %d, want %d", c.major, c.minor, l.File, l.From, c.from)
			}
		}
		if n := fake.Count("cuLinkCreate"); (n == 0) != (c.from == Carried) {
			t.Errorf("%d.%d: %d modules compiled", c.major, c.minor, n)
		}
	}
}

func TestLoad_SaysThatTheDriverRefusedCode(t *testing.T) {
	k, _ := load(t, t.TempDir(), drivertest.Config{})
	for _, l := range k.Loads() {
		if l.From != Compiled || l.Refused == nil {
			t.Errorf("%s comes from %d, refused %v; want it compiled, and why", l.File, l.From, l.Refused)
		}
	}
	if k, _ = load(t, t.TempDir(), drivertest.Config{Opaque: true}); k.Loads()[0].Refused != nil {
		t.Errorf("refused %v, want nothing", k.Loads()[0].Refused)
	}
}

func TestCarried_EveryModuleHasMachineCode(t *testing.T) {
	check := func(pattern string, arches ...int) {
		files, err := fs.Glob(gen, pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, f := range files {
			for _, arch := range arches {
				code, err := carried(strings.TrimSuffix(filepath.Base(f), ".ptx"), arch)
				if err != nil || !bytes.HasPrefix(code, []byte("\x7fELF")) || int(code[48]) != arch/10*10 { // e_flags: the chip
					t.Errorf("%s for %d: %d bytes that are no machine code for it, %v", f, arch, len(code), err)
				}
			}
		}
	}
	check("gen/sm_80/*", 80, 86, 89, 90)
	check("gen/sm_90a/*", 90)
}

func TestLoad_AStickyErrorIsNotTriedAgain(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	k, err := Open(fake.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() }) // it cannot free anything on a device that has failed
	k.Dry = true
	if err := k.Rows(driver.Stream{}, tensor.Of(0, tensor.BF16, 1, 64), tensor.Of(0, tensor.BF16, 1, 64), tensor.Of(0, tensor.I32, 1), 1); err != nil {
		t.Fatal(err)
	}
	fake.FailCall("cuModuleLoadDataEx", 1, driver.IllegalAddress)
	if err := k.Load(); err == nil || fake.Count("cuModuleLoadDataEx") != 1 {
		t.Errorf("Load() = %v after %d loads, want an error after one", err, fake.Count("cuModuleLoadDataEx"))
	}
}
