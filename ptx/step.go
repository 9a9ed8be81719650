package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type stepKernels struct {
	tokens kernel[stepTokensArgs]
	cached kernel[stepCachedArgs]
}

type stepTokensArgs struct {
	IDs, Pos, Slots, Rows, Start, Pages, Tokens uintptr
	T, Requests, Columns                        int32
}

type stepCachedArgs struct {
	Cached, Pages, Tokens uintptr
	N, Columns            int32
}

func (p *stepKernels) declare(k *Kernels) {
	p.tokens.declare(k, "step", "step_tokens", 0)
	p.cached.declare(k, "step", "step_cached", 0)
}

// StepTokens enqueues the books of a step's own tokens: for token t of request b, pages[rows[b],pos[t]] = slots[t], and
// the token pool takes ids[t], or gives it where ids[t] is negative.
//
//	ids, pos, slots [T] i32    rows [B], start [B+1] i32: request b has tokens start[b] to start[b+1]
//	pages, tokens [R,C] i32, C beyond every position
//
// No two tokens share a row and position. Kernel: src/step.cu.
func (k *Kernels) StepTokens(s driver.Stream, ids, pos, slots, rows, start, pages, tokens tensor.View) error {
	c := tensor.Checking("step_tokens")
	c.Want("ids", ids, tensor.I32, "T").Want("pos", pos, tensor.I32, "T").Want("slots", slots, tensor.I32, "T")
	c.Want("rows", rows, tensor.I32, "B").Want("start", start, tensor.I32, "B+1")
	c.Want("pages", pages, tensor.I32, "R", "C").Want("tokens", tokens, tensor.I32, "R", "C")
	c.Contiguous("pages", pages).Contiguous("tokens", tokens)
	if err := c.Err(); err != nil || c.Dim("T") == 0 {
		return err
	}
	return k.step.tokens.launch(s, driver.Dim{X: ceilDiv(c.Dim("T"), 256)}, driver.Dim{X: 256}, stepTokensArgs{
		ids.Ptr, pos.Ptr, slots.Ptr, rows.Ptr, start.Ptr, pages.Ptr, tokens.Ptr,
		int32(c.Dim("T")), int32(c.Dim("B")), int32(c.Dim("C"))})
}

// StepCached enqueues pages[row,pos] = slot and tokens[row,pos] = id for every entry (row, pos, slot, id) of cached.
//
//	cached [N,4] i32, 16-byte aligned    pages, tokens [R,C] i32
//
// Kernel: src/step.cu.
func (k *Kernels) StepCached(s driver.Stream, cached, pages, tokens tensor.View) error {
	c := tensor.Checking("step_cached")
	c.Want("cached", cached, tensor.I32, "N", "4").Want("pages", pages, tensor.I32, "R", "C").Want("tokens", tokens, tensor.I32, "R", "C")
	c.Contiguous("pages", pages).Contiguous("tokens", tokens).Max("4", 4).Multiple("4", 4)
	if err := c.Err(); err != nil || c.Dim("N") == 0 {
		return err
	}
	return k.step.cached.launch(s, driver.Dim{X: ceilDiv(c.Dim("N"), 256)}, driver.Dim{X: 256},
		stepCachedArgs{cached.Ptr, pages.Ptr, tokens.Ptr, int32(c.Dim("N")), int32(c.Dim("C"))})
}
