package ptx

import (
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

// TestSteady_KIsOneSliceForEveryM: a choice by M must not become a choice of how K is added, and a shape that Hopper's
// kernels do not take for some M is left to the others for all.
func TestSteady_KIsOneSliceForEveryM(t *testing.T) {
	k := newKernels()
	for _, c := range []struct {
		e      epilogue
		n, k   int
		hopper bool
	}{
		{plain, 4096, 1024, true}, {plain, 1024, 2048, true}, {gated, 6144, 1024, true}, {logits, 151936, 1024, true}, {plain, 6144, 4096, true},
		{gated, 24576, 4096, true}, {plain, 4096, 12288, true}, {plain, 960, 576, true}, {logits, 49152, 576, true}, {logits, 131, 576, true},
		{plain, 131, 1024, false}, {plain, 512, 192, false}, {logits, 512, 64, false},
	} {
		for m := 1; m <= 8192; m++ {
			tile := k.hop.choose(c.e, m, c.n, c.k, 132, true)
			if (tile != nil) != c.hopper {
				t.Fatalf("M=%d N=%d K=%d: kernel of sm_90a %v, want %v for every M", m, c.n, c.k, tile != nil, c.hopper)
			}
			if tile != nil && tile.splits != 1 {
				t.Fatalf("M=%d N=%d K=%d: %s splits K in %d", m, c.n, c.k, tile.name, tile.splits)
			}
			old, err := k.lin.choose(m, c.n, 108, true)
			if err != nil || old.walks {
				t.Fatalf("M=%d N=%d K=%d: %v, %v, want a kernel whose warps do not share K", m, c.n, c.k, old, err)
			}
		}
	}
}

// TestCheckSteady_NamesTheKernelThatAddsOtherwise plays a GPU on which one kernel gives other bits.
func TestCheckSteady_NamesTheKernelThatAddsOtherwise(t *testing.T) {
	for _, c := range []struct {
		major     int
		odd, want string
	}{
		{9, "", ""}, {8, "", ""},
		{9, "skinny_n32", "skinny_n32"}, {9, "gemm_128x64_logits", "gemm_128x64"}, {8, "gemm_m128_gated", "gemm_m128"},
		{9, "gemm_m64", ""}, {8, "skinny_m8", ""}, // not chosen there
	} {
		fake := drivertest.New(drivertest.Config{Major: c.major})
		if c.odd != "" {
			fake.Kernel(c.odd, func(l *drivertest.Launch) driver.Result {
				y := 0 // linearArgs
				if c.major == 9 {
					y = 4 * 128 // hopperArgs, behind the maps
				}
				l.Memory(l.Ptr(y), 1)[0] = 7
				return driver.Success
			})
		}
		ctx := fake.Context(t)
		k, err := Open(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ctx.NewStream()
		if err != nil {
			t.Fatal(err)
		}
		err = k.CheckSteady(s)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), " and "+c.want+" add in another order") {
			t.Errorf("sm_%d0, %s odd: %v, want it to name %q", c.major, c.odd, err, c.want)
		}
		if k.hop.forced != nil || k.lin.forced != "" {
			t.Errorf("sm_%d0, %s odd: a kernel is still forced", c.major, c.odd)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Destroy(); err != nil {
			t.Error(err)
		}
	}
}
