package cuda

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// fused runs the kernels that do several operations of a layer, on ragged sizes, for every slicing of K.
func (t *selfTest) fused() {
	if !t.b.k.Hopper() {
		return
	}
	defer func() { t.report("fused: giving back the choice", t.b.k.Force("fused", "")) }()
	for _, v := range append(t.b.k.Variants(), ptx.Variant{Op: "fused"}) {
		if v.Op != "fused" {
			continue
		}
		err := t.b.k.Force("fused", v.Name)
		for _, s := range []struct{ m, n, k int }{{1, 208, 1096}, {7, 80, 328}, {16, 144, 1032}, {32, 336, 520}} {
			err = errors.Join(err, t.addLinear(s.m, s.n, s.k), t.normGated(s.m, s.n, s.k))
		}
		t.report("fused add, gate "+v.Name, err)
		t.report("fused heads "+v.Name, errors.Join(t.normHeads(heads{tokens: 1, heads: 3, kv: 1, d: 128, r: 128, norms: true}, 1096),
			t.normHeads(heads{tokens: 5, heads: 4, kv: 1, d: 64, r: 32, interleaved: true, bias: true}, 328),
			t.normHeads(heads{tokens: 19, heads: 2, kv: 2, d: 128, bias: true, norms: true}, 520),
			t.normHeads(heads{tokens: 32, heads: 1, kv: 1, d: 32, r: 32, norms: true}, 584)))
	}
}

// near is what a result may be off by, over t.round(): one rounding, and that of sums in f32.
func (t *selfTest) near(want, mag []float64) []float64 {
	out := make([]float64, len(want))
	for i, v := range want {
		out[i] = math.Abs(v) + sumF32/t.round()*mag[i]
	}
	return out
}

func (t *selfTest) addLinear(m, n, k int) error {
	x, w, bias, res := t.random(t.elem(), m, k), t.random(t.elem(), n, k), t.random(tensor.F32, n), t.random(t.elem(), m, n)
	want, mag := dots(x.host, w.host, k)
	for i := range want {
		want[i] += float64(bias.host[i%n]) + float64(res.host[i])
	}
	err := t.b.k.AddLinear(t.b.stream, res.View, x.View, w.View, bias.View)
	if err = errors.Join(err, t.expect(res.View, want, t.near(want, mag), t.round())); err != nil {
		return fmt.Errorf("add_linear M=%d N=%d K=%d: %w", m, n, k, err)
	}
	return nil
}

// normedDots returns norm(x)·wᵀ, norm(x) rounded before it is divided by the rms.
func (t *selfTest) normedDots(x, norm, w []float32, eps float64) (sum, mag []float64) {
	k := len(norm)
	scaled := make([]float32, len(x))
	for i, v := range x {
		scaled[i] = t.rounded(v * norm[i%k])
	}
	sum, mag = dots(scaled, w, k)
	n := len(w) / k
	for i := range sum {
		squares := 0.0
		for _, v := range x[i/n*k:][:k] {
			squares += float64(v) * float64(v)
		}
		inv := 1 / math.Sqrt(squares/float64(k)+eps)
		sum[i], mag[i] = sum[i]*inv, mag[i]*inv
	}
	return sum, mag
}

func (t *selfTest) normGated(m, n, k int) error {
	const eps = 1e-2
	x, norm, w, y := t.random(t.elem(), m, k), t.random(tensor.F32, k), t.random(t.elem(), n, k), t.poisoned(t.elem(), m, n/2)
	sum, mag := t.normedDots(x.host, norm.host, w.host, eps)
	want, wantMag := make([]float64, m*n/2), make([]float64, m*n/2)
	for i := range want {
		at := i/(n/2)*n + i%(n/2)/8*16 + i%8
		silu := sum[at] / (1 + math.Exp(-sum[at]))
		want[i], wantMag[i] = silu*sum[at+8], 1.13*mag[at]*math.Abs(sum[at+8])+math.Abs(silu)*mag[at+8]
	}
	err := t.b.k.NormGated(t.b.stream, y.View, x.View, norm.View, w.View, eps, ptx.SiLU)
	if err = errors.Join(err, t.expect(y.View, want, t.near(want, wantMag), t.round())); err != nil {
		return fmt.Errorf("norm_gated M=%d N=%d K=%d: %w", m, n, k, err)
	}
	return nil
}

// heads is a projection to heads; r = 0 stands for no rotation.
type heads struct {
	tokens, heads, kv, d, r  int
	interleaved, bias, norms bool
}

func (t *selfTest) normHeads(h heads, k int) error {
	const eps, headEps, context, slots = 1e-2, 1e-3, 9, 70
	n := (h.heads + 2*h.kv) * h.d
	x, norm, w := t.random(t.elem(), h.tokens, k), t.random(tensor.F32, k), t.random(t.elem(), n, k)
	var bias, qNorm, kNorm, table operand
	if h.bias {
		bias = t.random(tensor.F32, n)
	}
	if h.norms {
		qNorm, kNorm = t.random(tensor.F32, h.d), t.random(tensor.F32, h.d)
	}
	if h.r > 0 {
		table = t.random(tensor.F32, context, h.r)
	}
	slot, pos := make([]float32, h.tokens), make([]float32, h.tokens)
	for i, s := range t.rng.Perm(slots)[:h.tokens] {
		slot[i], pos[i] = float32(s), float32(t.rng.IntN(context))
	}
	a := ptx.RopeStore{
		Q: t.poisoned(t.elem(), h.tokens, h.heads*h.d).View, KCache: t.poisoned(t.elem(), h.kv, slots, h.d).View,
		VCache: t.poisoned(t.elem(), h.kv, slots, h.d).View, Slots: t.put(tensor.I32, slot, h.tokens).View,
		Pos: t.put(tensor.I32, pos, h.tokens).View, QNorm: qNorm.View, KNorm: kNorm.View, Table: table.View,
		Heads: h.heads, Interleaved: h.interleaved, Eps: headEps,
	}
	sum, mag := t.normedDots(x.host, norm.host, w.host, eps)
	for i := range sum {
		if h.bias {
			sum[i] += float64(bias.host[i%n])
		}
	}
	err := t.b.k.NormHeads(t.b.stream, x.View, norm.View, w.View, bias.View, eps, &a)
	for i := range h.tokens {
		for head := range h.heads + 2*h.kv {
			at := i*n + head*h.d
			weights := qNorm.host
			if head >= h.heads {
				weights = kNorm.host
			}
			want, limit := sum[at:][:h.d], mag[at:][:h.d]
			if head < h.heads+h.kv {
				want, limit = headOf(want, limit, weights, table.host, int(pos[i]), h, headEps)
			}
			err = errors.Join(err, t.expect(h.out(&a, head, i, int(slot[i]), slots), want, t.near(want, limit), t.round()))
		}
	}
	if err != nil {
		return fmt.Errorf("norm_heads %+v K=%d: %w", h, k, err)
	}
	return nil
}

// out is where head of token i lies afterwards.
func (h *heads) out(a *ptx.RopeStore, head, i, slot, slots int) tensor.View {
	switch cache := a.KCache; {
	case head < h.heads:
		return tensor.Of(a.Q.Ptr+uintptr(2*(i*h.heads+head)*h.d), cache.Type, h.d)
	case head < h.heads+h.kv:
		return tensor.Of(cache.Ptr+uintptr(2*((head-h.heads)*slots+slot)*h.d), cache.Type, h.d)
	}
	return tensor.Of(a.VCache.Ptr+uintptr(2*((head-h.heads-h.kv)*slots+slot)*h.d), a.VCache.Type, h.d)
}

// headOf normalises and rotates one head, and gives the magnitude of its errors.
func headOf(x, mag []float64, weights, table []float32, pos int, h heads, eps float64) (want, limit []float64) {
	want, limit = append(want, x...), append(limit, mag...)
	if h.norms {
		squares := 0.0
		for _, v := range x {
			squares += v * v
		}
		inv := 1 / math.Sqrt(squares/float64(h.d)+eps)
		for j := range want {
			want[j] *= inv * float64(weights[j])
			limit[j] *= 2 * inv * math.Abs(float64(weights[j]))
		}
	}
	if h.r > 0 {
		parts := rotated(want, table[pos*h.r:][:h.r], h.interleaved)
		rotated(limit, table[pos*h.r:][:h.r], h.interleaved)
		for j := range limit {
			limit[j] = 2*math.Abs(limit[j]) + 2*parts[j] + mag[j]
		}
	}
	return want, limit
}
