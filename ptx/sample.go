package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// MaxTopLogprobs is the row length of Samples.TopIDs and TopLogprobs.
const MaxTopLogprobs = 20

// SamplingBytes is the size of a rule in Samples.Rules. A rule is a backend.Sampling as Go lays it out on 64-bit
// machines: Temperature f32 at 0, TopK i32 at 4, TopP f32 at 8, MinP f32 at 12, Repetition f32 at 16, Presence f32 at
// 20, Frequency f32 at 24, Seed u64 at 32, Prompt i32 at 40, Logprobs i32 at 44, Bias [2]i32 at 48, Mask i32 at 56.
const SamplingBytes = 64

// Samples is a batch of S rows to sample, all of it on the device.
type Samples struct {
	Logits tensor.View // [S,V] f32; bias and penalties are put in place
	Rules  tensor.View // [S,SamplingBytes] u8
	Owner  tensor.View // [S] i32, the row's request: an index into Rows and Context

	Rows    tensor.View // [B] i32 rows of Pool; negative for padding, which writes nothing there
	Context tensor.View // [B] i32, the position whose token is drawn
	Bias    tensor.View // [any,2] i32: token id and the bits of an f32, as backend.Bias lies in memory
	Masks   tensor.View // [any,(V+31)/32] i32
	Pool    tensor.View // [Rows,MaxContext] i32 token ids; positions before Context are read for penalties, Context is written

	IDs         tensor.View // [S] i32
	Logprobs    tensor.View // [S] f32
	TopIDs      tensor.View // [S,MaxTopLogprobs] i32
	TopLogprobs tensor.View // [S,MaxTopLogprobs] f32

	Work   tensor.View  // u8, SampleWork(Limits) bytes, 256-byte aligned, zero before the first launch
	Limits SampleLimits // what Work was made for
}

// Need says what some row of a batch asks for. What no row needs may be left out; what a row needs and is left out
// leaves that row's result undefined. A graph that serves every batch has all.
type Need uint8

const (
	NeedLogprobs Need = 1 << iota // a rule has Logprobs >= 0
	NeedEdits                     // a rule has biases or penalties
	NeedSelect                    // a rule has top-k, top-p or min-p and a temperature
)

type samples struct {
	Logits, Rules, Owner, Rows, Context, Bias, Masks, Pool uintptr
	IDs, Logprobs, TopIDs, TopLogprobs                     uintptr
	LSE, Groups, Best, Arrived, Counts, PoolRaw, BiasRaw   uintptr
	Stride, PoolStride                                     int64
	Vocab                                                  int32
}

type sampleArgs struct{ S samples }

type selectArgs struct {
	S       samples
	Threads int32
}

type bestArgs struct {
	S      samples
	Host   uintptr
	N, Far int32
}

type sampleKernels struct {
	logprobs, edit, draw kernel[sampleArgs]
	choose               kernel[selectArgs]
	best                 kernel[bestArgs]
}

// As in src/sample.cuh and src/sample.cu.
const (
	sampleGroups    = 4096
	drawThreads     = 256
	selectThreads   = 512
	selectShared    = 4096*8 + 2*2048*4 + 4*4 + 4*8
	bigBlock        = 1024
	drawBlocksPerSM = 3
)

func (a *sampleKernels) declare(k *Kernels) {
	a.logprobs.declare(k, "sample", "sample_logprobs", 0)
	a.edit.declare(k, "sample", "sample_edit", 0)
	a.draw.declare(k, "sample", "sample_draw", 0)
	a.choose.declare(k, "sample", "sample_select", selectShared)
	a.best.declare(k, "sample", "sample_best", 0)
}

// Sample enqueues the choice of each row's next token: at most four launches. Its id goes to IDs and to the pool, its
// log-probability and the likeliest tokens where the rule asks. A row that holds NaN or +Inf, or in which nothing is
// above -Inf, gets id -1 and writes nothing to the pool.
//
// Ids are the same bits on every backend, alone or in a batch. All float arithmetic is f32 with every operation rounded
// by itself, sums are of integers:
//
//  1. l = logit; for each of the row's biases in order with this id, l += value.
//  2. If the id occurs at pool positions [0,Context) and Repetition is neither 0 nor 1: l = l>0 ? l/Repetition :
//     l·Repetition. If it occurs n > 0 times at [Prompt,Context): l -= Frequency·n, then l -= Presence.
//  3. A clear mask bit makes l -Inf.
//  4. Temperature < 1e-5: the largest l, the lowest id of equals. Else z = l·inv, inv = 1/Temperature rounded once.
//  5. In the order (z descending, id ascending), without -Inf: top-k keeps the first TopK, if 0 < TopK < V.
//     w = e^(z-zmax) by exp_of, W = w·2^31 truncated. Top-p, if TopP < 1, keeps the shortest non-empty prefix whose W
//     sum to ceil(TopP·total) or more, the product in f64, total over what top-k kept. Min-p keeps w >= MinP.
//  6. The largest z + gumbel(r) of what is kept, the lowest id of equals; r is word id%4 of Philox4x32-10 with counter
//     {id/4, Context, 0, 0} and key {low, high} halves of Seed.
//
// exp_of, gumbel and their logarithm are the functions of src/sample.cuh, operation by operation.
// Log-probabilities are of the logits before step 1, f32, good to 1e-4.
//
// Kernels: src/sample.cu (Gumbel-max: Maddison et al. 2014, arXiv:1411.0030). Oracle: cpu.Sample.
func (k *Kernels) Sample(s driver.Stream, b Samples, need Need) error {
	n, err := b.check()
	if err != nil || n == 0 {
		return err
	}
	a := b.args()
	row := driver.Dim{X: n}
	blocks := drawBlocks(n, k.SMs())
	if need&NeedLogprobs != 0 {
		err = k.sample.logprobs.launch(s, row, driver.Dim{X: bigBlock}, sampleArgs{a})
	}
	if err == nil && need&NeedEdits != 0 {
		err = k.sample.edit.launch(s, row, driver.Dim{X: bigBlock}, sampleArgs{a})
	}
	if err == nil {
		err = k.sample.draw.launch(s, driver.Dim{X: blocks, Y: n}, driver.Dim{X: drawThreads}, sampleArgs{a})
	}
	if err == nil && need&NeedSelect != 0 {
		err = k.sample.choose.launch(s, row, driver.Dim{X: selectThreads}, selectArgs{a, int32(blocks * drawThreads)})
	}
	return err
}

// drawBlocks is how many blocks share a row in sample_draw, whose threads are the groups of sample_select: such that all run
// at once where rows are few enough, for those that come later would take as long again.
func drawBlocks(rows, sms int) int {
	return min(max(drawBlocksPerSM*sms/rows, drawBlocksPerSM), sampleGroups/drawThreads)
}

// SampleLimits bound every batch that uses a workspace.
type SampleLimits struct {
	Samples    int // S
	Vocab      int // V, at most 2^30
	MaxContext int // the pool's row
	Biases     int // of all rows together
}

// SampleWork is the bytes of Samples.Work, most of them a count for each of the S·V logits.
func SampleWork(l SampleLimits) int64 { return l.offsets()[len(l.offsets())-1] }

// offsets are where the parts of the workspace begin, and its end.
func (l SampleLimits) offsets() (at [8]int64) {
	s := int64(l.Samples)
	parts := [...]int64{4 * s, 4 * sampleGroups * s, 8 * s, 4 * s, 4 * s * int64(l.Vocab), 4 * s * int64(l.MaxContext), 4 * int64(l.Biases)}
	for i, n := range parts {
		at[i+1] = at[i] + (n+255)&^255
	}
	return at
}

func (b *Samples) check() (n int, err error) {
	c := tensor.Checking("sample")
	c.Want("logits", b.Logits, tensor.F32, "S", "V").Want("owner", b.Owner, tensor.I32, "S")
	c.Want("rows", b.Rows, tensor.I32, "B").Want("context", b.Context, tensor.I32, "B").Want("pool", b.Pool, tensor.I32, "Rows", "MaxContext")
	c.Want("ids", b.IDs, tensor.I32, "S").Want("logprobs", b.Logprobs, tensor.F32, "S")
	c.Want("top_ids", b.TopIDs, tensor.I32, "S", "top").Want("top_logprobs", b.TopLogprobs, tensor.F32, "S", "top")
	c.Contiguous("top_ids", b.TopIDs).Contiguous("top_logprobs", b.TopLogprobs)
	c.Max("S", b.Limits.Samples).Max("V", b.Limits.Vocab).Max("MaxContext", b.Limits.MaxContext)
	if err := c.Err(); err != nil {
		return 0, err
	}
	n = c.Dim("S")
	words := (c.Dim("V") + 31) / 32
	bad := func(operand string, v tensor.View, want string, a ...any) (int, error) {
		return 0, &tensor.ShapeError{Op: "sample", Operand: operand, Got: v.String(), Want: fmt.Sprintf(want, a...)}
	}
	switch {
	case b.TopIDs.Dim[1] != MaxTopLogprobs:
		return bad("top_ids", b.TopIDs, "i32[%d,%d]", n, MaxTopLogprobs)
	case b.Rules.Bytes() != int64(n*SamplingBytes):
		return bad("rules", b.Rules, "%d bytes", n*SamplingBytes)
	case b.Bias.Dim[0] > b.Limits.Biases:
		return bad("bias", b.Bias, "i32[%d,2] at most", b.Limits.Biases)
	case b.Masks.Rank > 0 && b.Masks.Dim[1] != words:
		return bad("masks", b.Masks, "i32[n,%d]", words)
	case b.Work.Bytes() < SampleWork(b.Limits) || b.Work.Ptr%256 != 0:
		return bad("work", b.Work, "%d bytes, 256-byte aligned", SampleWork(b.Limits))
	}
	return n, nil
}

func (b *Samples) args() samples {
	work := func(part int) uintptr { return b.Work.Ptr + uintptr(b.Limits.offsets()[part]) }
	return samples{
		b.Logits.Ptr, b.Rules.Ptr, b.Owner.Ptr, b.Rows.Ptr, b.Context.Ptr, b.Bias.Ptr, b.Masks.Ptr, b.Pool.Ptr,
		b.IDs.Ptr, b.Logprobs.Ptr, b.TopIDs.Ptr, b.TopLogprobs.Ptr,
		work(0), work(1), work(2), work(3), work(4), work(5), work(6),
		int64(b.Logits.Stride), int64(b.Pool.Stride), int32(b.Logits.Dim[1]),
	}
}
