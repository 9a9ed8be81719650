package driver_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

const elements = 1000 // not a multiple of the block

// vadd plays the kernel of addPTX.
func vadd(l *drivertest.Launch) driver.Result {
	n := l.U32(24)
	x, y, z := l.Memory(l.Ptr(0), int64(4*n)), l.Memory(l.Ptr(8), int64(4*n)), l.Memory(l.Ptr(16), int64(4*n))
	for i := range n {
		binary.LittleEndian.PutUint32(z[4*i:], math.Float32bits(float(x, i)+float(y, i)))
	}
	return driver.Success
}

func float(b []byte, i uint32) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
}

// undo collects what gives things back, newest first, as every user of this package does.
type undo []func() error

func (u *undo) add(f func() error) { *u = append(*u, f) }

func (u *undo) all(err error) error {
	for i := len(*u) - 1; i >= 0; i-- {
		err = errors.Join(err, (*u)[i]())
	}
	return err
}

// life runs a whole one: start-up, copies, launches, a graph and its update, shutdown. It returns z = (x+y)+y.
func life(lib *driver.Library) (z []float32, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	n, err := lib.DeviceCount()
	if err != nil || n == 0 {
		return nil, fmt.Errorf("no device: %w", err)
	}
	d, err := lib.Device(0)
	if err != nil {
		return nil, err
	}
	c, err := d.Open()
	if err != nil {
		return nil, err
	}
	var u undo
	u.add(c.Close)
	z, err = use(c, &u)
	return z, u.all(err)
}

// rig is what a run needs.
type rig struct {
	stream     driver.Stream
	start, end driver.Event
	host       []byte
	x, y, z    driver.DevicePtr
	add        *driver.Function
	launch     driver.Launch
	args       driver.Args
}

func build(c *driver.Context, u *undo) (*rig, error) {
	var err error
	r := &rig{launch: driver.Launch{Grid: driver.Dim{X: (elements + 255) / 256}, Block: driver.Dim{X: 256}}}
	if r.stream, err = c.NewStream(); err != nil {
		return nil, err
	}
	u.add(r.stream.Destroy)
	r.launch.Stream = r.stream
	for _, ev := range []*driver.Event{&r.start, &r.end} {
		if *ev, err = c.NewEvent(true); err != nil {
			return nil, err
		}
		u.add(ev.Destroy)
	}
	if r.host, err = c.AllocHost(4 * elements); err != nil {
		return nil, err
	}
	u.add(func() error { return c.FreeHost(r.host) })
	for _, p := range []*driver.DevicePtr{&r.x, &r.y, &r.z} {
		if *p, err = c.Alloc(4 * elements); err != nil {
			return nil, err
		}
		u.add(func() error { return c.Free(*p) })
	}
	m, err := c.LoadModule("add", []byte(addPTX))
	if err != nil {
		return nil, err
	}
	u.add(m.Unload)
	r.add, err = m.Function("vadd")
	return r, err
}

// run enqueues z = x + y.
func (r *rig) run(x, y, z driver.DevicePtr) error {
	r.args.Reset().Ptr(x).Ptr(y).Ptr(z).U32(elements)
	return r.add.Launch(&r.launch, &r.args)
}

// fill enqueues x[i] = i and y = 1.
func (r *rig) fill() error {
	for i := range elements {
		binary.LittleEndian.PutUint32(r.host[4*i:], math.Float32bits(float32(i)))
	}
	return errors.Join(driver.CopyHtoD(r.stream, r.x, r.host), driver.Memset32(r.stream, r.y, math.Float32bits(1), elements),
		driver.Memset8(r.stream, r.z, 0, 4*elements))
}

// read is p as floats.
func (r *rig) read(p driver.DevicePtr) ([]float32, error) {
	if err := errors.Join(driver.CopyDtoH(r.stream, r.host, p), r.stream.Sync()); err != nil {
		return nil, err
	}
	out := make([]float32, elements)
	for i := range out {
		out[i] = float(r.host, uint32(i))
	}
	return out, nil
}

func use(c *driver.Context, u *undo) ([]float32, error) {
	r, err := build(c, u)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.start.Record(r.stream), r.fill(), r.run(r.x, r.y, r.z)); err != nil {
		return nil, err
	}
	first, err := c.Capture(r.stream, func() error { return r.run(r.z, r.z, r.x) })
	if err != nil {
		return nil, err
	}
	u.add(first.Destroy)
	exec, err := first.Instantiate()
	if err != nil {
		return nil, err
	}
	u.add(exec.Destroy)
	second, err := c.Capture(r.stream, func() error { return r.run(r.z, r.y, r.x) })
	if err != nil {
		return nil, err
	}
	u.add(second.Destroy)
	if err := errors.Join(exec.Update(second), exec.Upload(r.stream), exec.Launch(r.stream), r.end.Record(r.stream)); err != nil {
		return nil, err
	}
	z, err := r.read(r.x)
	if err != nil {
		return nil, err
	}
	_, err = r.end.Elapsed(r.start)
	return z, err
}

func checkLife(t *testing.T, z []float32) {
	t.Helper()
	if len(z) != elements {
		t.Fatalf("life() gave %d numbers, want %d", len(z), elements)
	}
	for i, v := range z {
		if want := float32(i) + 2; v != want {
			t.Fatalf("z[%d] = %v, want %v", i, v, want)
		}
	}
}

func TestLife_ComputesAndLeavesNothingBehind(t *testing.T) {
	fake := drivertest.New(drivertest.Config{})
	fake.Kernel("vadd", vadd)
	lib, err := fake.Library()
	if err != nil {
		t.Fatal(err)
	}
	z, err := life(lib)
	if err != nil {
		t.Fatal(err)
	}
	checkLife(t, z)
	fake.Check(t)
	if l := fake.Launches(); len(l) != 2 || !l[1].Graph {
		t.Errorf("launches = %+v, want one eager and one by the graph", l)
	}
}

// The n-th call fails, for every n: a typed error comes out, and everything comes back.
func TestLife_EveryCallMayFail(t *testing.T) {
	for _, code := range []driver.Result{driver.OutOfMemory, driver.Unknown, driver.IllegalAddress, driver.ECCUncorrectable} {
		total := 0
		for n := 1; ; n++ {
			fake := drivertest.New(drivertest.Config{})
			fake.Kernel("vadd", vadd)
			fake.FailAt(n, code)
			err := start(fake)
			if fake.Count("") < n {
				if err != nil {
					t.Errorf("life() = %v without a failure", err)
				}
				break
			}
			total++
			call := fake.Calls()[n-1].Symbol
			var typed *driver.Error
			if !errors.As(err, &typed) || !errors.Is(err, code) {
				t.Errorf("call %d, %s, fails with %v: life() = %v", n, call, code, err)
			}
			if driver.Sticky(err) != code.Sticky() {
				t.Errorf("call %d, %s: Sticky(%v) = %v", n, call, err, !code.Sticky())
			}
			for _, bad := range append(fake.Leaks(), fake.Faults()...) {
				t.Errorf("call %d, %s, fails with %v: %s", n, call, code, bad)
			}
		}
		if total < 50 {
			t.Errorf("life() makes %d calls, want the whole life", total)
		}
	}
}

func start(fake *drivertest.Fake) error {
	lib, err := fake.Library()
	if err != nil {
		return err
	}
	_, err = life(lib)
	return err
}
