package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// fusedArgs are the parameters of every kernel of src/fused_sm90.cuh.
type fusedArgs struct {
	XMap, XTail, WMap driver.TensorMap
	Fusion            fusionArgs
}

type fusionArgs struct {
	Y, X, Norm, Bias uintptr
	M, N, K, Act     int32
	Eps              float32
	Heads            headStoreArgs
}

type headStoreArgs struct {
	K, V, Slots, Pos, QNorm, KNorm, Table uintptr
	Stride                                int64
	Heads, KVHeads, D, R, Interleaved     int32
	Eps                                   float32
}

// fusing is what of a layer a kernel takes together.
type fusing int

const (
	fuseAdd   fusing = iota // a product, its sum with the residual stream
	fuseGate                // the stream's norm, a gated product
	fuseHeads               // the stream's norm, a product, what RopeStore does
	fusings
)

var fusingSuffix = [fusings]string{"_add", "_gate", "_heads"}

// MaxFused is the most tokens that the fused operations take. Beyond, each of the many tiles of features that norms x again
// costs more than a norm of its own (docs/DECODE.md).
const MaxFused = 32

// headFeatures are those of a tile of fuseHeads: whole heads. Twice as wide as others', a stage of K takes headStep µs more.
const (
	headFeatures = 128
	headStep     = 0.1
)

// A fusedKernel computes tiles of rows tokens by cols features, blocks of them on a multiprocessor.
type fusedKernel struct {
	hopperKernel
	blocks int
	kernel kernel[fusedArgs]
}

type fusedKernels struct {
	kinds  [fusings][3]fusedKernel
	forced int // splits that tests ask for; 0: by predicted time
}

func (p *fusedKernels) declare(k *Kernels) {
	for i, s := range []struct{ rows, stages, wide, wideBlocks int }{{8, 10, 5, 2}, {16, 9, 5, 2}, {32, 7, 4, 1}} {
		for f := range fusings {
			name := fmt.Sprintf("fused_n%d", s.rows)
			h := &p.kinds[f][i]
			h.hopperKernel = hopperKernel{name: name + fusingSuffix[f], rows: s.rows, cols: 64, stages: s.stages}
			h.blocks = 2
			if f == fuseHeads {
				h.cols, h.stages, h.blocks = headFeatures, s.wide, s.wideBlocks
			}
			h.kernel.declare(k, name+"_sm90", h.name, fusedShared(h))
		}
	}
}

// fusedShared is the shared memory of src/fused_sm90.cuh: that of the kernels for few tokens, and sums of squares by four
// warps.
func fusedShared(h *fusedKernel) int { return skinnyShared(&h.hopperKernel) + 8 + 16*h.rows }

// A fusedTile is a kernel and the slices of K that the blocks of a cluster take.
type fusedTile struct {
	*fusedKernel
	splits int
}

// choose takes the kernel with the least predicted time, as for linear operations; ok is false where none takes m tokens.
func (p *fusedKernels) choose(f fusing, m, n, k, sms int) (best fusedTile, ok bool) {
	least := 0.0
	for i := range p.kinds[f] {
		h := &p.kinds[f][i]
		if m > h.rows || m <= h.rows/2 && h.rows > 8 {
			continue
		}
		for splits := 1; splits <= maxCluster; splits *= 2 {
			if p.forced != 0 && splits != p.forced || p.forced == 0 && splits > 1 && !h.splits(n, k, splits, sms) {
				continue
			}
			if us := h.predict(f, m, n, k, splits, sms); !ok || us < least {
				best, least, ok = fusedTile{h, splits}, us, true
			}
		}
	}
	return best, ok
}

// predict is the time of h on a shape in µs, by the figures of kernels for few tokens.
func (h *fusedKernel) predict(f fusing, m, n, k, splits, sms int) float64 {
	t := hopperTile{hopperKernel: &h.hopperKernel, skinny: true, down: 1, across: 1, splits: splits}
	us := t.predict(f.epilogue(), m, n, k, sms)
	if f == fuseHeads {
		us += headStep * float64(ceilDiv(ceilDiv(k, hopperStep), splits)*ceilDiv(ceilDiv(n, h.cols)*splits, h.blocks*sms))
	}
	return us
}

// fusedVariants are the slices of K that the kernels of every number of tokens can be launched for.
func fusedVariants() (out []Variant) {
	for splits := 1; splits <= maxCluster; splits *= 2 {
		out = append(out, Variant{Op: "fused", Name: fmt.Sprintf("fused_s%d", splits), Source: "fused_sm90.cuh", Arch: "sm_90a", When: "M <= 32, by predicted time", Rows: MaxFused})
	}
	return out
}

// fusedSplits is the number of slices in the name of a variant, 0 for none.
func fusedSplits(name string) (n int) {
	fmt.Sscanf(name, "fused_s%d", &n)
	return n
}

// splits says whether K is long enough for that many slices, and all blocks run at once.
func (h *fusedKernel) splits(n, k, splits, sms int) bool {
	most := h.blocks * sms / splits
	if h.blocks == 1 {
		most = clustersAtOnce(splits, sms)
	}
	return ceilDiv(k, hopperStep) >= 4*splits && ceilDiv(n, h.cols) <= most
}

func (f fusing) epilogue() epilogue {
	if f == fuseGate {
		return gated
	}
	return plain
}

// fused enqueues one fused operation of m tokens. x is what the copy engine reads, for fuseAdd.
func (k *Kernels) fused(s driver.Stream, op string, f fusing, x, w tensor.View, a fusionArgs) error {
	m, n := int(a.M), int(a.N)
	switch {
	case !k.Hopper():
		return fmt.Errorf("cannot run %s: only Hopper has it, in bf16; use the single operations", op)
	case m > MaxFused:
		return &tensor.ShapeError{Op: op, Operand: "T", Got: fmt.Sprint(m), Want: fmt.Sprintf("at most %d", MaxFused)}
	case (x.Ptr|w.Ptr|a.X|a.Y|a.Norm|a.Bias|a.Heads.K|a.Heads.V|a.Heads.QNorm|a.Heads.KNorm|a.Heads.Table)%16 != 0:
		return &tensor.ShapeError{Op: op, Operand: "an operand", Got: "off", Want: "aligned to 16 bytes"}
	}
	t, ok := k.fuse.choose(f, m, n, int(a.K), k.SMs())
	if !ok {
		return fmt.Errorf("cannot run %s: no kernel takes %d tokens", op, m)
	}
	args := fusedArgs{Fusion: a}
	if !k.Dry {
		var err error
		if args.WMap, err = k.tileMap(w, t.cols, hopperStep); err != nil {
			return err
		}
		if f != fuseAdd {
			args.XMap, args.XTail = args.WMap, args.WMap // not read
		} else if args.XMap, args.XTail, err = k.tokenMaps(x, t.rows); err != nil {
			return err
		}
	}
	return t.kernel.enqueue(t.launch(s, f, m, n, k.SMs()), args)
}

// launch starts a block for each tile and slice of K, or where K is whole as many as run at once, which go on to more.
func (t fusedTile) launch(s driver.Stream, f fusing, m, n, sms int) driver.Launch {
	across, groups, threads := ceilDiv(m, t.rows), ceilDiv(n, t.cols), 2*t.cols+32
	if t.splits == 1 {
		groups = min(groups, max(1, t.blocks*sms/across))
	}
	if f != fuseAdd {
		threads += 128
	}
	return driver.Launch{Stream: s, Overlap: true, Grid: driver.Dim{X: groups * t.splits, Y: across}, Block: driver.Dim{X: threads}, Cluster: driver.Dim{X: t.splits}}
}

// AddLinear enqueues res += x·wᵀ + bias on s, rounded once.
//
//	x [T,K] bf16    w [N,K] bf16    bias [N] f32 or empty    res [T,N] bf16; all contiguous, res overlaps none
//
// T is at most MaxFused, K and N multiples of 8; on Hopper alone. Kernels: src/fused_n*_sm90.cu. Oracle: cpu.AddLinear.
func (k *Kernels) AddLinear(s driver.Stream, res, x, w, bias tensor.View) error {
	c := tensor.Checking("add_linear")
	c.Want("x", x, tensor.BF16, "T", "K").Want("w", w, tensor.BF16, "N", "K").Want("res", res, tensor.BF16, "T", "N")
	if bias.Rank > 0 {
		c.Want("bias", bias, tensor.F32, "N")
	}
	c.Contiguous("x", x).Contiguous("w", w).Contiguous("res", res).Multiple("K", 8).Multiple("N", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	return k.fused(s, "add_linear", fuseAdd, x, w, fusionArgs{Y: res.Ptr, Bias: bias.Ptr, M: int32(c.Dim("T")), N: int32(c.Dim("N")), K: int32(c.Dim("K"))})
}

// NormGated enqueues y = act(z·gateᵀ) · (z·upᵀ) with z = norm(x)·norm on s. z is rounded before it is divided by its rms.
//
//	x [T,K] bf16    norm [K] f32    w [N,K] bf16: gate and up in turns of eight rows, see Pair    y [T,N/2] bf16
//
// All contiguous, y overlaps none; T is at most MaxFused, K a multiple of 8, N of 16; on Hopper alone. Kernels:
// src/fused_n*_sm90.cu. Oracle: cpu.NormGated.
func (k *Kernels) NormGated(s driver.Stream, y, x, norm, w tensor.View, eps float32, act Activation) error {
	c := tensor.Checking("norm_gated")
	c.Want("x", x, tensor.BF16, "T", "K").Want("norm", norm, tensor.F32, "K").Want("w", w, tensor.BF16, "N", "K")
	c.Want("y", y, tensor.BF16, "T", "N/2").Multiple("N", 16)
	if c.Err() == nil && 2*c.Dim("N/2") != c.Dim("N") {
		return &tensor.ShapeError{Op: "norm_gated", Operand: "y", Got: y.String(), Want: "half as many columns as w has rows"}
	}
	c.Contiguous("x", x).Contiguous("w", w).Contiguous("y", y).Multiple("K", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	return k.fused(s, "norm_gated", fuseGate, tensor.View{}, w, fusionArgs{Y: y.Ptr, X: x.Ptr, Norm: norm.Ptr, M: int32(c.Dim("T")),
		N: int32(c.Dim("N")), K: int32(c.Dim("K")), Act: int32(act), Eps: eps})
}

// NormHeads enqueues what RopeStore does with z·wᵀ + bias, z = norm(x)·norm, on s. a.QKV is not used, and nothing between
// is rounded but z, before it is divided by its rms.
//
//	x [T,K] bf16    norm [K] f32    w [(Heads+2·KVHeads)·D,K] bf16    bias f32 or empty; all contiguous, a.Q overlaps none
//
// T is at most MaxFused, K a multiple of 8, D and R those that FusesHeads allows, norms of heads are not wide; on Hopper alone.
// Kernels: src/fused_n*_sm90.cu. Oracle: cpu.NormHeads.
func (k *Kernels) NormHeads(s driver.Stream, x, norm, w, bias tensor.View, eps float32, a *RopeStore) error {
	c := tensor.Checking("norm_heads")
	c.Want("x", x, tensor.BF16, "T", "K").Want("norm", norm, tensor.F32, "K").Want("w", w, tensor.BF16, "N", "K")
	if bias.Rank > 0 {
		c.Want("bias", bias, tensor.F32, "N")
	}
	c.Want("kcache", a.KCache, tensor.BF16, "KVHeads", "S", "D").Want("vcache", a.VCache, tensor.BF16, "KVHeads", "S", "D")
	c.Want("q", a.Q, tensor.BF16, "T", "Heads·D").Want("slots", a.Slots, tensor.I32, "T").Want("pos", a.Pos, tensor.I32, "T")
	if a.QNorm.Rank > 0 {
		c.Want("qnorm", a.QNorm, tensor.F32, "D")
	}
	if a.KNorm.Rank > 0 {
		c.Want("knorm", a.KNorm, tensor.F32, "D")
	}
	c.Contiguous("x", x).Contiguous("w", w).Contiguous("q", a.Q).Contiguous("kcache", a.KCache).Contiguous("vcache", a.VCache).Multiple("K", 8)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	if err := a.checkFused(&c); err != nil {
		return err
	}
	return k.fused(s, "norm_heads", fuseHeads, tensor.View{}, w, fusionArgs{Y: a.Q.Ptr, X: x.Ptr, Norm: norm.Ptr, Bias: bias.Ptr,
		M: int32(c.Dim("T")), N: int32(c.Dim("N")), K: int32(c.Dim("K")), Eps: eps, Heads: a.headStore()})
}

// FusesHeads reports whether NormHeads takes heads of d, of which r dimensions turn: some make a tile, and eight neighbours turn
// with eight others.
func FusesHeads(d, r int) bool { return d >= 16 && headFeatures%d == 0 && r%16 == 0 && r <= d }

// checkFused compares the products of dimensions that Check cannot.
func (a *RopeStore) checkFused(c *tensor.Check) error {
	d, kv, n := c.Dim("D"), c.Dim("KVHeads"), c.Dim("N")
	bad := func(operand, got, want string) error {
		return &tensor.ShapeError{Op: "norm_heads", Operand: operand, Got: got, Want: want}
	}
	switch r := a.Table.Dim[1]; {
	case !FusesHeads(d, 0):
		return bad("D", fmt.Sprint(d), "16, 32, 64 or 128")
	case a.Q.Dim[1] != a.Heads*d:
		return bad("q", a.Q.String(), "[T,Heads·D]")
	case n != (a.Heads+2*kv)*d:
		return bad("w", fmt.Sprint(n, " rows"), "(Heads+2·KVHeads)·D")
	case a.Table.Rank > 0 && (a.Table.Rank != 2 || a.Table.Type != tensor.F32 || !FusesHeads(d, r) || !a.Table.Contiguous()):
		return bad("table", a.Table.String(), "f32[C,R] with R a multiple of 16 and at most D")
	}
	return nil
}

func (a *RopeStore) headStore() headStoreArgs {
	h := headStoreArgs{
		K: a.KCache.Ptr, V: a.VCache.Ptr, Slots: a.Slots.Ptr, Pos: a.Pos.Ptr, QNorm: a.QNorm.Ptr, KNorm: a.KNorm.Ptr, Table: a.Table.Ptr,
		Stride: int64(a.KCache.Stride), Heads: int32(a.Heads), KVHeads: int32(a.KCache.Dim[0]), D: int32(a.KCache.Dim[2]),
		R: int32(a.Table.Dim[1]), Eps: a.Eps,
	}
	if a.Interleaved {
		h.Interleaved = 1
	}
	return h
}
