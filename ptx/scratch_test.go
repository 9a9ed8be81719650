package ptx

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// TestScratch_HoldsWhatEveryKernelLeaves: of blocks that share a multiprocessor, or that would.
func TestScratch_HoldsWhatEveryKernelLeaves(t *testing.T) {
	k := newKernels()
	for i := range k.lin.tiles {
		if tile := &k.lin.tiles[i]; tile.split > 0 && (tile.blocks*tile.rows*tile.cols > tileSums || tile.blocks > tileCounts) {
			t.Errorf("%s: %d blocks leave sums of %dx%d and a count each", tile.name, tile.blocks, tile.rows, tile.cols)
		}
	}
	for i := range k.hop.tiles {
		tile := &k.hop.tiles[i]
		if tile.skinny || tile.splits == 1 {
			continue
		}
		room, warps := keptSums, 8
		if tile.counts() {
			room = tileSums
		}
		if tile.swapped {
			warps = 4 * tile.cols / 64
		}
		if tile.rows*tile.cols > room || warps > tileCounts {
			t.Errorf("%s: sums of %dx%d and %d warps that count", tile.name, tile.rows, tile.cols, warps)
		}
	}
	if hopperSpans*hopperConsumers > tileCounts {
		t.Errorf("%d spans of a multiprocessor count for %d consumers each", hopperSpans, hopperConsumers)
	}
}

// TestScratch_LaunchesHaveItInTurns_GPU: each begins before the one ahead has ended, and leaves sums where that one did.
func TestScratch_LaunchesHaveItInTurns_GPU(t *testing.T) {
	drivertest.OnEach(t, scratchLaunchesHaveItInTurns)
}

func scratchLaunchesHaveItInTurns(t *testing.T, d drivertest.Device) {
	c := newChecker(t, d)
	if !c.k.Hopper() {
		t.Skip("skipped: kernels overlap on Hopper alone")
	}
	rng := rand.New(rand.NewPCG(16, 17))
	decode := newAttendBatch(attendCase{128, 1, 2, Scores{Scale: 0.1}, []int32{1500, 130}, []int32{1, 1}, 2}, rng)
	prompt := newAttendBatch(attendCase{64, 1, 2, Scores{Scale: 0.125}, []int32{1700, 1300}, []int32{9, 5}, 0}, rng)
	linear := newLinearCase(c, 70, 112, 576)
	for _, counted := range []string{"swap_128x192s2", "swap_96x128s2"} {
		for _, few := range []string{decodeHopper, decodeFew} {
			c.must(errors.Join(c.k.Force("linear", counted), c.k.Force("attend_decode", few)))
			g := &bench{t, c.gpu}
			attendDecode, decoded := decode.upload(g)
			attendPrompt, prompted := prompt.upload(g)
			for range 2 {
				c.must(errors.Join(attendDecode(), linear.run(c), attendPrompt(), linear.run(c)))
			}
			decode.check(t, decoded())
			prompt.check(t, prompted())
			if err := linear.check(c); err != nil {
				t.Errorf("%s behind %s: %v", counted, few, err)
			}
		}
	}
}

// TestReserveDecode_MakesRoomAndKeepsWhatSuffices: a launch that wants more is refused.
func TestReserveDecode_MakesRoomAndKeepsWhatSuffices(t *testing.T) {
	f, k, s := faked(t, drivertest.Config{Major: 9, SMs: 132})
	const d, kvHeads, most = 128, 8, 24
	attend := func(n int) error {
		q, plane := tensor.Of(256, tensor.BF16, n, 2*kvHeads*d), tensor.Of(256, tensor.BF16, kvHeads, 50, d)
		each := tensor.Of(256, tensor.I32, n)
		r := Requests{each, tensor.Of(256, tensor.I32, n+1), each, n, n}
		return k.AttendDecode(s, q, q, KV{plane, plane, tensor.Of(256, tensor.I32, n, 40)}, r, Scores{Scale: 1})
	}
	for _, c := range []struct {
		reserved, requests int
		fits               bool
	}{{0, 1, false}, {1, 1, true}, {1, most, false}, {most, most, true}, {most, 400, true}} {
		if c.reserved > 0 {
			if err := k.ReserveDecode(s, d, kvHeads, c.reserved); err != nil {
				t.Fatal(err)
			}
		}
		if err := attend(c.requests); (err == nil) != c.fits {
			t.Errorf("with room for %d requests AttendDecode() of %d = %v", c.reserved, c.requests, err)
		}
	}
	for d, want := range map[int]int64{64: 4 * 132, 128: 512} {
		if got := k.spreadOf(d).Room; got != want || got*hopperConsumers > int64(k.counts.words) || got*int64(128*(d+8)) > int64(k.sums.words) {
			t.Errorf("room for sums of %d spans with heads of %d, want %d", got, d, want)
		}
	}
	before, used := f.Count("cuMemAlloc"), f.Used()
	if err := k.ReserveDecode(s, 64, kvHeads, most); err != nil || f.Count("cuMemAlloc") != before {
		t.Errorf("ReserveDecode() of less = %v, and %d calls for memory", err, f.Count("cuMemAlloc")-before)
	}
	if want := int64(132*decodeLeaves*16*132*4 + 132*tileCounts*4 + 192*decodeLeaves*8*128/4*24); used < want || used > want+3*512 {
		t.Errorf("it takes %d bytes, want %d", used, want)
	}
}

// TestReserveDecode_LeavesWhatLinearKernelsNeedWhereMemoryLacks: they ask for no room.
func TestReserveDecode_LeavesWhatLinearKernelsNeedWhereMemoryLacks(t *testing.T) {
	_, k, s := faked(t, drivertest.Config{Major: 9, SMs: 132, Memory: 50 << 20})
	for _, requests := range []int{24, 1} {
		err := k.ReserveDecode(s, 128, 8, requests)
		if requests == 24 && err == nil {
			t.Error("ReserveDecode() takes more memory than there is")
		}
		if k.sums.ptr == 0 || k.sums.words < 132*tileSums || k.kept.ptr == 0 || k.kept.words < 132*keptSums {
			t.Errorf("behind ReserveDecode() of %d requests, %v, the areas are %+v", requests, err, k.scratch)
		}
	}
}
