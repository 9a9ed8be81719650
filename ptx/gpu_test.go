package ptx

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// gpu is a GPU with all kernels.
type gpu struct {
	ctx       *driver.Context
	k         *Kernels
	s         driver.Stream
	simulated bool
	said      bool // that cases are left out
}

// simulatedWork is how many products a case on a simulated GPU may take: it does some 10^8 in a second. Larger ones are
// left to real GPUs, so that every list of cases holds some beyond a tile that fit.
const simulatedWork = 6 << 20

// skips says, once for each test that has such cases, that one is left to real GPUs.
func (g *gpu) skips(t testing.TB, products int) bool {
	if !g.simulated || products <= simulatedWork {
		return false
	}
	if !g.said {
		t.Logf("cases of more than %d products are left to real GPUs", simulatedWork)
	}
	g.said = true
	return true
}

// openGPU opens the first real GPU for timing, or skips and says why there is none, or fails where WEFT_REQUIRE_GPU is set.
func openGPU(t testing.TB) *gpu {
	t.Helper()
	lib, err := driver.Open()
	if errors.Is(err, driver.ErrNoDriver) && os.Getenv("WEFT_REQUIRE_GPU") == "" {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return open(t, drivertest.Device{Library: lib})
}

// open opens the first GPU of on. Everything ends with the test.
func open(t testing.TB, on drivertest.Device) *gpu {
	t.Helper()
	runtime.LockOSThread()
	g := &gpu{simulated: on.Simulated}
	var d *driver.Device
	for _, step := range []func() error{
		func() (err error) { d, err = on.Library.Device(0); return },
		func() (err error) { g.ctx, err = d.Open(); return },
		func() (err error) { g.k, err = Open(g.ctx); return },
		func() error { g.k.Overlap = true; return nil }, // as they are served
		func() (err error) { g.s, err = g.ctx.NewStream(); return },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := errors.Join(g.ctx.Sync(), g.checkScratch(), g.k.Close(), g.s.Destroy(), g.ctx.Close()); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
	return g
}

// faked opens the kernels, and a stream, on a GPU that runs none.
func faked(t *testing.T, c drivertest.Config) (*drivertest.Fake, *Kernels, driver.Stream) {
	f := drivertest.New(c)
	k, err := Open(f.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.ctx.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Destroy(), k.Close()); err != nil {
			t.Error(err)
		}
	})
	return f, k, s
}

// checkScratch says what launches left of themselves in the scratch memory, where the next ones would take it for their own.
func (g *gpu) checkScratch() error {
	counts := make([]byte, 4*g.k.counts.words)
	kept := make([]byte, 4*g.k.kept.words)
	err := errors.Join(driver.CopyDtoH(g.s, counts, g.k.counts.ptr), driver.CopyDtoH(g.s, kept, g.k.kept.ptr), g.s.Sync())
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(counts, func(b byte) bool { return b != 0 }); i >= 0 {
		err = fmt.Errorf("count %d is left at %d", i/4, counts[i])
	}
	if i := slices.IndexFunc(kept, func(b byte) bool { return b != 0xff }); i >= 0 {
		err = errors.Join(err, fmt.Errorf("float %d of what blocks leave for each other is not absent", i/4))
	}
	return err
}

// random returns a matrix of normal values that lives until the test ends.
func (g *gpu) random(t testing.TB, typ tensor.DType, rows, cols int) tensor.View {
	t.Helper()
	v := tensor.Of(0, typ, rows, cols)
	p, err := g.ctx.Alloc(v.Bytes())
	if err == nil {
		v.Ptr = p
		err = g.k.Random(g.s, Place{Dst: v, Cols: cols}, v.Len(), 1, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.s.Sync(), g.ctx.Free(p)); err != nil {
			t.Error(err)
		}
	})
	return v
}

// time returns the median time of one call of work, over replays of a graph of many.
func (g *gpu) time(t testing.TB, calls int, work func(i int) error) time.Duration {
	t.Helper()
	if err := work(0); err != nil { // loads the kernel
		t.Fatal(err)
	}
	graph, err := g.ctx.Capture(g.s, func() error {
		for i := range calls {
			if err := work(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x, err := graph.Instantiate()
	if err != nil {
		t.Fatal(errors.Join(err, graph.Destroy()))
	}
	start, stop := g.event(t), g.event(t)
	var times []time.Duration
	for range 22 {
		err := errors.Join(start.Record(g.s), x.Launch(g.s), stop.Record(g.s), stop.Sync())
		took, failed := stop.Elapsed(start)
		if err = errors.Join(err, failed); err != nil {
			t.Fatal(err)
		}
		times = append(times, took)
	}
	if err := errors.Join(x.Destroy(), graph.Destroy(), start.Destroy(), stop.Destroy()); err != nil {
		t.Fatal(err)
	}
	times = times[2:] // warm
	slices.Sort(times)
	return times[len(times)/2] / time.Duration(calls)
}

func (g *gpu) event(t testing.TB) driver.Event {
	ev, err := g.ctx.NewEvent(true)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}
