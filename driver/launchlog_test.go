package driver_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

func TestLaunches_AreTheLastOnesInOrder(t *testing.T) {
	c := drivertest.New(drivertest.Config{}).Context(t)
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
	if all := c.Launches(); len(all) != 0 {
		t.Fatalf("Launches() = %v before any", all)
	}
	for range 100 {
		if err := r.run(r.x, r.y, r.z); err != nil {
			t.Fatal(err)
		}
	}
	exec := graphOf(t, c, r, &u) // captured, not launched
	if err := errors.Join(exec.Launch(r.stream), r.run(r.z, r.y, r.x)); err != nil {
		t.Fatal(err)
	}
	all := c.Launches()
	if len(all) != 64 || all[0].N != 39 || all[63].N != 102 {
		t.Fatalf("%d launches, from %d to %d, want the last 64 of 102", len(all), all[0].N, all[len(all)-1].N)
	}
	kernel := "vadd grid 4×1×1 block 256×1×1 shared 0"
	if g := all[62]; g.Kernel != "" || len(g.Graph) != 1 || g.String() != "graph of 1 kernels; 1× "+kernel {
		t.Errorf("the launch of a graph is %v", g)
	}
	var args []byte
	for _, p := range []driver.DevicePtr{r.z, r.y, r.x} {
		args = binary.LittleEndian.AppendUint64(args, uint64(p))
	}
	args = binary.LittleEndian.AppendUint32(args, elements)
	if k := all[63]; k.Kernel != kernel || k.Size != 28 || !bytes.Equal(k.Args, args) {
		t.Errorf("the last launch is %+v, want arguments %x", k, args)
	}
	if want := fmt.Sprintf("%s args %016x %016x %016x %08x", kernel, uint64(r.z), uint64(r.y), uint64(r.x), elements); all[63].String() != want {
		t.Errorf("the last launch reads %q, want %q", all[63], want)
	}
}

func TestLaunchRecord_CountsAGraphsKernelsAndCutsArguments(t *testing.T) {
	g := driver.LaunchRecord{Graph: []string{"a", "b", "a", "c", "a"}}
	if got, want := g.String(), "graph of 5 kernels; 3× a; 1× b; 1× c"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	k := driver.LaunchRecord{Kernel: "k", Args: make([]byte, 128), Size: 300}
	if got := k.String(); !strings.HasSuffix(got, " 0000000000000000 … of 300 bytes") {
		t.Errorf("String() = %q", got)
	}
}

func TestFault_EveryCodeThatLosesTheContextHasAdvice(t *testing.T) {
	for r := range driver.Result(1000) {
		f, ok := r.Fault()
		if r.Sticky() && !ok {
			t.Errorf("%v loses the context, and nothing is said about it", r)
		}
		if ok && (f.Meaning == "" || f.Action == "" || len(f.Xids) == 0) {
			t.Errorf("%v: %+v", r, f)
		}
	}
	if f, _ := driver.IllegalAddress.Fault(); !strings.Contains(f.String(), "likely shows Xid 31 or 13: see https://docs.nvidia.com/deploy/xid-errors/") {
		t.Errorf("advice on a wild address: %v", f)
	}
	if _, ok := driver.OutOfMemory.Fault(); ok {
		t.Error("a full GPU is taken for a broken one")
	}
}

// graphOf is a graph of one launch, ended with u.
func graphOf(t *testing.T, c *driver.Context, r *rig, u *undo) *driver.Exec {
	t.Helper()
	g, err := c.Capture(r.stream, func() error { return r.run(r.x, r.y, r.z) })
	if err != nil {
		t.Fatal(err)
	}
	defer g.Destroy()
	exec, err := g.Instantiate()
	if err != nil {
		t.Fatal(err)
	}
	u.add(exec.Destroy)
	return exec
}
