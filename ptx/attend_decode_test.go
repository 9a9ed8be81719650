package ptx

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
)

// Requests of the same length are cut into whole pairs of request and head, or into whole leaves of 128 keys or more, with
// fewer shares than blocks.
func TestAttendDecode_CutsRequestsOfOneLengthAnywhere_GPU(t *testing.T) {
	drivertest.OnEach(t, attendDecodeCutsRequestsOfOneLengthAnywhere)
}

func attendDecodeCutsRequestsOfOneLengthAnywhere(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	rng := rand.New(rand.NewPCG(10, 11))
	f := Scores{Scale: 0.125}
	for _, c := range []attendCase{
		{64, 2, 2, f, repeated(300, 12), repeated(1, 12), 12}, // 3 units of each, 9 for each of 8 blocks, 5 and so 6 of 16
		{64, 1, 8, f, repeated(640, 3), repeated(1, 3), 3},    // 5, and 2 for each of 8
		{128, 1, 1, f, []int32{4500}, []int32{1}, 1},          // 36 in leaves of two
		{64, 1, 4, Scores{0.125, 0, 150}, []int32{700, 690, 800}, repeated(1, 3), 3},
	} {
		b := newAttendBatch(c, rng)
		for _, name := range g.decoders() {
			g.must(g.k.Force("attend_decode", name))
			t.Log(name, c)
			b.check(t, b.run(g))
		}
	}
}

// Where 16 slots follow each other the copy engine reads them; others are gathered. The first run ends where the cache does.
func TestAttendDecode_ReadsRunsOfSlotsBrokenAnywhere_GPU(t *testing.T) {
	drivertest.OnEach(t, attendDecodeReadsRunsOfSlotsBrokenAnywhere)
}

func attendDecodeReadsRunsOfSlotsBrokenAnywhere(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	rng := rand.New(rand.NewPCG(12, 13))
	for i, run := range []int{1, 5, 16, 17, 304, 16, 304} {
		// Few keys the lanes gather. Many are two leaves of two KV heads for each of the two blocks of a multiprocessor.
		contexts := []int32{304, 45, 128, 16, 161}
		if i%2 == 0 || i == 5 {
			contexts = slices.Repeat(contexts, ceilDiv(g.k.SMs(), 4))
		}
		n := len(contexts)
		c := attendCase{headDims[i%2*2], 2, 3 + i%6, Scores{Scale: 0.1}, contexts, repeated(1, n), n}
		c.f.Window = i % 3 / 2 * 70
		b := newAttendRuns(c, rng, run)
		at := b.slots
		for r, context := range c.context {
			for p := range int(context) {
				if p%run == 0 {
					at -= run
				}
				b.pages[int(b.rows[r])*b.cols+p] = int32(at + p%run)
			}
		}
		for _, name := range g.decoders() {
			g.must(g.k.Force("attend_decode", name))
			t.Log(name, "runs of", run, c)
			b.check(t, b.run(g))
		}
	}
}

// TestAttendDecode_ValuesThatAreNaNEndInNaN_GPU: a leaf whose sums are NaN is none that has still to come.
func TestAttendDecode_ValuesThatAreNaNEndInNaN_GPU(t *testing.T) {
	drivertest.OnEach(t, attendDecodeValuesThatAreNaNEndInNaN)
}

func attendDecodeValuesThatAreNaNEndInNaN(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	b := newAttendBatch(attendCase{128, 2, 3, Scores{Scale: 0.1}, []int32{700}, []int32{1}, 1}, rand.New(rand.NewPCG(14, 15)))
	for i, nan := range someNaNs { // in the first dimensions of the second head's values
		b.v[(b.slots+int(b.pages[int(b.rows[0])*b.cols+100*i]))*b.d+i] = nan
	}
	for _, name := range g.decoders() {
		g.must(g.k.Force("attend_decode", name))
		for i, v := range b.run(g)[:b.width()] {
			if want := i >= 3*b.d && i%b.d < len(someNaNs); math.IsNaN(fromBF16(v)) != want {
				t.Errorf("%s: element %d is %g", name, i, fromBF16(v))
				break
			}
		}
	}
}

// decoders are the kernels of decode attention here.
func (g *bench) decoders() (names []string) {
	for _, v := range g.k.attendVariants() {
		if v.Op == "attend_decode" {
			names = append(names, v.Name)
		}
	}
	return names
}

// The decode of a token does not depend on what else is in the step. Where the kernel for few requests is asked for, the batch is
// left to the one for many.
func TestAttendDecode_IsTheSameBitsInAnyBatch_GPU(t *testing.T) {
	drivertest.OnEach(t, attendDecodeIsTheSameBitsInAnyBatch)
}

func attendDecodeIsTheSameBitsInAnyBatch(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	for _, name := range g.decoders() {
		t.Log(name)
		g.must(g.k.Force("attend_decode", name))
		decodeIsTheSameBitsInAnyBatch(t, g)
	}
}

func decodeIsTheSameBitsInAnyBatch(t *testing.T, g *bench) {
	rng := rand.New(rand.NewPCG(8, 9))
	c := attendCase{d: 128, kvHeads: 8, group: 2, f: Scores{Scale: 0.088}, decodes: 64, new: repeated(1, 64)}
	most, sizes := int32(3000), []int{1, 7, 24}
	if g.simulated { // which takes a second for a thousand keys of all heads
		most, sizes = 100, []int{1, 7} // one alone is few on its eight multiprocessors
	}
	for range 64 {
		c.context = append(c.context, 1+rng.Int32N(most))
	}
	c.context[5] = 3 * most
	whole := newAttendBatch(c, rng)
	whole.oppose(5)
	all := whole.run(g)
	for _, at := range []int{0, 5, 40} {
		for _, n := range sizes {
			part := *whole
			part.context, part.new, part.start, part.rows = c.context[at:at+n], c.new[:n], whole.start[:n+1], whole.rows[at:at+n]
			part.decodes = n
			part.q = whole.q[at*whole.stride():][:n*whole.stride()]
			for i, x := range part.run(g) {
				if want := all[at*whole.stride()+i]; x != want {
					t.Fatalf("requests %d to %d: element %d is %#x, in the batch %#x", at, at+n, i, x, want)
				}
			}
		}
	}
}

// The kernel for few requests gives the bits of the one for many, whether a block has one turn of keys or more, of one leaf or
// some, and in whichever columns its heads lie.
func TestAttendDecode_FewIsTheSameBitsAsMany_GPU(t *testing.T) {
	drivertest.OnEach(t, attendDecodeFewIsTheSameBitsAsMany)
}

func attendDecodeFewIsTheSameBitsAsMany(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	if !g.k.Hopper() {
		t.Skip("skipped: both kernels are Hopper's")
	}
	rng := rand.New(rand.NewPCG(16, 17))
	for i := range 34 {
		c := attendCase{d: []int{128, 64}[i%2], kvHeads: 1, group: 1 + i/2%8, f: Scores{Scale: 0.1}}
		requests := 1 + rng.IntN(3)
		if i >= 32 { // as many pairs as it takes
			c.kvHeads, requests = 8, fewPairs(g.k.SMs())/8
		} else if i >= 16 {
			c.f.Window, c.f.Softcap = rng.IntN(3)/2*(1+rng.IntN(300)), float32(20*(rng.IntN(3)/2))
		}
		for range requests {
			c.context, c.new = append(c.context, 1+rng.Int32N([]int32{130, 1600, 700, 4400, 700}[i/8])), append(c.new, 1)
		}
		c.decodes = len(c.context)
		b := newAttendRuns(c, rng, []int{1, 20}[i/2%2])
		b.oppose(0)
		fewIsTheSameBitsAsMany(t, g, b)
	}
	if !g.simulated {
		return // blocks have no other leaf there
	}
	for i, group := range []int{1, 2, 3, 4, 7} { // one to four leaves a block, the last of padding whose queries are no numbers
		c := attendCase{d: []int{128, 64}[i%2], kvHeads: 1, group: group, f: Scores{Scale: 0.1, Window: i / 3 * 3500}, decodes: 5}
		c.context, c.new = []int32{1600 + rng.Int32N(300), 1 + rng.Int32N(140), 3700, 900 + rng.Int32N(100*int32(1+i)), 0}, repeated(1, 5)
		b := newAttendRuns(c, rng, []int{20, 1}[i/2%2])
		b.rows[4] = -1
		for j := range b.width() {
			b.q[4*b.stride()+j] = 0x7fff
		}
		b.oppose(0)
		fewIsTheSameBitsAsMany(t, g, b)
	}
}

func fewIsTheSameBitsAsMany(t *testing.T, g *bench, b *attendBatch) {
	t.Helper()
	t.Log(b.attendCase)
	g.must(g.k.Force("attend_decode", decodeHopper))
	many := b.run(g)
	g.must(g.k.Force("attend_decode", decodeFew))
	for j, x := range b.run(g) {
		if x != many[j] {
			t.Fatalf("%s: element %d is %#x, by the kernel for many %#x", b, j, x, many[j])
		}
	}
}

// TestAttendDecode_LeavesFewRequestsToTheirKernel: as long as pairs of a request and a KV head are not many, and lanes are enough to
// count requests.
func TestAttendDecode_LeavesFewRequestsToTheirKernel(t *testing.T) {
	_, k, _ := faked(t, drivertest.Config{Major: 9, SMs: 132})
	for _, c := range []struct {
		d, group, kvHeads, decodes int
		early, few, halves         bool
	}{
		{128, 2, 8, 24, true, true, true}, {128, 2, 8, 25, true, false, true}, {64, 8, 2, 32, true, true, true}, {64, 8, 2, 33, true, false, true},
		{128, 9, 1, 1, true, false, false}, {96, 1, 1, 1, true, false, false}, {128, 2, 8, 513, true, false, false}, {128, 2, 8, 1, false, false, false},
	} {
		k.Early = c.early
		a := attention{d: c.d, group: c.group, kvHeads: c.kvHeads}
		if few, halves := k.attend.decodesFew(a, c.decodes, k), k.attend.decodesInHalves(a, c.decodes, k); few != c.few || halves != c.halves {
			t.Errorf("%+v: for few %t, for many %t", c, few, halves)
		}
	}
}

func TestAttendDecode_FitsTheSharedMemoryOfEveryChip(t *testing.T) {
	for chip, limit := range map[string]int{"sm_80": 163 << 10, "sm_86, sm_89, sm_120": 99 << 10, "sm_90, sm_100": 227 << 10} {
		for _, d := range headDims {
			for _, heads := range []int{1, 4, 5, 8, 16} {
				tiles := min(ceilDiv(heads, 8), decodeTiles(d))
				if r := newRing(d, tiles, min(heads, 8*tiles), limit); r.shared+decodePlan > limit || r.workers < 1 {
					t.Errorf("%s, head size %d, %d heads: %d workers take %d bytes, limit %d", chip, d, heads, r.workers, r.shared+decodePlan, limit)
				}
			}
			for heads := 1; chip[:5] == "sm_90" && decodesInHalves(d, heads); heads++ {
				if r := halfRing(d, heads, limit); 2*(r.shared+halfPlan+1024) > limit+1024 {
					t.Errorf("%s, head size %d, %d heads: two blocks take %d bytes each", chip, d, heads, r.shared+halfPlan)
				}
				if n := fewBlocks(fewShared(d, heads), limit); n < 2 || n < 3 && heads <= 4 {
					t.Errorf("%s, head size %d, %d heads: %d blocks for few requests share a multiprocessor", chip, d, heads, n)
				}
			}
			if got := hopperShared(d) + 2048; chip[:5] == "sm_90" && prefillsOnHopper(d, 0) && got > limit {
				t.Errorf("head size %d: prefill on Hopper takes %d bytes, limit %d", d, got, limit)
			}
			if got := max(prefillTile(d, false).shared(d), prefillTile(d, true).shared(d)) + 1024; got > limit {
				t.Errorf("%s, head size %d: prefill takes %d bytes, limit %d", chip, d, got, limit)
			}
		}
	}
}
