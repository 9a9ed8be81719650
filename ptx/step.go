package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

type stepKernels struct {
	tokens kernel[stepTokensArgs]
	cached kernel[stepCachedArgs]
	begin  kernel[stepBeginArgs]
	end    kernel[stepEndArgs]
}

type stepTokensArgs struct {
	IDs, Pos, Slots, Rows, Start, Pages, Tokens uintptr
	T, Requests, Columns                        int32
}

type stepCachedArgs struct {
	Cached, Pages, Tokens uintptr
	N, Columns            int32
}

type stepBeginArgs struct {
	Packed, Host, Pages, Tokens         uintptr
	Words, T, Pos, Slots, Rows, Columns int32
}

type stepEndArgs struct {
	Out, Results uintptr
	Words        int32
}

func (p *stepKernels) declare(k *Kernels) {
	p.tokens.declare(k, "step", "step_tokens", 0)
	p.cached.declare(k, "step", "step_cached", 0)
	p.begin.declare(k, "step", "step_begin", 0)
	p.end.declare(k, "step", "step_end", 0)
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

// StepInputs says where the arrays of a decode step of T requests lie in its packed inputs, in words; ids come first.
type StepInputs struct{ T, Pos, Slots, Rows int }

// StepBegin enqueues, on s, the copy of a decode step's inputs from host, pinned memory, to packed [W] i32, and the books
// as StepTokens keeps them, in one launch: a graph holds nothing that takes longer to start. Kernel: src/step.cu.
func (k *Kernels) StepBegin(s driver.Stream, packed tensor.View, host uintptr, in StepInputs, pages, tokens tensor.View) error {
	c := tensor.Checking("step_begin")
	c.Want("packed", packed, tensor.I32, "W").Want("pages", pages, tensor.I32, "R", "C").Want("tokens", tokens, tensor.I32, "R", "C")
	c.Contiguous("pages", pages).Contiguous("tokens", tokens)
	if err := c.Err(); err != nil || c.Dim("W") == 0 {
		return err
	}
	if last := max(in.Pos, in.Slots, in.Rows) + in.T; last > c.Dim("W") {
		return &tensor.ShapeError{Op: "step_begin", Operand: "packed", Got: packed.String(), Want: fmt.Sprintf("%d words or more", last)}
	}
	return k.step.begin.launch(s, driver.Dim{X: ceilDiv(c.Dim("W"), 256)}, driver.Dim{X: 256}, stepBeginArgs{
		packed.Ptr, host, pages.Ptr, tokens.Ptr,
		int32(c.Dim("W")), int32(in.T), int32(in.Pos), int32(in.Slots), int32(in.Rows), int32(c.Dim("C"))})
}

// StepEnd enqueues, on s, the copy of words 32-bit words from results to out, pinned memory.
func (k *Kernels) StepEnd(s driver.Stream, out uintptr, results driver.DevicePtr, words int) error {
	if words == 0 {
		return nil
	}
	return k.step.end.launch(s, driver.Dim{X: ceilDiv(words, 256)}, driver.Dim{X: 256}, stepEndArgs{out, results, int32(words)})
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
