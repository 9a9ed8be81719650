package drivertest

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/weft-llm/weft/driver"
)

// Open opens the machine's first GPU on the test's thread, which it locks, and closes it when the test ends. Without a
// GPU the test is skipped and says why; with WEFT_REQUIRE_GPU set, as on a GPU machine, it fails instead.
func Open(t testing.TB) *driver.Context {
	t.Helper()
	lib, err := driver.Open()
	if err == nil {
		return openFirst(t, lib)
	}
	if os.Getenv("WEFT_REQUIRE_GPU") == "" && errors.Is(err, driver.ErrNoDriver) {
		t.Skipf("skipped: %v", err)
	}
	t.Fatalf("cannot open a GPU: %v", err)
	return nil
}

// Device is a GPU that kernels run on: the machine's, or one played on the CPU.
type Device struct {
	Library   *driver.Library
	Simulated bool
	Hopper    bool // of those that are played: the one of sm_90
}

// played are the GPUs that stand in for a real one.
var played = []Config{
	{Name: "Simulated sm_80", Major: 8, SMs: 8, Memory: 4 << 30},
	{Name: "Simulated sm_90", Major: 9, SMs: 8, Memory: 4 << 30},
}

// OnEach runs a test of kernels on the machine's GPU. Where there is none it runs it on each of those that are played on
// the CPU, as subtests (WEFT_SIMULATED_SEED draws another order of warps and blocks), and fails what they call misuse; with
// WEFT_REQUIRE_GPU set, as on a GPU machine, it fails. The test gets an OS thread of its own.
func OnEach(t *testing.T, run func(t *testing.T, d Device)) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	lib, err := driver.Open()
	if err == nil {
		run(t, Device{Library: lib})
		return
	}
	if os.Getenv("WEFT_REQUIRE_GPU") != "" || !errors.Is(err, driver.ErrNoDriver) {
		t.Fatalf("cannot open a GPU: %v", err)
	}
	for _, c := range played {
		t.Run(c.Name, func(t *testing.T) {
			if seed := os.Getenv("WEFT_SIMULATED_SEED"); seed != "" { // another order of warps and blocks
				if c.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
					t.Fatalf("cannot read WEFT_SIMULATED_SEED: %v", err)
				}
			}
			run(t, Device{Simulate(t, c), true, c.Major == 9})
		})
	}
}

// Simulate plays the GPU of c for a test, runs its kernels, and fails the test for what it calls misuse. The test's
// goroutine gets an OS thread of its own.
func Simulate(t *testing.T, c Config) *driver.Library {
	t.Helper()
	if raceOn {
		t.Skip("skipped: a simulated GPU takes ten times as long under the race detector, with nothing to find: it runs on one goroutine")
	}
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	c.Run = true
	fake := New(c)
	t.Cleanup(func() { fake.Check(t) })
	fake.Record(false)
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func openFirst(t testing.TB, lib *driver.Library) *driver.Context {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	d, err := lib.Device(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return c
}
