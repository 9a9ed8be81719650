package ptx

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// load has a fake GPU load two modules by way of dir and returns what it did.
func load(t *testing.T, dir string, cfg drivertest.Config) (*Kernels, *drivertest.Fake) {
	t.Helper()
	fake := drivertest.New(cfg)
	k, err := Open(fake.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	k.Cache, k.Dry = dir, true
	x, w := tensor.Of(0, tensor.BF16, 1, 64), tensor.Of(0, tensor.F32, 64)
	ids := tensor.Of(0, tensor.I32, 1)
	if err := k.RMSNorm(driver.Stream{}, x, x, w, 1); err != nil {
		t.Fatal(err)
	}
	if err := k.Rows(driver.Stream{}, x, x, ids, 1); err != nil {
		t.Fatal(err)
	}
	if n := fake.Count("cuModuleLoad"); n != 0 {
		t.Errorf("dry launches loaded %d modules, want none before Load", n)
	}
	if err := k.Load(); err != nil {
		t.Fatal(err)
	}
	if n := len(k.Loads()); n != 2 {
		t.Errorf("Load() loaded %d modules, want 2", n)
	}
	return k, fake
}

func cubins(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCache_TheSecondStartCompilesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cubin")
	_, fake := load(t, dir, drivertest.Config{})
	if n, files := fake.Count("cuLinkCreate"), cubins(t, dir); n != 2 || len(files) != 2 {
		t.Errorf("first start: %d compiled, files %v; want 2 and 2", n, files)
	}
	if _, fake = load(t, dir, drivertest.Config{}); fake.Count("cuLinkCreate") != 0 {
		t.Errorf("second start: %d compiled, want 0", fake.Count("cuLinkCreate"))
	}
	if _, fake = load(t, dir, drivertest.Config{Version: 12020}); fake.Count("cuLinkCreate") != 2 {
		t.Errorf("another driver: %d compiled, want 2", fake.Count("cuLinkCreate"))
	}
	if _, fake = load(t, dir, drivertest.Config{Major: 8, Minor: 9}); fake.Count("cuLinkCreate") != 2 {
		t.Errorf("another GPU: %d compiled, want 2", fake.Count("cuLinkCreate"))
	}
}

func TestCache_DamagedFilesAreIgnoredAndWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	load(t, dir, drivertest.Config{})
	files := cubins(t, dir)
	for i, data := range []string{"", "too short", string(make([]byte, 100))} {
		for _, f := range files {
			if err := os.WriteFile(f, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, fake := load(t, dir, drivertest.Config{}); fake.Count("cuLinkCreate") != 2 {
			t.Errorf("damage %d: %d compiled, want 2", i, fake.Count("cuLinkCreate"))
		}
		if _, fake := load(t, dir, drivertest.Config{}); fake.Count("cuLinkCreate") != 0 {
			t.Errorf("after damage %d: %d compiled, want 0", i, fake.Count("cuLinkCreate"))
		}
	}
}

// TestCache_CodeThatTheDriverRefusesIsCompiledAnew covers a file that is whole and yet no code for this GPU.
func TestCache_CodeThatTheDriverRefusesIsCompiledAnew(t *testing.T) {
	dir := t.TempDir()
	k, _ := load(t, dir, drivertest.Config{})
	text, err := gen.ReadFile(path("rows"))
	if err == nil {
		err = k.cache.put("rows", text, []byte("no code"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, fake := load(t, dir, drivertest.Config{}); fake.Count("cuLinkCreate") != 1 {
		t.Errorf("%d compiled, want 1", fake.Count("cuLinkCreate"))
	}
	if _, fake := load(t, dir, drivertest.Config{}); fake.Count("cuLinkCreate") != 0 {
		t.Errorf("afterwards: %d compiled, want 0", fake.Count("cuLinkCreate"))
	}
}

func TestCache_AddingRemovesWhatWasNotUsedForLong(t *testing.T) {
	dir := t.TempDir()
	long, recent := time.Now().Add(-keepFor-time.Hour), time.Now().Add(-keepFor/2)
	for name, used := range map[string]time.Time{"old.cubin": long, "cut.tmp": long, "new.cubin": recent, "mine.txt": long} {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f, used, used); err != nil {
			t.Fatal(err)
		}
	}
	load(t, dir, drivertest.Config{})
	for name, want := range map[string]bool{"old.cubin": false, "cut.tmp": false, "new.cubin": true, "mine.txt": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it kept: %v", name, err, want)
		}
	}
}

func TestCache_ADirectoryThatCannotBeWrittenCostsOnlyTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if k, _ := load(t, filepath.Join(file, "cubin"), drivertest.Config{}); k.CacheErr() == nil {
		t.Error("CacheErr() = nil, want why nothing is kept")
	}
}

func TestLoad_WithoutALinkerTheDriverCompilesAsItLoads(t *testing.T) {
	dir := t.TempDir()
	load(t, dir, drivertest.Config{Lacks: []string{"cuLinkCreate_v2"}})
	if files := cubins(t, dir); len(files) != 0 {
		t.Errorf("kept %v, want nothing: PTX is no code", files)
	}
}
