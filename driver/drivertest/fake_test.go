package drivertest_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

const ptx = `
.version 8.4
.target sm_80
.address_size 64
.visible .global .align 4 .b8 table[12];
.visible .entry fill(
	.param .u64 .ptr .global .align 16 out, // where
	.param .u32 n,
	.param .align 64 .b8 map[128]
)
{
	ret;
}
.visible .entry bare()
{
	ret;
}
`

// open is a context of fake that is closed without Fake.Check: these tests look at faults and leaks themselves.
func open(t *testing.T, fake *drivertest.Fake) *driver.Context {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	d, err := lib.Device(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must fails t on the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// wantOnly fails t unless got is one text that contains want.
func wantOnly(t *testing.T, what string, got []string, want string) {
	t.Helper()
	if len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("%s = %q, want one with %q", what, got, want)
	}
}

func TestFake_KnowsEverySymbolOfTheDriver(t *testing.T) {
	lib, err := drivertest.New(drivertest.Config{}).Library()
	if err != nil {
		t.Fatal(err)
	}
	if lost := lib.Lost(); lost != nil {
		t.Errorf("Lost() = %q, want none", lost)
	}
}

func TestFake_NotesMisuse(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*driver.Context, driver.Stream, driver.DevicePtr) error
		want string
	}{
		{"double free", func(c *driver.Context, _ driver.Stream, p driver.DevicePtr) error {
			must(t, c.Free(p))
			return c.Free(p)
		},
			"was freed before"},
		{"foreign free", func(c *driver.Context, _ driver.Stream, p driver.DevicePtr) error { return c.Free(p + 1) },
			"was never allocated"},
		{"use after free", func(c *driver.Context, s driver.Stream, p driver.DevicePtr) error {
			must(t, c.Free(p))
			return driver.Memset8(s, p, 0, 1)
		}, "was freed"},
		{"past the end", func(_ *driver.Context, s driver.Stream, p driver.DevicePtr) error {
			return driver.Memset8(s, p, 0, 101)
		},
			"goes past the end"},
		{"wild", func(_ *driver.Context, s driver.Stream, _ driver.DevicePtr) error {
			return driver.Memset8(s, 4096, 0, 1)
		},
			"was never allocated"},
		{"destroyed stream", func(_ *driver.Context, s driver.Stream, _ driver.DevicePtr) error {
			must(t, s.Destroy())
			return s.Sync()
		}, "was given back before"},
		{"closed twice", func(c *driver.Context, _ driver.Stream, _ driver.DevicePtr) error {
			must(t, c.Close())
			return c.Close()
		},
			"is not retained"},
		{"host memory freed twice", func(c *driver.Context, _ driver.Stream, _ driver.DevicePtr) error {
			b, err := c.AllocHost(10)
			must(t, err, c.FreeHost(b))
			return c.FreeHost(b)
		}, "pinned memory"},
		{"no context", func(c *driver.Context, s driver.Stream, _ driver.DevicePtr) error {
			must(t, c.Close())
			return s.Sync()
		}, "thread without a context"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := drivertest.New(drivertest.Config{})
			ctx := open(t, fake)
			s, err := ctx.NewStream()
			must(t, err)
			p, err := ctx.Alloc(100)
			must(t, err)
			if err := c.do(ctx, s, p); err == nil {
				t.Error("the misuse gives no error")
			}
			wantOnly(t, "Faults()", fake.Faults(), c.want)
		})
	}
}

func TestFake_NamesLeaksByTheCallThatMadeThem(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := open(t, fake)
	_, err := c.Alloc(100)
	must(t, err)
	alloc := fake.Count("")
	_, err = c.NewEvent(false)
	must(t, err)
	want := []string{"100 bytes on GPU 0 of call " + itoa(alloc), "context of GPU 0, retained 1 times", "event of call " + itoa(alloc+1)}
	if got := fake.Leaks(); !slices.Equal(got, want) {
		t.Errorf("Leaks() = %q, want %q", got, want)
	}
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

func TestFake_MemoryIsCountedAndNotZero(t *testing.T) {
	fake := drivertest.New(drivertest.Config{Memory: 4096})
	c := fake.Context(t)
	p, err := c.Alloc(1000)
	must(t, err)
	if b := fake.Memory(p, 1000); b[0] != 0xFF || b[999] != 0xFF {
		t.Errorf("fresh memory = %x…, want NaN", b[:4])
	}
	if free, total, err := c.MemInfo(); free != 3072 || total != 4096 || err != nil || fake.Used() != 1024 {
		t.Errorf("MemInfo() = %d, %d, %v, Used() = %d, want 3072, 4096, 1024", free, total, err, fake.Used())
	}
	if _, err := c.Alloc(3073); !errors.Is(err, driver.OutOfMemory) {
		t.Errorf("Alloc(3073) = %v, want OutOfMemory", err)
	}
	must(t, c.Free(p))
	if fake.Used() != 0 {
		t.Errorf("Used() = %d after Free, want 0", fake.Used())
	}
}

func TestFake_LaunchesAreCheckedAgainstThePTX(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := open(t, fake)
	m, err := c.LoadModule("m", []byte(ptx))
	must(t, err)
	f, err := m.Function("fill")
	must(t, err)
	var a driver.Args
	a.Ptr(0).U32(1).Bytes(make([]byte, 128), 64)
	must(t, f.Launch(&driver.Launch{}, &a))
	if err := f.Launch(&driver.Launch{Block: driver.Dim{X: 1025}}, &a); !errors.Is(err, driver.InvalidValue) {
		t.Errorf("1025 threads: %v, want InvalidValue", err)
	}
	if err := f.Launch(&driver.Launch{Shared: 49 << 10}, &a); !errors.Is(err, driver.InvalidValue) {
		t.Errorf("49 KiB shared: %v, want InvalidValue", err)
	}
	must(t, f.SetMaxShared(64<<10), f.Launch(&driver.Launch{Shared: 49 << 10}, &a))
	if err := f.Launch(&driver.Launch{}, a.Reset().Ptr(0)); !errors.Is(err, driver.InvalidValue) {
		t.Errorf("8 bytes of arguments: %v, want InvalidValue", err)
	}
	wantOnly(t, "Faults()", fake.Faults(), "fill is launched with 8 bytes of arguments, its parameters take 192")
	bare, err := m.Function("bare")
	must(t, err, bare.Launch(&driver.Launch{}, a.Reset()))
}

func TestFake_ABlockDoesNotReachParametersAlignedTo64(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := open(t, fake)
	m, err := c.LoadModule("m", []byte(".version 7.0\n.target sm_80\n.visible .entry k(.param .align 64 .b8 q[64], .param .u32 n) { ret; }"))
	must(t, err)
	f, err := m.Function("k")
	must(t, err)
	var seen uint32
	fake.Kernel("k", func(l *drivertest.Launch) driver.Result { seen = l.U32(64); return driver.Success })
	var a driver.Args
	if err := f.Launch(&driver.Launch{}, a.Bytes(make([]byte, 64), 8).U32(5)); !errors.Is(err, driver.InvalidValue) {
		t.Errorf("64 bytes said to be aligned to 8: %v, want InvalidValue", err)
	}
	wantOnly(t, "Faults()", fake.Faults(), "kernel k is launched with a block of arguments, and parameter 0 is aligned to 64")
	must(t, f.Launch(&driver.Launch{}, a.Reset().Struct(make([]byte, 64), []uintptr{0}, 64).U32(5)))
	if seen != 5 {
		t.Errorf("the kernel saw %d, want 5", seen)
	}
}

func TestFake_AKernelThatGoesWildLosesTheContext(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	fake.Kernel("fill", func(l *drivertest.Launch) driver.Result { clear(l.Memory(l.Ptr(0), 4)); return driver.Success })
	c := open(t, fake)
	m, err := c.LoadModule("m", []byte(ptx))
	must(t, err)
	f, err := m.Function("fill")
	must(t, err)
	var a driver.Args
	a.Ptr(64).U32(1).Bytes(make([]byte, 128), 64)
	if err := f.Launch(&driver.Launch{}, &a); !driver.Sticky(err) {
		t.Errorf("Launch() = %v, want a sticky error", err)
	}
	if _, err := c.Alloc(1); !errors.Is(err, driver.IllegalAddress) {
		t.Errorf("Alloc() afterwards = %v, want IllegalAddress", err)
	}
}

func TestFake_ModulesFitDriverAndDevice(t *testing.T) {
	c := drivertest.New(drivertest.Config{Major: 8, Minor: 6}).Context(t)
	for _, x := range []struct {
		from, to string
		want     driver.Result
	}{
		{"8.4", "8.5", driver.UnsupportedPTXVersion},
		{"sm_80", "sm_90", driver.NoBinaryForGPU},
		{"sm_80", "sm_80a", driver.NoBinaryForGPU},
		{".version", ".ersion", driver.InvalidPTX},
	} {
		if _, err := c.LoadModule("m", []byte(strings.Replace(ptx, x.from, x.to, 1))); !errors.Is(err, x.want) {
			t.Errorf("%s instead of %s: %v, want %v", x.to, x.from, err, x.want)
		}
	}
}

func TestFake_CompiledPTXIsAModuleToo(t *testing.T) {
	c := drivertest.New(drivertest.Config{}).Context(t)
	cubin, err := c.Compile("m", []byte(ptx))
	must(t, err)
	m, err := c.LoadModule("m", cubin)
	must(t, err)
	defer m.Unload()
	if _, err := m.Function("fill"); err != nil {
		t.Error(err)
	}
	if _, n, err := m.Global("table"); n != 12 || err != nil {
		t.Errorf("Global() = %d bytes, %v, want 12", n, err)
	}
}

func TestFake_CapturesRecordAndReplay(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := fake.Context(t)
	s, err := c.NewStream()
	must(t, err)
	defer s.Destroy()
	side, err := c.NewStream()
	must(t, err)
	defer side.Destroy()
	ev, err := c.NewEvent(false)
	must(t, err)
	defer ev.Destroy()
	p, err := c.Alloc(8)
	must(t, err)
	defer c.Free(p)
	g, err := c.Capture(s, func() error {
		return errors.Join(driver.Memset8(s, p, 1, 4), ev.Record(s), side.Wait(ev), driver.Memset8(side, p+4, 2, 4))
	})
	must(t, err)
	defer g.Destroy()
	if n, err := g.Nodes(); n != 2 || err != nil {
		t.Errorf("Nodes() = %d, %v, want 2: the side stream's work too", n, err)
	}
	fresh := bytes.Repeat([]byte{0xFF}, 8)
	if got := fake.Memory(p, 8); !bytes.Equal(got, fresh) {
		t.Errorf("memory after the capture = %x, want it unchanged", got)
	}
	x, err := g.Instantiate()
	must(t, err)
	defer x.Destroy()
	must(t, x.Launch(s))
	if got := fake.Memory(p, 8); !bytes.Equal(got, []byte{1, 1, 1, 1, 2, 2, 2, 2}) {
		t.Errorf("memory after the launch = %x", got)
	}
	other, err := c.Capture(s, func() error { return driver.Memset8(s, p, 1, 4) })
	must(t, err)
	defer other.Destroy()
	if err := x.Update(other); !errors.Is(err, driver.GraphExecUpdateFailure) || !strings.Contains(err.Error(), "topology changed") {
		t.Errorf("Update() = %v, want topology changed", err)
	}
}

func TestFake_CapturesAreSpoiledByWhatTheyCannotHold(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*driver.Context, driver.Stream) error
		want string
	}{
		{"alloc", func(c *driver.Context, _ driver.Stream) error { _, err := c.Alloc(1); return err }, "cuMemAlloc is called"},
		{"sync", func(_ *driver.Context, s driver.Stream) error { return s.Sync() }, "the stream is synced"},
		{"pageable", func(_ *driver.Context, s driver.Stream) error { return driver.CopyHtoD(s, 4096, make([]byte, 8)) },
			"not from AllocHost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := drivertest.New(drivertest.Config{})
			ctx := open(t, fake)
			s, err := ctx.NewStream()
			must(t, err)
			if g, err := ctx.Capture(s, func() error { return c.do(ctx, s) }); g != nil || !errors.Is(err, driver.StreamCaptureUnsupported) {
				t.Errorf("Capture() = %v, %v, want StreamCaptureUnsupported", g, err)
			}
			wantOnly(t, "Faults()", fake.Faults(), c.want)
			must(t, s.Sync()) // the stream works again
		})
	}
}

func TestFake_HangHoldsSyncsUntilResumed(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := open(t, fake)
	s, err := c.NewStream()
	must(t, err)
	synctest.Test(t, func(t *testing.T) {
		runtime.LockOSThread() // the bubble is a goroutine of its own
		must(t, c.Bind())
		resume := fake.Hang()
		if done, err := s.Query(); done || err != nil {
			t.Errorf("Query() = %v, %v while hanging, want false", done, err)
		}
		synced := false
		go func() {
			runtime.LockOSThread()
			if err := errors.Join(c.Bind(), s.Sync()); err != nil {
				t.Error(err)
			}
			synced = true
		}()
		synctest.Wait()
		if synced {
			t.Error("Sync() returned while the device hangs")
		}
		resume()
		synctest.Wait()
		if !synced {
			t.Error("Sync() did not return after resume")
		}
	})
	if done, err := s.Query(); !done || err != nil {
		t.Errorf("Query() = %v, %v after resume, want true", done, err)
	}
}

func TestFake_EventsFromBeforeAHangCanBeTimedAndLaterOnesCannot(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := fake.Context(t)
	s, err := c.NewStream()
	must(t, err)
	defer s.Destroy()
	var events [3]driver.Event
	for i := range events {
		events[i], err = c.NewEvent(true)
		must(t, err)
		defer events[i].Destroy()
	}
	must(t, errors.Join(events[0].Record(s), events[1].Record(s)))
	resume := fake.Hang()
	must(t, events[2].Record(s))
	if _, err := events[1].Elapsed(events[0]); err != nil {
		t.Errorf("Elapsed() of events from before the hang = %v", err)
	}
	if _, err := events[2].Elapsed(events[0]); !errors.Is(err, driver.NotReady) {
		t.Errorf("Elapsed() of an event from the hang = %v, want NotReady", err)
	}
	resume()
	if _, err := events[2].Elapsed(events[0]); err != nil {
		t.Errorf("Elapsed() after the hang = %v", err)
	}
}

func TestFake_FailsTheNthCallOfAKind(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	c := fake.Context(t)
	s, err := c.NewStream()
	must(t, err)
	defer s.Destroy()
	fake.FailCall("cuStreamSync", 2, driver.Unknown)
	for i, want := range []bool{true, false, true} {
		if err := s.Sync(); (err == nil) != want {
			t.Errorf("Sync %d = %v, want success %v", i+1, err, want)
		}
	}
	calls := fake.Calls()
	last := calls[len(calls)-2]
	if last.Symbol != "cuStreamSynchronize" || last.Result != driver.Unknown || last.N != len(calls)-1 {
		t.Errorf("recorded %+v, want the failed sync", last)
	}
}
