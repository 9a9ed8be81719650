package ptx

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// argmaxCase is a head whose largest logits are wanted, of which many are alike. The logits of row bad hold Inf or NaN, where it
// is not negative, those of all others -Inf at the same feature.
type argmaxCase struct {
	m, n, k, bad   int
	scale, softcap float32
	x, other, w    tensor.View
	batch          *sampleBatch
}

func newArgmaxCase(g *bench, rng *rand.Rand, m, n, k int) *argmaxCase {
	c := &argmaxCase{m: m, n: n, k: k, bad: -1, scale: 0.3, softcap: []float32{0, 30}[n%2]}
	if n%2 == 0 && m > 2 {
		c.bad = rng.IntN(m)
	}
	fill := func(rows int, special func(i int) uint16) []uint16 {
		data := make([]uint16, rows*k)
		for i := range data {
			if data[i] = toBF16(float32(rng.IntN(3) - 1)); i%k == 0 {
				data[i] = special(i / k)
			}
		}
		return data
	}
	inf, times := rng.IntN(n), float32(rng.IntN(2)) // Inf by one or by zero, which is NaN
	first := func(i int) uint16 {
		if i == c.bad {
			return toBF16(times)
		}
		return toBF16(-1)
	}
	w := fill(n, func(i int) uint16 {
		if c.bad >= 0 && i == inf {
			return toBF16(float32(math.Inf(1)))
		}
		return toBF16(float32(i%2) / 64)
	})
	for i := range n { // equals beside each other, and as far apart as a lane's rows
		if from := i - []int{1, 8}[rng.IntN(2)]; from >= 0 && from != inf && i != inf && rng.IntN(2) == 0 {
			copy(w[i*k:][:k], w[from*k:][:k])
		}
	}
	c.x, c.other, c.w = put(g, tensor.BF16, fill(m, first), m, k), put(g, tensor.BF16, fill(m, first), m, k), put(g, tensor.BF16, w, n, k)
	b := &sampleBatch{vocab: n, stride: n, cols: 20, bias: []biasEntry{{}}}
	for i := range m {
		b.owner, b.rows, b.context = append(b.owner, int32(m-1-i)), append(b.rows, int32((i+3)%m)), append(b.context, rng.Int32N(20))
		b.rules = append(b.rules, rule{TopP: 1, Repetition: 1, Seed: rng.Uint64(), Logprobs: -1})
	}
	b.rows[m/2] = -1 // padding
	b.pool = repeated(1, m*b.cols)
	c.batch = b
	return c
}

// samples are the case's, its logits without memory.
func (c *argmaxCase) samples(g *bench) Samples {
	b, l := c.batch, SampleLimits{Samples: c.m + 1, Vocab: c.n, MaxContext: c.batch.cols, Biases: 1}
	return Samples{
		Logits: tensor.Of(0, tensor.F32, c.m, c.n), Rules: put(g, tensor.U8, b.rules, c.m, SamplingBytes), Owner: put(g, tensor.I32, b.owner, c.m),
		Rows: put(g, tensor.I32, b.rows, c.m), Context: put(g, tensor.I32, b.context, c.m), Bias: put(g, tensor.I32, b.bias, 1, 2),
		Pool: put(g, tensor.I32, b.pool, c.m, b.cols), IDs: put(g, tensor.I32, repeated(-9, c.m), c.m),
		Logprobs: put(g, tensor.F32, slices.Repeat([]float32{5}, c.m), c.m), TopIDs: put(g, tensor.I32, repeated(-9, c.m*MaxTopLogprobs), c.m, MaxTopLogprobs),
		TopLogprobs: put(g, tensor.F32, make([]float32, c.m*MaxTopLogprobs), c.m, MaxTopLogprobs),
		Work:        put(g, tensor.U8, make([]byte, SampleWork(l)), int(SampleWork(l))), Limits: l,
	}
}

// check runs what is forced, over what larger logits of other tokens left, and compares with the definition and with what came to
// the host.
func (c *argmaxCase) check(g *bench) {
	g.Helper()
	y := put(g, tensor.F32, make([]float32, c.m*c.n), c.m, c.n)
	g.must(g.k.Logits(g.s, y, c.x, c.w, c.scale, c.softcap))
	c.batch.logits = get[float32](g, y, c.m*c.n)
	s := c.samples(g)
	far := c.m + 2
	raw, err := g.ctx.AllocHost(8 * far)
	g.must(err)
	host := unsafe.Slice((*int32)(unsafe.Pointer(&raw[0])), 2*far)
	defer func() { g.must(g.ctx.FreeHost(raw)) }()
	for i := range host {
		host[i] = -5
	}
	g.must(errors.Join(g.k.ArgmaxLogits(g.s, s, c.other, c.w, 3*c.scale, c.softcap, 0, 0),
		g.k.ArgmaxLogits(g.s, s, c.x, c.w, c.scale, c.softcap, uintptr(unsafe.Pointer(&raw[0])), far)))
	ids := get[int32](g, s.IDs, c.m)
	c.batch.check(g, sampled{ids: ids, pool: get[int32](g, s.Pool, len(c.batch.pool)), logprobs: get[float32](g, s.Logprobs, c.m)})
	for i, id := range ids {
		if host[i] != id || host[far+i] != 0 || (id < 0) != (i == c.bad) {
			g.Errorf("row %d of %d has id %d, the host %d and log-probability %#x; row %d is bad", i, c.m, id, host[i], host[far+i], c.bad)
		}
	}
	if lp := get[float32](g, s.Logprobs, c.m); slices.Max(lp) != 0 || slices.Min(lp) != 0 {
		g.Errorf("log-probabilities are %v, want 0", lp)
	}
	if host[c.m] != -5 || host[far-1] != -5 {
		g.Errorf("words of the host that no row has were written")
	}
}

// argmaxTiles are the kernels, in the forms that differ for logits.
func (k *Kernels) argmaxTiles() (tiles []*hopperTile) {
	for i := range k.hop.tiles {
		if t := &k.hop.tiles[i]; t.skinny || t.splits == 1 {
			tiles = append(tiles, t)
		}
	}
	return tiles
}

// TestArgmax_TokensAreThoseOfTheLogits_GPU: vocabularies that no tile, no quad divides; rows that are bad and padding; the edges of tiles of tokens.
func TestArgmax_TokensAreThoseOfTheLogits_GPU(t *testing.T) {
	drivertest.OnEach(t, argmaxTokensAreThoseOfTheLogits)
}

func argmaxTokensAreThoseOfTheLogits(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	if !g.k.Hopper() {
		x, w := tensor.Of(256, tensor.BF16, 1, 64), tensor.Of(256, tensor.BF16, 64, 64)
		if g.k.TakesArgmax(x, w) || g.k.ArgmaxLogits(g.s, (&argmaxCase{m: 1, n: 64, batch: newSampleBatch(rand.New(rand.NewPCG(1, 1)), 1, 64, 0)}).samples(g), x, w, 1, 0, 0, 0) == nil {
			t.Error("ArgmaxLogits runs off Hopper")
		}
		t.Skip("skipped: the device runs no kernel of sm_90a, and refuses to")
	}
	rng := rand.New(rand.NewPCG(3, 5))
	for i, tile := range g.k.argmaxTiles() {
		most := tile.rows
		if !tile.skinny && !tile.swapped {
			most = 2*tile.rows + 5
		}
		for j, m := range []int{1, most, 1 + rng.IntN(most)} {
			if d.Simulated && j == 1 && (i%3 > 0 || m > 200) {
				continue
			}
			c := newArgmaxCase(g, rng, m, []int{203, 391, 64, 770, 2}[rng.IntN(5)], []int{64, 72, 200}[rng.IntN(3)])
			g.must(g.k.Force("linear", tile.name))
			t.Run(fmt.Sprintf("%s M=%d V=%d", tile.name, m, c.n), func(t *testing.T) { c.check(g.in(t)) })
		}
	}
}

// TestArgmax_IsForAsManyTokensAsABlockHasRoomFor: swapped kernels and those for few tokens hold them all in a tile.
func TestArgmax_IsForAsManyTokensAsABlockHasRoomFor(t *testing.T) {
	g := onDevice(t, drivertest.Device{Library: drivertest.Simulate(t, drivertest.Config{Name: "Simulated sm_90", Major: 9, Memory: 1 << 30}), Simulated: true, Hopper: true})
	for _, c := range []struct {
		kernel string
		tokens int
		want   bool
	}{{"", 1, true}, {"", 4096, true}, {"", 4097, false}, {"gemm_128x64c2x1", 3840, true}, {"gemm_128x64c2x1", 4097, false}, {"swap_64x128", 64, true}, {"swap_64x128", 65, false}, {"skinny_n8", 8, true}} {
		g.must(g.k.Force("linear", c.kernel))
		if got := g.k.TakesArgmax(tensor.Of(256, tensor.BF16, c.tokens, 1024), tensor.Of(256, tensor.BF16, 151936, 1024)); got != c.want {
			t.Errorf("%s takes %d tokens: %t, want %t", or(c.kernel, "the choice"), c.tokens, got, c.want)
		}
	}
}

// TestArgmax_BlocksKeepTheBestOverTheirTiles plays a GPU of two multiprocessors, so that blocks go through many tiles, with warps that
// take turns in several orders.
func TestArgmax_BlocksKeepTheBestOverTheirTiles(t *testing.T) {
	for seed := range uint64(3) {
		lib := drivertest.Simulate(t, drivertest.Config{Name: "Simulated sm_90", Major: 9, SMs: 2, Memory: 1 << 30, Seed: seed})
		g := onDevice(t, drivertest.Device{Library: lib, Simulated: true, Hopper: true})
		rng := rand.New(rand.NewPCG(7, seed))
		for _, s := range []struct {
			name string
			m    int
		}{{"skinny_n8", 5}, {"skinny_n16", 16}, {"skinny_n8s2", 3}, {"swap_64x192", 37}, {"swap_96x128", 70}, {"gemm_128x64", 50}, {"gemm_128x128c2x1", 150}} {
			g.must(g.k.Force("linear", s.name))
			newArgmaxCase(g, rng, s.m, 1543, 64).check(g)
		}
	}
}

func TestArgmax_RowsInWhichNothingIsAboveMinusInfinityHaveNoToken_GPU(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		g := onDevice(t, d)
		if !g.k.Hopper() {
			t.Skip("skipped: the device runs no kernel of sm_90a")
		}
		const m, n, k = 4, 100, 64
		for _, name := range []string{"skinny_n8", "swap_64x128", "gemm_128x64"} {
			c := newArgmaxCase(g, rand.New(rand.NewPCG(1, 2)), m, n, k)
			one := toBF16(1)
			x, w := slices.Repeat([]uint16{one}, m*k), slices.Repeat([]uint16{one}, n*k)
			for i := range n {
				w[i*k] = toBF16(minusInf)
			}
			c.x, c.w, c.scale, c.softcap = put(g, tensor.BF16, x, m, k), put(g, tensor.BF16, w, n, k), 1, 0
			g.must(g.k.Force("linear", name))
			s := c.samples(g)
			g.must(g.k.ArgmaxLogits(g.s, s, c.x, c.w, 1, 0, 0, 0))
			if got := get[int32](g, s.IDs, m); !slices.Equal(got, repeated(-1, m)) {
				t.Errorf("%s: ids %v, want none", name, got)
			}
			if got := get[int32](g, s.Pool, len(c.batch.pool)); !slices.Equal(got, c.batch.pool) {
				t.Errorf("%s: the pool was written", name)
			}
		}
	})
}

// TestArgmax_AgreesWithLogitsAndSampleAtModelSizes_GPU compares all kernels on the heads that models have.
func TestArgmax_AgreesWithLogitsAndSampleAtModelSizes_GPU(t *testing.T) {
	drivertest.OnEach(t, argmaxAgreesWithLogitsAndSampleAtModelSizes)
}

func argmaxAgreesWithLogitsAndSampleAtModelSizes(t *testing.T, d drivertest.Device) {
	g := onDevice(t, d)
	if !g.k.Hopper() {
		t.Skip("skipped: the device runs no kernel of sm_90a")
	}
	rng := rand.New(rand.NewPCG(11, 13))
	for _, s := range [][3]int{{3, 1000, 256}, {16, 151936, 1024}, {37, 128256, 4096}, {64, 151936, 4096}, {128, 32003, 2048}, {192, 151936, 1024}, {256, 151936, 4096}, {700, 50257, 768}} {
		m, n, k := s[0], s[1], s[2]
		if g.skips(t, m*n*k) {
			continue
		}
		c := newArgmaxCase(g, rng, m, 64, 64) // for its rules
		c.n, c.batch.vocab = n, n
		x, w := g.random(t, tensor.BF16, m, k), g.random(t, tensor.BF16, n, k)
		y := tensor.Of(g.random(t, tensor.BF16, m, 2*n).Ptr, tensor.F32, m, n)
		scale := 2 / float32(math.Sqrt(float64(k)))
		b := c.samples(g)
		logits := b
		logits.Logits = y
		for _, tile := range append(g.k.argmaxTiles(), nil) {
			name := ""
			if tile != nil {
				name = tile.name
			}
			g.must(g.k.Force("linear", name))
			if !g.k.TakesArgmax(x, w) || tile != nil && tile.skinny && m > 4*tile.rows {
				continue
			}
			g.must(errors.Join(g.k.Logits(g.s, y, x, w, scale, 0), g.k.Sample(g.s, logits, 0)))
			want := get[int32](g, b.IDs, m)
			g.must(g.k.ArgmaxLogits(g.s, b, x, w, scale, 0, 0, 0))
			if got := get[int32](g, b.IDs, m); !slices.Equal(got, want) {
				t.Errorf("%s, M=%d V=%d K=%d: ids %v, want %v", or(name, "the choice"), m, n, k, got, want)
			}
		}
	}
}
