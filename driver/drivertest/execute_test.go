package drivertest_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

// countPTX adds one to each of 32 words.
const countPTX = `
.version 7.0
.target sm_80
.address_size 64
.visible .entry count(.param .u64 count_param_0)
{
	.reg .b32 %r<4>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [count_param_0];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd2, %rd2, %rd1;
	ld.global.u32 %r2, [%rd2];
	add.s32 %r2, %r2, 1;
	st.global.u32 [%rd2], %r2;
	ret;
}
`

// counter is a fake that runs kernels, with countPTX loaded and a launch of it on words.
type counter struct {
	fake   *drivertest.Fake
	ctx    *driver.Context
	s      driver.Stream
	words  driver.DevicePtr
	launch func(p driver.DevicePtr) error
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{fake: drivertest.New(drivertest.Config{Run: true, Seed: 3})}
	c.ctx = open(t, c.fake)
	var err error
	c.s, err = c.ctx.NewStream()
	must(t, err)
	m, err := c.ctx.LoadModule("count", []byte(countPTX))
	must(t, err)
	f, err := m.Function("count")
	must(t, err)
	c.words, err = c.ctx.Alloc(128)
	must(t, err, driver.Memset8(c.s, c.words, 0, 128))
	c.launch = func(p driver.DevicePtr) error {
		var args driver.Args
		args.Ptr(p)
		return f.Launch(&driver.Launch{Grid: driver.Dim{X: 1}, Block: driver.Dim{X: 32}, Stream: c.s}, &args)
	}
	return c
}

func TestRun_KernelsComputeAlsoInGraphs(t *testing.T) {
	c := newCounter(t)
	must(t, c.launch(c.words))
	g, err := c.ctx.Capture(c.s, func() error { return errors.Join(c.launch(c.words), c.launch(c.words)) })
	must(t, err)
	x, err := g.Instantiate()
	must(t, err, x.Launch(c.s), x.Launch(c.s))
	out := make([]byte, 128)
	must(t, driver.CopyDtoH(c.s, out, c.words), c.s.Sync())
	for i := range 32 {
		if got := binary.LittleEndian.Uint32(out[4*i:]); got != 5 {
			t.Fatalf("word %d is %d after five launches", i, got)
		}
	}
	if faults := c.fake.Faults(); faults != nil {
		t.Errorf("Faults() = %q, want none", faults)
	}
}

func TestRun_AWildAccessIsAnErrorAndAFaultThatNamesIt(t *testing.T) {
	c := newCounter(t)
	if err := c.launch(c.words + 4); !errors.Is(err, driver.IllegalAddress) {
		t.Errorf("Launch() = %v, want %v", err, driver.IllegalAddress)
	}
	wantOnly(t, "Faults()", c.fake.Faults(), "kernel count, PTX line 13 (ld.global.u32 %r2, [%rd2]), thread [31 0 0] of block [0 0 0]: 4 bytes at")
	if err := c.s.Sync(); !errors.Is(err, driver.IllegalAddress) {
		t.Errorf("Sync() = %v, want the error to stick", err)
	}
}

func TestRun_UsesOfFreedMemoryAreFound(t *testing.T) {
	c := newCounter(t)
	must(t, c.ctx.Free(c.words))
	if err := c.launch(c.words); !errors.Is(err, driver.IllegalAddress) {
		t.Errorf("Launch() = %v, want %v", err, driver.IllegalAddress)
	}
	if faults := strings.Join(c.fake.Faults(), "\n"); !strings.Contains(faults, "which was freed") {
		t.Errorf("Faults() = %q, want the free named", faults)
	}
}
