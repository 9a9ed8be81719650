//go:build !race

package driver_test

import (
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

// checkHotCalls fails for each call of the decode step that allocates on the Go heap.
func checkHotCalls(t *testing.T, c *driver.Context) {
	t.Helper()
	var u undo
	defer func() {
		if err := u.all(nil); err != nil {
			t.Error(err)
		}
	}()
	r, err := build(c, &u)
	if err != nil {
		t.Fatal(err)
	}
	exec := graphOf(t, c, r, &u)
	for _, call := range []struct {
		name string
		do   func() error
	}{
		{"Launch", func() error { return r.run(r.x, r.y, r.z) }},
		{"Launch with attributes", func() error {
			l := r.launch
			l.Overlap = c.Device.Major >= 9
			r.args.Reset().Ptr(r.x).Ptr(r.y).Ptr(r.z).U32(elements)
			return r.add.Launch(&l, &r.args)
		}},
		{"CopyHtoD", func() error { return driver.CopyHtoD(r.stream, r.x, r.host) }},
		{"CopyDtoH", func() error { return driver.CopyDtoH(r.stream, r.host, r.x) }},
		{"CopyDtoD", func() error { return driver.CopyDtoD(r.stream, r.x, r.y, 64) }},
		{"Memset8", func() error { return driver.Memset8(r.stream, r.x, 1, 64) }},
		{"Memset32", func() error { return driver.Memset32(r.stream, r.x, 1, 16) }},
		{"Record", func() error { return r.start.Record(r.stream) }},
		{"Event.Query", func() error { _, err := r.start.Query(); return err }},
		{"Elapsed", func() error {
			err := r.start.Record(r.stream)
			if err == nil {
				err = r.end.Record(r.stream)
			}
			if err == nil {
				err = r.end.Sync()
			}
			if err == nil {
				_, err = r.end.Elapsed(r.start)
			}
			return err
		}},
		{"Event.Sync", func() error { return r.start.Sync() }},
		{"Wait", func() error { return r.stream.Wait(r.start) }},
		{"Stream.Query", func() error { _, err := r.stream.Query(); return err }},
		{"Stream.Sync", func() error { return r.stream.Sync() }},
		{"Exec.Launch", func() error { return exec.Launch(r.stream) }},
	} {
		n := testing.AllocsPerRun(200, func() {
			if err := call.do(); err != nil {
				t.Fatalf("%s: %v", call.name, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", call.name, n)
		}
	}
}

func TestHotCalls_AllocateNothing(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	fake.Record(false)
	checkHotCalls(t, fake.Context(t))
}

func TestHotCalls_AllocateNothing_GPU(t *testing.T) { checkHotCalls(t, drivertest.Open(t)) }
