package ptx

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type ropeKernels struct {
	store  overlapped[ropeStoreArgs]
	whole  [len(ropeWholeDims)]overlapped[ropeWholeArgs]
	forced string // the variant that tests ask for
}

// ropeWholeDims are the sizes of heads that a kernel of its own takes where they rotate as a whole.
var ropeWholeDims = [...]int{64, 128, 256}

// The variants of rope_store.
const ropeAny, ropeWhole = "rope_store", "rope_whole"

type ropeStoreArgs struct {
	Q, KCache, VCache, QKV, Slots, Pos, QNorm, KNorm, Table uintptr
	HeadStride                                              int64
	Heads, KVHeads, D, R, Interleaved, Wide                 int32
	Eps                                                     float32
	LogLanes, Passes                                        int32
}

type ropeWholeArgs struct {
	Q, KCache, VCache, QKV, Slots, Pos, QNorm, KNorm, Table uintptr
	HeadStride                                              int64
	Tokens, Heads, KVHeads                                  int32
	Eps                                                     float32
}

func (p *ropeKernels) declare(k *Kernels) {
	p.store.declare(k, "rope", ropeAny, 0)
	for i, d := range ropeWholeDims {
		p.whole[i].declare(k, "rope", fmt.Sprintf("%s_%d", ropeWhole, d), 0)
	}
}

func ropeVariants() []Variant {
	return []Variant{
		{Op: "rope_store", Name: ropeAny, Source: "rope.cu", Arch: "sm_80", When: "what the other leaves", Rows: 1},
		{Op: "rope_store", Name: ropeWhole, Source: "rope.cu", Arch: "sm_80", When: "heads of 64, 128 or 256 that rotate as a whole", Rows: 1},
	}
}

// RopeStore describes the projection that Kernels.RopeStore takes apart.
type RopeStore struct {
	Q              tensor.View // [T,Heads·D] bf16, out
	KCache, VCache tensor.View // [KVHeads,S,D] bf16, written at Slots
	QKV            tensor.View // [T,(Heads+2·KVHeads)·D] bf16; not Q
	Slots, Pos     tensor.View // [T] i32
	QNorm, KNorm   tensor.View // f32, or empty for no norm: [D] for each head by itself; or [Heads·D] and [KVHeads·D], wide
	Table          tensor.View // [C,R] f32: cosines of R/2 angles, then sines; empty for no rotation
	Heads          int
	Interleaved    bool // pairs are (2i,2i+1) instead of (i,i+R/2)
	Eps            float32
}

// maxHeadDim is the largest head that half a warp holds, 16 elements a lane. A block has ropeThreads lanes, which take up to
// ropePasses heads each where that leaves blocks enough; ropeBlocks of rope_whole share a multiprocessor: as in src/rope.cu.
const (
	maxHeadDim  = 256
	ropeThreads = 128
	ropePasses  = 2
	ropeBlocks  = 6
)

// RopeStore enqueues, on s: each head of q and k is normalised where there is a norm, its first R elements are rotated
// by the angles of its position, q is written to Q, and k and v to their slots. All views are contiguous; D is a multiple
// of 8 and at most 256; R is even and at most D.
// Kernel: src/rope.cu (Su et al. 2021, arXiv:2104.09864). Oracle: cpu.RopeStore.
func (k *Kernels) RopeStore(s driver.Stream, a *RopeStore) error {
	c := tensor.Checking("rope_store")
	c.Want("kcache", a.KCache, k.elem(), "K", "S", "D").Want("vcache", a.VCache, k.elem(), "K", "S", "D")
	c.Want("q", a.Q, k.elem(), "T", "Heads·D").Want("slots", a.Slots, tensor.I32, "T").Want("pos", a.Pos, tensor.I32, "T")
	c.Want("qkv", a.QKV, k.elem(), "T", "(Heads+2K)·D")
	q, kv := "D", "D"
	if a.wide() {
		q, kv = "Heads·D", "K·D"
	}
	if a.QNorm.Rank > 0 {
		c.Want("qnorm", a.QNorm, tensor.F32, q)
	}
	if a.KNorm.Rank > 0 {
		c.Want("knorm", a.KNorm, tensor.F32, kv)
	}
	c.Contiguous("kcache", a.KCache).Contiguous("vcache", a.VCache).Contiguous("q", a.Q).Contiguous("qkv", a.QKV)
	c.Multiple("D", 8).Max("D", maxHeadDim)
	if err := a.check(&c); err != nil || c.Dim("T") == 0 {
		return err
	}
	whole := k.rope.wholeOf(a)
	switch {
	case k.rope.forced == ropeWhole && whole == nil:
		return fmt.Errorf("cannot run %s: heads of %d, of which %d rotate", ropeWhole, c.Dim("D"), a.Table.Dim[1])
	case whole != nil && k.rope.forced != ropeAny:
		return k.ropeWhole(s, a, whole)
	}
	return k.ropeAny(s, a)
}

// wholeOf returns the kernel for heads such as a's that rotate as a whole, or nil.
func (p *ropeKernels) wholeOf(a *RopeStore) *overlapped[ropeWholeArgs] {
	d := a.KCache.Dim[2]
	if i := slices.Index(ropeWholeDims[:], d); i >= 0 && a.Table.Dim[1] == d && !a.Interleaved && !a.wide() {
		return &p.whole[i]
	}
	return nil
}

// ropeWhole has each block go through as many tokens as the others, where not all run at once.
func (k *Kernels) ropeWhole(s driver.Stream, a *RopeStore, by *overlapped[ropeWholeArgs]) error {
	t, kv, d := a.Slots.Dim[0], a.KCache.Dim[0], a.KCache.Dim[2]
	parts := ceilDiv(a.Heads+2*kv, 16*ropeThreads/d) // of a token
	turns := ceilDiv(t, max(1, ropeBlocks*k.SMs()/parts))
	return by.launch(s, driver.Dim{X: ceilDiv(t, turns), Y: parts}, driver.Dim{X: ropeThreads}, ropeWholeArgs{
		Q: a.Q.Ptr, KCache: a.KCache.Ptr, VCache: a.VCache.Ptr, QKV: a.QKV.Ptr, Slots: a.Slots.Ptr, Pos: a.Pos.Ptr,
		QNorm: a.QNorm.Ptr, KNorm: a.KNorm.Ptr, Table: a.Table.Ptr, HeadStride: int64(a.KCache.Stride),
		Tokens: int32(t), Heads: int32(a.Heads), KVHeads: int32(kv), Eps: a.Eps,
	})
}

func (k *Kernels) ropeAny(s driver.Stream, a *RopeStore) error {
	t, kv, d := a.Slots.Dim[0], a.KCache.Dim[0], a.KCache.Dim[2]
	lanes := bits.Len(uint(d-1) / 16) // of a head, as a power of two
	blocks, passes := ceilDiv(a.Heads+2*kv, ropeThreads>>lanes), 1
	if t*blocks > 16*k.SMs() {
		blocks, passes = ceilDiv(blocks, ropePasses), ropePasses
	}
	args := ropeStoreArgs{
		Q: a.Q.Ptr, KCache: a.KCache.Ptr, VCache: a.VCache.Ptr, QKV: a.QKV.Ptr, Slots: a.Slots.Ptr, Pos: a.Pos.Ptr,
		QNorm: a.QNorm.Ptr, KNorm: a.KNorm.Ptr, Table: a.Table.Ptr, HeadStride: int64(a.KCache.Stride),
		Heads: int32(a.Heads), KVHeads: int32(kv), D: int32(d), R: int32(a.Table.Dim[1]), Eps: a.Eps,
		LogLanes: int32(lanes), Passes: int32(passes),
	}
	if a.Interleaved {
		args.Interleaved = 1
	}
	if a.wide() {
		args.Wide = 1
	}
	return k.rope.store.launch(s, driver.Dim{X: t, Y: blocks}, driver.Dim{X: ropeThreads}, args)
}

// wide reports whether all heads are normalised as one vector.
func (a *RopeStore) wide() bool {
	d := a.KCache.Dim[2]
	return a.QNorm.Rank > 0 && a.QNorm.Dim[0] != d || a.KNorm.Rank > 0 && a.KNorm.Dim[0] != d
}

// check compares the products of dimensions that Check cannot.
func (a *RopeStore) check(c *tensor.Check) error {
	if err := c.Err(); err != nil {
		return err
	}
	d, kv := c.Dim("D"), c.Dim("K")
	switch r := a.Table.Dim[1]; {
	case a.Q.Dim[1] != a.Heads*d:
		return &tensor.ShapeError{Op: "rope_store", Operand: "q", Got: a.Q.String(), Want: "[T,Heads·D]"}
	case a.QKV.Dim[1] != (a.Heads+2*kv)*d:
		return &tensor.ShapeError{Op: "rope_store", Operand: "qkv", Got: a.QKV.String(), Want: "[T,(Heads+2·KVHeads)·D]"}
	case a.wide() && a.KNorm.Rank > 0 && a.KNorm.Dim[0] != kv*d:
		return &tensor.ShapeError{Op: "rope_store", Operand: "knorm", Got: a.KNorm.String(), Want: "f32[D] or f32[KVHeads·D], as qnorm"}
	case a.Table.Rank > 0 && (a.Table.Rank != 2 || a.Table.Type != tensor.F32 || r%2 != 0 || r > d || !a.Table.Contiguous()):
		return &tensor.ShapeError{Op: "rope_store", Operand: "table", Got: a.Table.String(), Want: "f32[C,R] with R even and at most D"}
	}
	return nil
}
