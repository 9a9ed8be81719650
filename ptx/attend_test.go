package ptx

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// attendCase is a batch: new[b] tokens of request b on top of context[b]-new[b] cached ones.
type attendCase struct {
	d, kvHeads, group int
	f                 Scores
	context, new      []int32
	decodes           int
}

func (c attendCase) String() string {
	return fmt.Sprintf("d=%d kv=%d group=%d softcap=%v window=%d context=%v new=%v", c.d, c.kvHeads, c.group, c.f.Softcap, c.f.Window, c.context, c.new)
}

// products is how many each kernel has to do.
func (c attendCase) products() (n int) {
	for i, context := range c.context {
		n += 2 * int(context) * int(c.new[i]) * c.kvHeads * c.group * c.d
	}
	return n
}

// attendBatch is a case in memory: a row of q is 8 elements longer than it must be, slots are scattered, slot 0 is NaN
// in all heads, and pages beyond a context are wild.
type attendBatch struct {
	attendCase
	q, k, v            []uint16
	pages, rows, start []int32
	slots, cols        int
	known              map[[3]int][]float64 // what expect gave, by its arguments
}

func newAttendBatch(c attendCase, rng *rand.Rand) *attendBatch { return newAttendRuns(c, rng, 1) }

// newAttendRuns has that many slots of a request follow each other.
func newAttendRuns(c attendCase, rng *rand.Rand, run int) *attendBatch {
	b := &attendBatch{attendCase: c, slots: 1}
	b.start = []int32{0}
	for i, n := range c.context {
		b.start = append(b.start, b.start[i]+c.new[i])
		b.slots += roundUp(int(n), run)
		b.cols = max(b.cols, int(n)+3)
	}
	n := len(c.context)
	b.pages = make([]int32, n*b.cols)
	for i := range b.pages {
		b.pages[i] = math.MaxInt32
	}
	perm := rng.Perm((b.slots - 1) / run)
	for i, ctx := range c.context {
		row := (i + 1) % n
		b.rows = append(b.rows, int32(row))
		for p := range int(ctx) {
			b.pages[row*b.cols+p] = int32(1 + perm[p/run]*run + p%run)
		}
		perm = perm[roundUp(int(ctx), run)/run:]
	}
	b.q = randomBF16(rng, int(b.start[n])*b.stride())
	b.k, b.v = randomBF16(rng, c.kvHeads*b.slots*c.d), randomBF16(rng, c.kvHeads*b.slots*c.d)
	for h := range c.kvHeads {
		for i := range c.d {
			b.k[h*b.slots*c.d+i], b.v[h*b.slots*c.d+i] = 0x7fff, 0x7fff
		}
	}
	return b
}

func randomBF16(rng *rand.Rand, n int) []uint16 {
	out := make([]uint16, n)
	for i := range out {
		out[i] = toBF16(float32(rng.NormFloat64()))
	}
	return out
}

func (b *attendBatch) width() int { return b.kvHeads * b.group * b.d }

func (b *attendBatch) stride() int { return b.width() + 8 }

// expect is head h of token i of request r in float64.
func (b *attendBatch) expect(r, i, h int) []float64 {
	at := [3]int{r, i, h}
	if b.known == nil {
		b.known = map[[3]int][]float64{}
	}
	if b.known[at] == nil {
		b.known[at] = b.compute(r, i, h)
	}
	return b.known[at]
}

func (b *attendBatch) compute(r, i, h int) []float64 {
	pos := int(b.context[r]-b.new[r]) + i
	q := b.q[(int(b.start[r])+i)*b.stride()+h*b.d:][:b.d]
	first, plane := 0, h/b.group*b.slots*b.d
	if b.f.Window > 0 {
		first = max(0, pos+1-b.f.Window)
	}
	out, sum := make([]float64, b.d), 0.0
	for p := first; p <= pos; p++ {
		at := plane + int(b.pages[int(b.rows[r])*b.cols+p])*b.d
		s := 0.0
		for j := range q {
			s += fromBF16(q[j]) * fromBF16(b.k[at+j])
		}
		s *= float64(b.f.Scale)
		if c := float64(b.f.Softcap); c > 0 {
			s = c * math.Tanh(s/c)
		}
		w := math.Exp(s) // scores of these inputs stay below 100
		sum += w
		for j := range out {
			out[j] += w * fromBF16(b.v[at+j])
		}
	}
	for j := range out {
		out[j] /= sum
	}
	return out
}

// oppose makes the sums of request r show their order: its keys all weigh the same, and the values of 32 keys of each 128 are
// large and cancel those of the next 32.
func (b *attendBatch) oppose(r int) {
	clear(b.q[int(b.start[r])*b.stride() : int(b.start[r+1])*b.stride()])
	large := [2]uint16{toBF16(1 << 14), toBF16(-1 << 14)}
	for p := range int(b.context[r]) / 128 * 128 {
		for h := 0; h < b.kvHeads && p%128 < 64; h++ {
			at := (h*b.slots + int(b.pages[int(b.rows[r])*b.cols+p])) * b.d
			for i := range b.d {
				b.v[at+i] = large[p%128/32]
			}
		}
	}
}

const poison = 0x1234

// run attends on the GPU, twice, since scratch memory has to be as it was, and returns the output, rows as wide as q's.
func (b *attendBatch) run(g *bench) []uint16 {
	attend, output := b.upload(g)
	g.must(errors.Join(attend(), attend()))
	return output()
}

// upload returns what attends, and what reads the output.
func (b *attendBatch) upload(g *bench) (attend func() error, output func() []uint16) {
	tokens, n := int(b.start[len(b.start)-1]), len(b.context)
	view := func(data []uint16) tensor.View {
		v := put(g, tensor.BF16, data, tokens, b.width())
		v.Stride = b.stride()
		return v
	}
	out := make([]uint16, tokens*b.stride())
	for i := range out {
		out[i] = poison
	}
	y, q := view(out), view(b.q)
	kv := KV{K: put(g, tensor.BF16, b.k, b.kvHeads, b.slots, b.d), V: put(g, tensor.BF16, b.v, b.kvHeads, b.slots, b.d),
		Pages: put(g, tensor.I32, b.pages, len(b.pages)/b.cols, b.cols)}
	r := Requests{Rows: put(g, tensor.I32, b.rows, n), Start: put(g, tensor.I32, b.start, n+1), Context: put(g, tensor.I32, b.context, n),
		Tokens: tokens, Decodes: b.decodes}
	g.must(g.k.ReserveDecode(g.s, b.d, b.kvHeads, b.decodes))
	return func() error {
		return errors.Join(g.k.AttendPrefill(g.s, y, q, kv, r, b.f), g.k.AttendDecode(g.s, y, q, kv, r, b.f))
	}, func() []uint16 { return get[uint16](g, y, len(out)) }
}

// check compares rows of the output with float64: all of a small batch, a sample of a large one.
func (b *attendBatch) check(t *testing.T, out []uint16) {
	t.Helper()
	tokens, heads := int(b.start[len(b.start)-1]), b.kvHeads*b.group
	step := max(1, tokens*heads*int(b.context[0])/200_000)
	var off, norm, worst float64
	for r := range b.context {
		for i := 0; i < int(b.new[r]); i++ {
			at := (int(b.start[r]) + i) * b.stride()
			for _, v := range out[at+b.width() : at+b.stride()] {
				if v != poison {
					t.Fatalf("%s: wrote between the rows", b)
				}
			}
			if i%step != 0 && i != int(b.new[r])-1 {
				continue
			}
			for h := range heads {
				for j, want := range b.expect(r, i, h) {
					d := fromBF16(out[at+h*b.d+j]) - want
					off, norm, worst = off+d*d, norm+want*want, math.Max(worst, math.Abs(d))
					if math.IsNaN(d) {
						t.Fatalf("%s: request %d token %d head %d is NaN", b, r, i, h)
					}
				}
			}
		}
	}
	// bf16 rounds P and the result: 2e-3 together when measured; a wrong key shows at 1e-2 and more.
	if rel := math.Sqrt(off / norm); !(rel < 5e-3) || worst > 0.05 {
		t.Errorf("%s: relative error %.2e, largest %.2e, want below 5e-3 and 0.05", b, rel, worst)
	}
}

func repeated(v int32, n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestAttend_MatchesFloat64OverShapes_GPU(t *testing.T) {
	drivertest.OnEach(t, attendMatchesFloat64OverShapes)
}

func attendMatchesFloat64OverShapes(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	plain := func(d int) Scores { return Scores{Scale: float32(1 / math.Sqrt(float64(d)))} }
	cases := []attendCase{
		{128, 2, 4, plain(128), []int32{1}, []int32{1}, 0},
		{128, 8, 4, plain(128), []int32{5000}, []int32{1}, 1},
		{128, 1, 4, plain(128), []int32{989}, []int32{989}, 0},
		{128, 2, 4, plain(128), []int32{1, 999, 65, 128, 4000}, []int32{1, 1, 1, 1, 1}, 5},
		{64, 2, 7, plain(64), []int32{19, 600, 111}, []int32{1, 111, 111}, 1},
		{64, 3, 3, Scores{0.1, 20, 0}, []int32{500, 77, 300}, []int32{1, 19, 300}, 1},
		{96, 2, 5, Scores{0.1, 0, 100}, []int32{333, 777}, []int32{1, 111}, 1},
		{256, 1, 2, Scores{0.06, 30, 64}, []int32{400, 200}, []int32{1, 111}, 1},
		{256, 2, 1, plain(256), []int32{1300, 65}, []int32{1, 65}, 1},
		{128, 1, 16, plain(128), []int32{2000, 70}, []int32{1, 19}, 1},
		{128, 1, 32, plain(128), []int32{700, 19}, []int32{1, 19}, 1},
		{64, 1, 8, plain(64), repeated(100, 300), repeated(1, 300), 300},
		{128, 8, 4, plain(128), repeated(777, 64), repeated(1, 64), 64},
		// A few new tokens behind many cached ones: tiles are cut.
		{128, 1, 1, plain(128), []int32{2500}, []int32{7}, 0},
		{64, 1, 2, plain(64), []int32{1900, 900, 200}, []int32{5, 9, 30}, 0},
		{64, 1, 4, Scores{0.125, 0, 700}, []int32{1900, 40}, []int32{6, 3}, 0},
		{128, 2, 1, plain(128), []int32{50, 1500, 1300}, []int32{1, 4, 3}, 1},
		{128, 8, 2, plain(128), []int32{900, 16000}, []int32{1, 256}, 1},
		{128, 8, 4, plain(128), []int32{12000, 16000, 3000}, []int32{100, 256, 70}, 0},
		// A tile for each block: halves of one go apart, of 64 rows or fewer each, or alone.
		{128, 2, 4, plain(128), []int32{512}, []int32{128}, 0},
		{128, 1, 4, plain(128), []int32{230}, []int32{230}, 0},
		{64, 1, 7, plain(64), []int32{130, 500}, []int32{50, 60}, 0},
		{128, 1, 1, plain(128), []int32{1000}, []int32{1000}, 0},
		{128, 2, 3, plain(128), []int32{300, 20}, []int32{60, 1}, 0},
		{64, 1, 2, Scores{0.125, 0, 200}, []int32{380}, []int32{380}, 0},
		{128, 8, 4, plain(128), []int32{512}, []int32{512}, 0}, // of 132 multiprocessors
		{128, 8, 4, plain(128), []int32{131, 120}, []int32{131, 120}, 0},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		d := headDims[rng.IntN(4)]
		c := attendCase{d: d, kvHeads: 1 + rng.IntN(3), group: []int{1, 2, 3, 4, 5, 7, 8, 16, 32}[rng.IntN(9)], f: plain(d)}
		c.f.Softcap, c.f.Window = float32(20*(rng.IntN(4)/3)), rng.IntN(3)/2*(1+rng.IntN(200))
		n := 1 + rng.IntN(8)
		c.decodes = rng.IntN(n + 1)
		for r := range n {
			c.context = append(c.context, int32(1+rng.IntN(700)))
			c.new = append(c.new, 1)
			if r >= c.decodes {
				c.new[r] = 1 + rng.Int32N(min(c.context[r], 150))
			}
		}
		cases = append(cases, c)
	}
	for i, c := range cases {
		b := newAttendRuns(c, rng, []int{1, 20}[i%2]) // the copy engine takes 16 that follow each other
		if g.skips(t, c.products()) {
			continue
		}
		for _, v := range g.k.attendVariants() {
			if only := os.Getenv("WEFT_TEST_VARIANT"); v.Name == prefillHopper && !prefillsOnHopper(c.d, c.f.Softcap) || only != "" && v.Name != only {
				continue
			}
			g.must(g.k.Force(v.Op, v.Name))
			t.Log(v.Name, c)
			b.check(t, b.run(g))
		}
	}
}

// A graph's padding has a context of 0 and a row below 0, or a context of 1 at slot 0; both may do no harm.
func TestAttend_PaddingWritesZerosAndHarmsNobody_GPU(t *testing.T) {
	drivertest.OnEach(t, attendPaddingWritesZerosAndHarmsNobody)
}

func attendPaddingWritesZerosAndHarmsNobody(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	for _, v := range g.k.attendVariants() {
		decodes, name := 4, v.Name
		if v.Op == "attend_prefill" {
			decodes = 0
		}
		c := attendCase{64, 2, 4, Scores{Scale: 0.125}, []int32{300, 40, 0, 0}, []int32{1, 1, 1, 1}, decodes}
		b := newAttendBatch(c, rand.New(rand.NewPCG(3, 4)))
		b.rows[2], b.rows[3] = -1, -1
		g.must(g.k.Force(v.Op, name))
		out := b.run(g)
		for i := range 2 * b.width() {
			row, col := 2+i/b.width(), i%b.width()
			if v := out[row*b.stride()+col]; v != 0 {
				t.Fatalf("%s: padding row %d, column %d is %#x, want 0", name, row, col, v)
			}
		}
		real := *b
		real.context, real.new, real.start = b.context[:2], b.new[:2], b.start[:3]
		real.check(t, out)
	}
}

// The prefill of a token does not depend on what else is in the step, nor on where its prompt was cut.
func TestAttendPrefill_IsTheSameBitsInAnyBatch_GPU(t *testing.T) {
	drivertest.OnEach(t, attendPrefillIsTheSameBitsInAnyBatch)
}

func attendPrefillIsTheSameBitsInAnyBatch(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	g.k.Steady = true
	c := attendCase{128, 2, 4, Scores{Scale: 0.088}, []int32{400, 250}, []int32{400, 250}, 0}
	whole := newAttendBatch(c, rand.New(rand.NewPCG(5, 6)))
	parts := map[int]*attendBatch{} // by their last tokens of the 400: a block has a tile, two halves of 64 rows, one, or less
	for _, n := range []int{123, 119, 61, 7} {
		part := *whole
		part.context, part.new, part.start, part.rows = []int32{400}, []int32{int32(n)}, []int32{0, int32(n)}, whole.rows[:1]
		part.q = whole.q[(400-n)*whole.stride():][:n*whole.stride()]
		parts[n] = &part
	}
	for _, v := range g.k.attendVariants() {
		g.must(g.k.Force(v.Op, v.Name))
		all := whole.run(g)
		for n, part := range parts {
			for i, x := range part.run(g) {
				if want := all[(400-n)*whole.stride()+i]; x != want {
					t.Fatalf("%s: element %d of the last %d tokens alone is %#x, in the batch %#x", v.Name, i, n, x, want)
				}
			}
		}
	}
}

// A tile that is cut gives the same bits each time. Where the batch must not matter none is.
func TestAttendPrefill_CutTilesGiveTheSameBitsEachTime_GPU(t *testing.T) {
	drivertest.OnEach(t, attendPrefillCutTilesGiveTheSameBitsEachTime)
}

func attendPrefillCutTilesGiveTheSameBitsEachTime(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	b := newAttendBatch(attendCase{64, 1, 2, Scores{Scale: 0.125}, []int32{1700, 1300}, []int32{9, 5}, 0}, rand.New(rand.NewPCG(6, 7)))
	if !g.k.Hopper() {
		t.Skip("skipped: no tile is cut but on Hopper")
	}
	cut := func() bool { return get[uint32](g, tensor.Of(g.k.sums.ptr, tensor.I32, 1), 1)[0] != math.MaxUint32 }
	g.k.Steady = true
	if b.run(g); cut() {
		t.Error("a tile is cut where the batch must not matter")
	}
	g.k.Steady = false
	first := b.run(g)
	if !cut() {
		t.Error("no tile is cut")
	}
	if !slices.Equal(b.run(g), first) {
		t.Error("the same batch gives other bits")
	}
}

func TestAttend_RefusesWhatTheKernelsCannotDo(t *testing.T) {
	_, k, s := faked(t, drivertest.Config{})
	good := func() (y, q tensor.View, kv KV, r Requests) {
		kv = KV{tensor.Of(256, tensor.BF16, 2, 50, 64), tensor.Of(256, tensor.BF16, 2, 50, 64), tensor.Of(256, tensor.I32, 3, 40)}
		r = Requests{tensor.Of(256, tensor.I32, 2), tensor.Of(256, tensor.I32, 3), tensor.Of(256, tensor.I32, 2), 9, 1}
		return tensor.Of(256, tensor.BF16, 9, 512), tensor.Of(256, tensor.BF16, 9, 512), kv, r
	}
	for name, spoil := range map[string]func(y, q *tensor.View, kv *KV, r *Requests){
		"a head size without a kernel": func(y, q *tensor.View, kv *KV, r *Requests) { kv.K.Dim[2], kv.V.Dim[2] = 32, 32 },
		"K and V of different lengths": func(y, q *tensor.View, kv *KV, r *Requests) { kv.V.Dim[1] = 51 },
		"heads that make no groups":    func(y, q *tensor.View, kv *KV, r *Requests) { y.Dim[1], q.Dim[1] = 192, 192 },
		"a row that is not aligned":    func(y, q *tensor.View, kv *KV, r *Requests) { q.Stride = 513 },
		"a start without its end":      func(y, q *tensor.View, kv *KV, r *Requests) { r.Start.Dim[0] = 2 },
		"more decodes than requests":   func(y, q *tensor.View, kv *KV, r *Requests) { r.Decodes = 3 },
		"more tokens than q has":       func(y, q *tensor.View, kv *KV, r *Requests) { r.Tokens = 10 },
		"q in another type":            func(y, q *tensor.View, kv *KV, r *Requests) { q.Type = tensor.F16 },
	} {
		y, q, kv, r := good()
		spoil(&y, &q, &kv, &r)
		var bad *tensor.ShapeError
		if err := k.AttendPrefill(s, y, q, kv, r, Scores{Scale: 1}); !errors.As(err, &bad) {
			t.Errorf("%s: AttendPrefill() = %v, want a ShapeError", name, err)
		}
	}
	y, q, kv, r := good()
	if err := errors.Join(k.ReserveDecode(s, 64, 2, 1), k.AttendPrefill(s, y, q, kv, r, Scores{Scale: 1}), k.AttendDecode(s, y, q, kv, r, Scores{Scale: 1})); err != nil {
		t.Errorf("a good call: %v", err)
	}
}

// TestInverse_IsExactWhereItIsUsed holds what the kernel makes of it, for the first and last rows of tokens.
func TestInverse_IsExactWhereItIsUsed(t *testing.T) {
	for n := 1; n <= 256; n++ {
		for _, quotient := range []int{0, 1, 2, 100, 1<<31/n/n - 1} {
			for _, row := range []int{quotient * n, quotient*n + n - 1} {
				if got := int(uint64(2*row) * uint64(inverse(n)) >> 32); row < 1<<31/n && got != quotient {
					t.Fatalf("%d / %d = %d, want %d", row, n, got, quotient)
				}
			}
		}
	}
}
