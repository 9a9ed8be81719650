package drivertest

import (
	"errors"
	"os"
	"runtime"
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
