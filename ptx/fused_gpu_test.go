package ptx

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// layerShape is what a layer of a model looks like to the fused kernels.
type layerShape struct{ hidden, heads, kv, d, inter int }

// layerShapes are those of Qwen3-0.6B and 8B and an odd one; on the CPU, small ones.
func layerShapes(simulated bool) []layerShape {
	odd := layerShape{328, 3, 1, 64, 104}
	if simulated {
		return []layerShape{odd, {512, 4, 2, 128, 336}}
	}
	return []layerShape{odd, {1024, 16, 8, 128, 3072}, {4096, 32, 8, 128, 12288}}
}

const fusedEps = 1e-6

// fusedLayer is a layer with its inputs and results, those of a batch of m tokens.
type fusedLayer struct {
	layerShape
	norm, headNorm, table       *guarded
	qkv, o, gateUp, down        tensor.View
	x, res, pos, slots          *guarded
	q, k, v, gated, attended    *guarded
	pages, rows, start, context *guarded
	m                           int
}

// newFusedLayer has requests of at most context tokens.
func newFusedLayer(c *checker, s layerShape, m, context int) *fusedLayer {
	l := &fusedLayer{layerShape: s, m: m}
	l.norm, l.headNorm, l.table = c.random(tensor.F32, s.hidden), c.random(tensor.F32, s.d), c.random(tensor.F32, context, s.d)
	w := func(rows, cols int) tensor.View { return c.gpu.random(c.t, tensor.BF16, rows, cols) }
	l.qkv, l.o = w((s.heads+2*s.kv)*s.d, s.hidden), w(s.hidden, s.heads*s.d)
	l.gateUp, l.down = w(2*s.inter, s.hidden), w(s.hidden, s.inter)
	l.x, l.res = c.random(tensor.BF16, m, s.heads*s.d), c.random(tensor.BF16, m, s.hidden)
	l.q, l.gated, l.attended = c.poisoned(tensor.BF16, m, s.heads*s.d), c.poisoned(tensor.BF16, m, s.inter), c.poisoned(tensor.BF16, m, s.heads*s.d)
	l.batch(c, context)
	return l
}

// batch has a request a token, of different lengths, with slots from the end of the cache.
func (l *fusedLayer) batch(c *checker, most int) {
	m := l.m
	slots := 1 + m*most
	l.k, l.v = c.filled(l.kv, slots, l.d), c.filled(l.kv, slots, l.d)
	pages, pos, slot := make([]int32, m*most), make([]int32, m), make([]int32, m)
	rows, start, context := make([]int32, m), make([]int32, m+1), make([]int32, m)
	for i := range pages {
		pages[i] = int32(slots - 1 - i)
	}
	for b := range m {
		pos[b] = int32(c.rng.IntN(most))
		slot[b] = pages[b*most+int(pos[b])]
		rows[b], start[b+1], context[b] = int32(b), int32(b+1), pos[b]+1
	}
	l.pages, l.pos, l.slots, l.rows = c.ints(pages, m, most), c.ints(pos, m), c.ints(slot, m), c.ints(rows, m)
	l.start, l.context = c.ints(start, m+1), c.ints(context, m)
	c.must(c.k.ReserveDecode(c.s, l.d, l.kv, m))
}

func (l *fusedLayer) store(q, k, v, qkv tensor.View) *RopeStore {
	return &RopeStore{Q: q, KCache: k, VCache: v, QKV: qkv, Slots: l.slots.View, Pos: l.pos.View, QNorm: l.headNorm.View, KNorm: l.headNorm.View,
		Table: l.table.View, Heads: l.heads, Eps: fusedEps}
}

func (l *fusedLayer) attend(c *checker) error {
	kv := KV{K: l.k.View, V: l.v.View, Pages: l.pages.View}
	r := Requests{Rows: l.rows.View, Start: l.start.View, Context: l.context.View, Tokens: l.m, Decodes: l.m}
	return c.k.AttendDecode(c.s, l.attended.View, l.q.View, kv, r, Scores{Scale: 0.1})
}

// TestFused_AgreesWithTheSingleKernels_GPU also checks that nothing round the outputs is written.
func TestFused_AgreesWithTheSingleKernels_GPU(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		c := newChecker(t, d)
		if !c.k.Hopper() {
			t.Skip("skipped: the device runs no kernel of sm_90a")
		}
		for _, s := range layerShapes(d.Simulated) {
			for _, m := range []int{1, 5, 16, 17, 32} {
				if d.Simulated && m != 5 && m != 33 {
					continue
				}
				l := newFusedLayer(c, s, m, 40)
				for _, v := range append(fusedVariants(), Variant{}) {
					if d.Simulated && v.Name != "" && v.Name != "fused_s4" {
						continue
					}
					c.must(c.k.Force("fused", v.Name))
					if err := errors.Join(l.checkHeads(c), l.checkGate(c), l.checkAdd(c)); err != nil {
						t.Errorf("%s on M=%d of %+v: %v", or(v.Name, "the choice"), m, s, err)
					}
				}
				c.free()
			}
		}
	})
}

// near compares what two ways of rounding give.
func (c *checker) near(name string, got, want *guarded) error {
	a, err := c.read(got)
	b, failed := c.read(want)
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if d := distance(a, b); !(d < 8e-3) {
		return fmt.Errorf("%s: distance %.2g from the single kernels", name, d)
	}
	return nil
}

func (l *fusedLayer) normed(c *checker) (*guarded, error) {
	y := c.poisoned(tensor.BF16, l.m, l.hidden)
	return y, c.k.RMSNorm(c.s, y.View, l.res.View, l.norm.View, fusedEps)
}

func (l *fusedLayer) checkHeads(c *checker) error {
	y, err := l.normed(c)
	qkv := c.poisoned(tensor.BF16, l.m, (l.heads+2*l.kv)*l.d)
	wantQ := c.poisoned(tensor.BF16, l.m, l.heads*l.d)
	err = errors.Join(err, c.k.Linear(c.s, qkv.View, y.View, l.qkv, tensor.View{}), c.k.RopeStore(c.s, l.store(wantQ.View, l.k.View, l.v.View, qkv.View)))
	wantK, failed := c.read(l.k)
	wantV, again := c.read(l.v)
	err = errors.Join(err, failed, again, c.k.NormHeads(c.s, l.res.View, l.norm.View, l.qkv, tensor.View{}, fusedEps, l.store(l.q.View, l.k.View, l.v.View, tensor.View{})),
		c.near("q", l.q, wantQ))
	c.poison(l.q)
	for i, g := range []*guarded{l.k, l.v} {
		got, failed := c.read(g)
		if d := distance(got, [][]float32{wantK, wantV}[i]); failed != nil || !(d < 8e-3) {
			err = errors.Join(err, failed, fmt.Errorf("cache %d: distance %.2g from the single kernels", i, d))
		}
	}
	return err
}

func (l *fusedLayer) checkGate(c *checker) error {
	y, err := l.normed(c)
	want := c.poisoned(tensor.BF16, l.m, l.inter)
	err = errors.Join(err, c.k.GatedLinear(c.s, want.View, y.View, l.gateUp, SiLU),
		c.k.NormGated(c.s, l.gated.View, l.res.View, l.norm.View, l.gateUp, fusedEps, SiLU), c.near("gate", l.gated, want))
	c.poison(l.gated)
	return err
}

func (l *fusedLayer) checkAdd(c *checker) error {
	y, got, want := c.poisoned(tensor.BF16, l.m, l.hidden), c.random(tensor.BF16, l.m, l.hidden), c.poisoned(tensor.BF16, l.m, l.hidden)
	c.copy(want, got)
	return errors.Join(c.k.Linear(c.s, y.View, l.x.View, l.o, tensor.View{}), c.k.Add(c.s, want.View, y.View),
		c.k.AddLinear(c.s, got.View, l.x.View, l.o, tensor.View{}), c.near("add", got, want))
}

// TestFused_OverlappedChainGivesTheSameBytes_GPU runs layers in a graph whose kernels start before the ones ahead have
// ended, again and again, against the same with a wait after each.
func TestFused_OverlappedChainGivesTheSameBytes_GPU(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		c := newChecker(t, d)
		if !c.k.Hopper() {
			t.Skip("skipped: the device runs no kernel of sm_90a")
		}
		c.k.Overlap, c.k.Early = true, true
		for _, s := range layerShapes(d.Simulated) {
			for _, m := range []int{1, 4, 16, 32} {
				if s.hidden == 4096 && m > 4 {
					continue // four layers take much memory
				}
				layers, replays := make([]*fusedLayer, 4), 5
				if d.Simulated {
					if m > 4 {
						continue
					}
					layers, replays = layers[:2], 1
				}
				for i := range layers {
					layers[i] = newFusedLayer(c, s, m, 700)
				}
				if err := overlappedChain(c, layers, replays); err != nil {
					t.Errorf("%+v M=%d: %v", s, m, err)
				}
				c.free()
			}
		}
	})
}

func overlappedChain(c *checker, layers []*fusedLayer, replays int) error {
	begin, res := c.random(tensor.BF16, layers[0].m, layers[0].hidden), layers[0].res
	wait := func(err error) error { return errors.Join(err, c.s.Sync()) }
	c.copy(res, begin)
	err := chain(c, layers, wait)
	want, failed := c.read(res)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	graph, err := c.ctx.Capture(c.s, func() error { return chain(c, layers, func(err error) error { return err }) })
	if err != nil {
		return err
	}
	x, err := graph.Instantiate()
	if err != nil {
		return errors.Join(err, graph.Destroy())
	}
	for i := 0; i < replays && err == nil; i++ {
		c.copy(res, begin)
		got := []float32(nil)
		if err = x.Launch(c.s); err == nil {
			got, err = c.read(res)
		}
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("replay %d of the overlapped chain: distance %.2g from the one that waits", i, distance(got, want))
		}
	}
	return errors.Join(err, x.Destroy(), graph.Destroy())
}

// chain runs the layers on the stream of the first.
func chain(c *checker, layers []*fusedLayer, after func(error) error) error {
	res := layers[0].res.View
	for _, l := range layers {
		for _, launch := range []func() error{
			func() error {
				return c.k.NormHeads(c.s, res, l.norm.View, l.qkv, tensor.View{}, fusedEps, l.store(l.q.View, l.k.View, l.v.View, tensor.View{}))
			},
			func() error { return l.attend(c) },
			func() error { return c.k.AddLinear(c.s, res, l.attended.View, l.o, tensor.View{}) },
			func() error { return c.k.NormGated(c.s, l.gated.View, res, l.norm.View, l.gateUp, fusedEps, SiLU) },
			func() error { return c.k.AddLinear(c.s, res, l.gated.View, l.down, tensor.View{}) },
		} {
			if err := after(launch()); err != nil {
				return err
			}
		}
	}
	return nil
}
