package ptx

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// linearCase is one shape with its results in float64.
type linearCase struct {
	m, n, k             int
	x, w, bias          *guarded
	y, logits, gated    *guarded
	biased, capped, act []float64
	mag, actMag         []float64
}

const testScale, testSoftcap = 0.5, 30

func newLinearCase(c *checker, m, n, k int) *linearCase {
	l := &linearCase{m: m, n: n, k: k, x: c.random(tensor.BF16, m, k), w: c.random(tensor.BF16, n, k), bias: c.random(tensor.F32, n),
		y: c.poisoned(tensor.BF16, m, n), logits: c.poisoned(tensor.F32, m, n)}
	sum, mag := products(l.x.host, l.w.host, k)
	l.mag = mag
	for i, v := range sum {
		l.biased = append(l.biased, v+float64(l.bias.host[i%n]))
		l.capped = append(l.capped, testSoftcap*math.Tanh(testScale*v/testSoftcap))
	}
	if n%16 != 0 {
		return l
	}
	l.gated = c.poisoned(tensor.BF16, m, n/2)
	for i := range m * n / 2 {
		at := i/(n/2)*n + i%(n/2)/8*16 + i%8
		silu := sum[at] / (1 + math.Exp(-sum[at]))
		l.act = append(l.act, silu*sum[at+8])
		l.actMag = append(l.actMag, 1.1*mag[at]*math.Abs(sum[at+8])+math.Abs(silu)*mag[at+8])
	}
	return l
}

// Tolerances: half a unit in the last place of bf16 and as much again for the sum in f32; exp and tanh by __expf.
const (
	bf16Relative = 0x1.1p-8
	sumRelative  = 4e-6
	f32Relative  = 4e-6
)

func (l *linearCase) run(c *checker) error {
	err := errors.Join(c.k.Linear(c.s, l.y.View, l.x.View, l.w.View, l.bias.View),
		c.k.Logits(c.s, l.logits.View, l.x.View, l.w.View, testScale, testSoftcap))
	if l.gated != nil {
		err = errors.Join(err, c.k.GatedLinear(c.s, l.gated.View, l.x.View, l.w.View, SiLU))
	}
	return err
}

// check runs every epilogue.
func (l *linearCase) check(c *checker) error {
	err := errors.Join(l.run(c), c.expect(l.y, l.biased, l.mag, bf16Relative, sumRelative),
		c.expect(l.logits, l.capped, l.mag, f32Relative, sumRelative))
	c.poison(l.y)
	c.poison(l.logits)
	if l.gated != nil {
		err = errors.Join(err, c.expect(l.gated, l.act, l.actMag, bf16Relative, sumRelative))
		c.poison(l.gated)
	}
	return err
}

// linearShapes has odd sizes round the tiles' edges, one column of K beyond a stage, K split and unsplit.
func linearShapes() [][3]int {
	if os.Getenv("WEFT_TEST_SMALL") != "" { // under compute-sanitizer
		return [][3]int{{1, 80, 1096}, {67, 272, 200}}
	}
	return [][3]int{{1, 64, 8}, {1, 80, 1096}, {3, 112, 2048}, {5, 200, 328}, {8, 1024, 512}, {9, 208, 72}, {17, 336, 4096},
		{33, 131, 1024}, {63, 272, 1032}, {65, 528, 200}, {129, 784, 648}, {257, 1040, 136}, {300, 203, 264}, {385, 784, 328},
		{65, 272, 136}, {129, 208, 200}, {257, 272, 72}, {130, 203, 72}, {131, 208, 136}, {258, 144, 72}}
}

// TestLinear_EveryKernelGivesTheFloat64Result_GPU also checks that nothing round the outputs is written, and that every
// element is.
func TestLinear_EveryKernelGivesTheFloat64Result_GPU(t *testing.T) {
	drivertest.OnEach(t, linearEveryKernelGivesTheFloat64Result)
}

func linearEveryKernelGivesTheFloat64Result(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	only := os.Getenv("WEFT_TEST_VARIANT")
	for i, s := range linearShapes() {
		if only == "" && c.skips(t, s[0]*s[1]*s[2]) {
			continue
		}
		l := newLinearCase(c, s[0], s[1], s[2])
		for j, v := range append(c.k.Variants(), Variant{Op: "linear"}) {
			if c.simulated && only == "" && (i+j)%5 != 0 { // each kernel takes every fifth shape
				continue
			}
			if v.Op != "linear" || only != "" && !strings.HasPrefix(v.Name, only) || !runs(v, s[0], s[1]) {
				continue
			}
			c.must(c.k.Force("linear", v.Name))
			if err := l.check(c); err != nil {
				t.Errorf("%s on M=%d N=%d K=%d: %v", or(v.Name, "the choice"), s[0], s[1], s[2], err)
			}
		}
		c.free()
	}
}

// TestLinear_SlicesOfKMeetInMemory runs every kernel that cuts K among clusters, by all its slices, on a device large enough
// for them; twice, since scratch memory has to be as it was.
func TestLinear_SlicesOfKMeetInMemory(t *testing.T) {
	const sms, m, n, k = 32, 70, 112, 1096
	lib := drivertest.Simulate(t, drivertest.Config{Name: "Simulated sm_90", Major: 9, SMs: sms, Memory: 1 << 30})
	c := newChecker(t, drivertest.Device{Library: lib, Simulated: true, Hopper: true})
	l := newLinearCase(c, m, n, k)
	for i := range c.k.hop.tiles {
		tile := &c.k.hop.tiles[i]
		if tile.skinny || tile.splits == 1 {
			continue
		}
		if _, _, _, _, splits := tile.gemmLaunch(plain, m, n, k, sms); int(splits) != tile.splits {
			t.Errorf("%s takes %d slices of K", tile.name, splits)
		}
		c.must(c.k.Force("linear", tile.name))
		for range 2 {
			if err := l.check(c); err != nil {
				t.Errorf("%s: %v", tile.name, err)
			}
		}
	}
}

// someNaNs are NaN of all kinds that bf16 has: quiet or not, with either sign, and all ones, as what is absent in memory.
var someNaNs = []uint16{0x7fc0, 0xffc0, 0x7f81, 0xff81, 0x7fff, 0xffff}

// TestLinear_SlicesThatAreNaNEndInNaN_GPU: a sum that is NaN is none that has still to come.
func TestLinear_SlicesThatAreNaNEndInNaN_GPU(t *testing.T) {
	drivertest.OnEach(t, linearSlicesThatAreNaNEndInNaN)
}

func linearSlicesThatAreNaNEndInNaN(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	if !c.k.Hopper() {
		t.Skip("skipped: only sm_90a has kernels whose slices of K wait for each other")
	}
	const m, n, k = 40, 64, 576
	x, w, y := c.random(tensor.BF16, m, k), c.random(tensor.BF16, n, k), c.poisoned(tensor.BF16, m, n)
	var raw []byte
	for i := range k {
		raw = binary.LittleEndian.AppendUint16(raw, someNaNs[i%len(someNaNs)])
	}
	c.must(driver.CopyHtoD(c.s, x.Ptr, raw))
	for i := range c.k.hop.tiles {
		tile := &c.k.hop.tiles[i]
		if _, _, _, _, splits := tile.gemmLaunch(plain, m, n, k, c.k.SMs()); tile.skinny || splits == 1 {
			continue
		}
		c.poison(y)
		c.must(errors.Join(c.k.Force("linear", tile.name), c.k.Linear(c.s, y.View, x.View, w.View, tensor.View{})))
		got, err := c.read(y)
		c.must(err)
		for i, v := range got {
			if math.IsNaN(float64(v)) != (i < n) {
				t.Errorf("%s: element %d is %g", tile.name, i, v)
				break
			}
		}
	}
}

// TestLinear_TokensThatAreNotThereCostNothing: what lies in shared memory where they would be may be NaN, as it is here, and slices
// look for a sum that is NaN again and again.
func TestLinear_TokensThatAreNotThereCostNothing(t *testing.T) {
	const n, k = 112, 576
	for _, c := range []struct {
		tile      string
		some, all int
	}{{"swap_64x128s2", 33, 64}, {"swap_64x128s2", 97, 128}, {"swap_96x192s2", 65, 96}, {"gemm_128x64c1x2s2", 65, 128}, {"gemm_128x128c2x1s2", 129, 256}} {
		took := func(m int) int64 {
			fake := drivertest.New(drivertest.Config{Major: 9, SMs: 16, Memory: 1 << 28, Run: true})
			fake.Record(false)
			lib, err := fake.Library()
			if err != nil {
				t.Fatal(err)
			}
			g := newChecker(t, drivertest.Device{Library: lib, Simulated: true, Hopper: true})
			x, w, y := g.random(tensor.BF16, m, k), g.random(tensor.BF16, n, k), g.poisoned(tensor.BF16, m, n)
			g.must(errors.Join(g.k.Force("linear", c.tile), g.k.Linear(g.s, y.View, x.View, w.View, tensor.View{}), g.s.Sync()))
			return fake.Took()
		}
		if some, all := took(c.some), took(c.all); some > all*5/4 {
			t.Errorf("%s: %d tokens take %d instructions, %d take %d", c.tile, c.some, some, c.all, all)
		} else {
			t.Logf("%s: %d tokens take %d instructions, %d take %d", c.tile, c.some, some, c.all, all)
		}
	}
}

// runs says whether a forced variant takes the shape: the GEMMs of sm_90a store by the copy engine, which wants rows of
// whole 16 bytes, and some of sm_80 hold all tokens.
func runs(v Variant, m, n int) bool {
	if v.Arch == "sm_90a" && (strings.HasPrefix(v.Name, "gemm") || strings.HasPrefix(v.Name, "swap")) {
		return n%8 == 0
	}
	return v.Arch == "sm_90a" || v.Rows > 16 || m <= v.Rows
}

// TestLinear_FormsThatAddInOneOrderGiveTheSameBits_GPU: those that split no K, over several tiles a block, and gated
// by the activation that has code of its own.
func TestLinear_FormsThatAddInOneOrderGiveTheSameBits_GPU(t *testing.T) {
	drivertest.OnEach(t, linearFormsThatAddInOneOrderGiveTheSameBits)
}

func linearFormsThatAddInOneOrderGiveTheSameBits(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	if !c.k.Hopper() {
		t.Skip("skipped: the device runs no kernel of sm_90a")
	}
	const m, n, k = 300, 784, 456
	x, w, bias := c.random(tensor.BF16, m, k), c.random(tensor.BF16, n, k), c.random(tensor.F32, n)
	y, g := c.poisoned(tensor.BF16, m, n), c.poisoned(tensor.BF16, m, n/2)
	var want []float32
	for i := range c.k.hop.tiles {
		tile := &c.k.hop.tiles[i]
		if tile.skinny || tile.splits > 1 {
			continue
		}
		c.poison(y)
		c.poison(g)
		c.must(errors.Join(c.k.Force("linear", tile.name), c.k.Linear(c.s, y.View, x.View, w.View, bias.View),
			c.k.GatedLinear(c.s, g.View, x.View, w.View, GELU)))
		got, err := c.read(y)
		c.must(err)
		activated, err := c.read(g)
		c.must(err)
		if got = append(got, activated...); want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s differs from %s by %.2g", tile.name, c.k.hop.tiles[0].name, distance(got, want))
		}
	}
}

// TestLinear_LargeShapesAgreeWithTheSm80Kernels_GPU compares whole results of the sizes that models have.
func TestLinear_LargeShapesAgreeWithTheSm80Kernels_GPU(t *testing.T) {
	drivertest.OnEach(t, linearLargeShapesAgreeWithTheSm80Kernels)
}

func linearLargeShapesAgreeWithTheSm80Kernels(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	if !c.k.Hopper() {
		t.Skip("skipped: the device runs no kernel of sm_90a")
	}
	for _, s := range [][3]int{{2, 1024, 512}, {1, 4096, 1024}, {7, 1024, 3072}, {64, 6144, 4096}, {64, 4096, 12288}, {2049, 6144, 1024}, {1000, 4096, 4096}, {3, 151936, 1024}} {
		if c.skips(t, 4*s[0]*s[1]*s[2]) {
			continue
		}
		x, w := c.gpu.random(t, tensor.BF16, s[0], s[2]), c.gpu.random(t, tensor.BF16, s[1], s[2])
		y := c.poisoned(tensor.BF16, s[0], s[1])
		c.must(c.k.Force("linear", map[bool]string{true: "gemm_m64", false: "gemm_m128"}[s[0] <= 64]))
		c.must(c.k.Linear(c.s, y.View, x, w, tensor.View{}))
		want, err := c.read(y)
		c.must(err)
		for _, v := range append(c.k.Variants(), Variant{Op: "linear", Arch: "sm_90a"}) {
			if v.Op != "linear" || v.Arch != "sm_90a" || strings.HasPrefix(v.Name, "skinny") && s[0] > 4*v.Rows {
				continue
			}
			c.poison(y)
			c.must(errors.Join(c.k.Force("linear", v.Name), c.k.Linear(c.s, y.View, x, w, tensor.View{})))
			got, err := c.read(y)
			c.must(err)
			if d := distance(got, want); !(d < 2e-3) {
				t.Errorf("%s on M=%d N=%d K=%d: distance %.2g from the sm_80 kernel", or(v.Name, "the choice"), s[0], s[1], s[2], d)
			}
		}
		c.free()
	}
}

// distance is ‖a−b‖/‖b‖, NaN when either holds one.
func distance(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += float64(a[i]-b[i]) * float64(a[i]-b[i])
		n += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / n)
}

// TestLinear_OverlappedChainGivesTheSameBytes_GPU runs a chain of projections, each reading what the one ahead wrote, in
// a graph whose kernels start before the ones ahead have ended, against the same chain with a wait after each.
func TestLinear_OverlappedChainGivesTheSameBytes_GPU(t *testing.T) {
	drivertest.OnEach(t, linearOverlappedChainGivesTheSameBytes)
}

func linearOverlappedChainGivesTheSameBytes(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	h, replays := 1024, 50
	if c.simulated { // in which nothing overlaps
		h, replays = 256, 1
	}
	for _, m := range []int{1, 8, 33, 64, 200, 600} {
		if !c.skips(t, 8*m*h*h) {
			c.chain("", m, h, replays)
		}
	}
	for _, v := range c.k.Variants() {
		if v.Op == "linear" && v.Rows*v.Cols >= 128*128 && !c.skips(t, 8*600*h*h) {
			c.chain(v.Name, 600, h, replays)
		}
	}
}

// chain compares the two on m tokens, by the variant name or the choice.
func (c *checker) chain(name string, m, h, replays int) {
	c.t.Helper()
	c.must(c.k.Force("linear", name))
	defer func() { c.must(c.k.Force("linear", "")) }()
	var w [8]tensor.View
	for i := range w {
		w[i] = c.gpu.random(c.t, tensor.BF16, h, h)
		c.must(c.k.Random(c.s, Place{Dst: w[i], Cols: h}, h*h, uint64(i), 1.0/32)) // keeps the size of values
	}
	start := c.random(tensor.BF16, m, h)
	a, b := c.poisoned(tensor.BF16, m, h), c.poisoned(tensor.BF16, m, h)
	norm := c.random(tensor.F32, h)
	step := func(i int) error {
		x, y := a, b
		if i%2 == 1 {
			x, y = b, a
		}
		err := c.k.Linear(c.s, y.View, x.View, w[i%len(w)], tensor.View{})
		if i%5 == 4 { // a kernel that does not overlap
			err = errors.Join(err, c.k.RMSNorm(c.s, y.View, y.View, norm.View, 1e-6))
		}
		return err
	}
	const calls = 24
	c.must(c.k.Linear(c.s, a.View, start.View, w[0], tensor.View{}))
	for i := range calls {
		c.must(errors.Join(step(i), c.s.Sync()))
	}
	want, err := c.read(a)
	c.must(err)
	c.must(c.k.Linear(c.s, a.View, start.View, w[0], tensor.View{}))
	graph, err := c.ctx.Capture(c.s, func() (err error) {
		err = c.k.Linear(c.s, a.View, start.View, w[0], tensor.View{})
		for i := range calls {
			err = errors.Join(err, step(i))
		}
		return err
	})
	c.must(err)
	x, err := graph.Instantiate()
	c.must(err)
	for range replays {
		c.poison(b)
		c.must(x.Launch(c.s))
		got, err := c.read(a)
		c.must(err)
		if !slices.Equal(got, want) {
			c.t.Fatalf("%s on M=%d: the graph's chain differs from the one with waits by %.2g", or(name, "the choice"), m, distance(got, want))
		}
	}
	c.must(errors.Join(x.Destroy(), graph.Destroy()))
	c.free()
}

func TestSteady_KernelsGiveTheSameBits_GPU(t *testing.T) {
	drivertest.OnEach(t, steadyKernelsGiveTheSameBits)
}

func steadyKernelsGiveTheSameBits(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	c.k.Steady = true // or the kernels of sm_80 split K where tiles are fewer than multiprocessors
	if c.simulated {
		c.must(c.k.checkSteady(c.s, 128, 128, 584))
		return
	}
	c.must(c.k.CheckSteady(c.s))
}
