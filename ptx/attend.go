package ptx

import (
	"fmt"
	"math"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// KV is one layer's cache: K and V [KVHeads,Slots,D] bf16, and Pages [Rows,MaxContext] i32, the slot of each position
// of each row.
type KV struct {
	K, V, Pages tensor.View
}

// Requests are a batch's: Rows [B], Start [B+1], Context [B] i32 as in backend.Step. The first Decodes of the B compute
// one token each, of Tokens in all. A request with a context of 0 or a row below 0 is padding.
type Requests struct {
	Rows, Start, Context tensor.View
	Tokens, Decodes      int
}

// Scores say what becomes of q·k: softcap·tanh(scale·q·k/softcap), or scale·q·k when Softcap is 0. Window is how many
// keys a query sees, itself included; 0 for all before it.
type Scores struct {
	Scale, Softcap float32
	Window         int
}

type kvArgs struct {
	K, V, Pages       uintptr
	Slots, PageStride int64
}

type scoreArgs struct {
	Scale, Softcap float32
	Window         int32
}

type prefillArgs struct {
	Out, Q                          uintptr
	Cache                           kvArgs
	Rows, Start, Context            uintptr
	First, Requests, KVHeads, Group int32
	QStride, OutStride              int64
	Scores                          scoreArgs
}

// headDims are the head sizes that have kernels.
var headDims = [...]int{64, 96, 128, 256}

type hopperAttendArgs struct {
	KMap, VMap driver.TensorMap
	Out, Q     uintptr
	Cache      kvArgs
	Problem    hopperProblem
	Scores     scoreArgs
	Spread     spreadArgs
}

type hopperProblem struct {
	Rows, Start, Context            uintptr
	First, Requests, KVHeads, Group int32
	QStride, OutStride              int32
	OfGroup, OfHeads                uint32 // what divides by Group and KVHeads
}

// spreadArgs say where the sums of a tile's spans meet, and of how many items.
type spreadArgs struct {
	Sums, Counters uintptr
	Room           int64
}

type attendKernels struct {
	prefill, soft [len(headDims)]kernel[prefillArgs]
	hopper        [len(headDims)]kernel[hopperAttendArgs] // head sizes 64 and 128
	decode        [len(headDims)][2]kernel[decodeArgs]    // for 8 and 16 query heads of a KV head; D = 256 for 8 alone
	halves        [len(headDims)]kernel[halfArgs]         // head sizes 64 and 128, at most 8 query heads
	few           [len(headDims)]kernel[fewArgs]          // the same, and few requests
	forced        string                                  // the variant of prefill that tests ask for
	forcedDecode  string                                  // and of decode
}

func (a *attendKernels) declare(k *Kernels) {
	for i, d := range headDims {
		a.prefill[i].declare(k, "attend_prefill", fmt.Sprintf("attend_prefill_%d", d), prefillTile(d, false).shared(d))
		a.soft[i].declare(k, "attend_prefill", fmt.Sprintf("attend_prefill_soft_%d", d), prefillTile(d, true).shared(d))
		if prefillsOnHopper(d, 0) {
			a.hopper[i].declare(k, prefillHopper, fmt.Sprintf("attend_prefill_sm90_%d", d), hopperShared(d))
			a.hopper[i].overlap = true
		}
		for j := range decodeTiles(d) {
			a.decode[i][j].declare(k, "attend_decode", fmt.Sprintf("attend_decode_%d_%d", d, j+1), 0) // AttendDecode knows the chip
		}
		if decodesInHalves(d, 1) {
			a.halves[i].declare(k, decodeHopper, fmt.Sprintf("attend_decode_sm90_%d", d), 0)
			a.halves[i].overlap = true
			a.few[i].declare(k, decodeFew, fmt.Sprintf("attend_decode_few_sm90_%d", d), 0)
			a.few[i].overlap = true
		}
	}
}

// prefillPlain and prefillHopper are the files of the kernels of prefill attention.
const prefillPlain, prefillHopper = "attend_prefill", "attend_prefill_sm90"

// hopperRows are the rows of a tile of src/attend_prefill_sm90.cu, hopperConsumers the warp groups that multiply, hopperSpans the
// spans of tiles that are cut, at most, for a multiprocessor.
const hopperRows, hopperConsumers, hopperSpans = 128, 2, 4

// inverse is what the kernel multiplies by instead of a division by n, which is exact for numbers below 2^31 / n.
func inverse(n int) uint32 { return uint32(1<<31/n + 1) }

// prefillsOnHopper reports whether the kernel for Hopper takes heads of d and scores with that softcap.
func prefillsOnHopper(d int, softcap float32) bool { return (d == 128 || d == 64) && softcap == 0 }

// hopperShared holds queries, the keys and values of five steps of 128 dimensions, and the output, at the swizzle's alignment.
func hopperShared(d int) int { return (1+5*128/d+1)*hopperRows*2*d + 1024 }

// boxRows are the rows of a copy of the copy engine.
const boxRows = 16

// boxMaps describes K and V as rows of all heads.
func (k *Kernels) boxMaps(kv KV, describe func(*Kernels, tensor.View) (driver.TensorMap, error)) (maps [2]driver.TensorMap, err error) {
	for i, v := range [2]tensor.View{kv.K, kv.V} {
		if !k.Dry && err == nil {
			maps[i], err = describe(k, tensor.Of(v.Ptr, v.Type, v.Dim[0]*v.Dim[1], v.Dim[2]))
		}
	}
	return maps, err
}

// prefillBox and decodeBox describe boxes of 64 columns, and of whole rows.
func prefillBox(k *Kernels, v tensor.View) (driver.TensorMap, error) {
	return k.tileMap(v, boxRows, 64)
}
func decodeBox(k *Kernels, v tensor.View) (driver.TensorMap, error) { return k.halfMap(v, boxRows) }

// spreadOf cuts the scratch memory up as src/attend_prefill_sm90.cu does: each consumer of a span has a count, and D+8 floats
// for each of its 64 rows.
func (k *Kernels) spreadOf(d int) spreadArgs {
	if k.Steady {
		return spreadArgs{}
	}
	each := hopperConsumers * 128 * (d/8 + 1) * 4
	return spreadArgs{k.sums.ptr, k.counts.ptr, int64(min(k.sums.words/each, k.SMs()*hopperSpans))}
}

// decodePlain and decodeHopper are the files of the kernels of decode attention.
const decodePlain, decodeHopper, decodeFew = "attend_decode", "attend_decode_sm90", "attend_decode_few_sm90"

// attendVariants are the kernels of attention.
func (k *Kernels) attendVariants() []Variant {
	v := []Variant{{Op: "attend_prefill", Name: prefillPlain, Source: prefillPlain + ".cu", Arch: "sm_80", When: "always", Rows: 128}}
	if k.Hopper() {
		v = append(v, Variant{Op: "attend_prefill", Name: prefillHopper, Source: prefillHopper + ".cu", Arch: "sm_90a",
			When: "head size 64 or 128, no softcap", Rows: hopperRows})
	}
	v = append(v, Variant{Op: "attend_decode", Name: decodePlain, Source: decodePlain + ".cu", Arch: "sm_80", When: "always", Rows: 1})
	if k.Hopper() {
		v = append(v, Variant{Op: "attend_decode", Name: decodeHopper, Source: decodeHopper + ".cu", Arch: "sm_90a",
			When: "where kernels overlap: head size 64 or 128, at most 8 heads to a KV head and 512 requests", Rows: 1})
		v = append(v, Variant{Op: "attend_decode", Name: decodeFew, Source: decodeFew + ".cu", Arch: "sm_90a",
			When: fmt.Sprintf("there, at most %d requests, and three pairs of a request and a KV head for two multiprocessors", fewRequests), Rows: 1})
	}
	return v
}

// tile is what a block of a prefill kernel takes at once: rows of queries, keys. As Shape in src/attend_prefill.cu.
type tile struct{ rows, keys int }

func prefillTile(d int, soft bool) tile {
	t := tile{rows: 128, keys: 64}
	if d == 256 || soft && d == 128 {
		t.rows = 64
	}
	if d == 256 || soft && d == 96 {
		t.keys = 32
	}
	return t
}

func (t tile) shared(d int) int { return (t.rows + 2*t.keys) * rowPitch(d) }

// rowPitch is the distance of rows in shared memory, in bytes.
func rowPitch(d int) int { return 2*d + 16 }

// AttendPrefill enqueues out = softmax(scale·q·Kᵀ)·V, causal, for the tokens of the requests behind the first Decodes,
// whose keys are in the cache, new ones included.
//
//	q, out [T,Heads·D] bf16, rows 16-byte aligned, not overlapping    kv, r: see KV and Requests
//
// D is 64, 96, 128 or 256; Heads is a multiple of KVHeads. Rows of out that belong to no such request stay as they are.
// On Hopper it reads r and the pages before the kernel ahead has ended, as Kernels.Early says of decode attention.
// A few new tokens behind many cached ones keep the whole chip busy: tiles are cut by the keys, as the lengths of all requests
// in the batch and the room for sums have it, of which ReserveDecode makes more. The same batch gives the same bits again, and
// a graph may replay the launch for other lengths. If Steady, no tile is cut: a token is the same bits in every batch.
// Kernels: src/attend_prefill.cu (FlashAttention-2, Dao 2023, arXiv:2307.08691), src/attend_prefill_sm90.cu
// (FlashAttention-3, Shah et al. 2024, arXiv:2407.08608). Oracle: cpu.Attend.
func (k *Kernels) AttendPrefill(s driver.Stream, out, q tensor.View, kv KV, r Requests, f Scores) error {
	a, err := k.checkAttend("attend_prefill", out, q, kv, r)
	requests := r.Rows.Dim[0] - r.Decodes
	if err != nil || requests <= 0 || r.Tokens <= r.Decodes {
		return err
	}
	tokens := r.Tokens - r.Decodes
	// A request of n tokens has ceil(n·group/rows) tiles, all of them at most this; blocks find the true number.
	tiles := func(rows int) int { return tokens*a.group/rows + requests }
	able := k.Hopper() && prefillsOnHopper(a.d, f.Softcap) && tokens*a.group < 1<<31/a.group // as far as inverse is exact
	switch forced := k.attend.forced; {
	case forced == prefillHopper && !able:
		return fmt.Errorf("cannot run %s: head size %d, softcap %v, %d tokens", forced, a.d, f.Softcap, tokens)
	case able && forced != prefillPlain:
		maps, err := k.boxMaps(kv, prefillBox)
		if err != nil {
			return err
		}
		spread := k.spreadOf(a.d)
		blocks := min(k.SMs(), tiles(hopperRows/hopperConsumers)*a.kvHeads)
		if spread.Room > 0 { // tiles may be cut: every multiprocessor has work
			blocks = k.SMs()
		}
		return k.attend.hopper[a.kind].launch(s, driver.Dim{X: blocks}, driver.Dim{X: 128 * (1 + hopperConsumers)}, hopperAttendArgs{
			maps[0], maps[1], out.Ptr, q.Ptr, kv.args(),
			hopperProblem{r.Rows.Ptr, r.Start.Ptr, r.Context.Ptr, int32(r.Decodes), int32(r.Rows.Dim[0]), int32(a.kvHeads), int32(a.group), int32(q.Stride), int32(out.Stride), inverse(a.group), inverse(a.kvHeads)},
			f.args(), spread,
		})
	}
	fn := &k.attend.prefill[a.kind]
	if f.Softcap != 0 {
		fn = &k.attend.soft[a.kind]
	}
	rows := prefillTile(a.d, f.Softcap != 0).rows
	return fn.launch(s, driver.Dim{X: tiles(rows) * a.kvHeads}, driver.Dim{X: 128}, prefillArgs{
		out.Ptr, q.Ptr, kv.args(), r.Rows.Ptr, r.Start.Ptr, r.Context.Ptr,
		int32(r.Decodes), int32(r.Rows.Dim[0]), int32(a.kvHeads), int32(a.group), int64(q.Stride), int64(out.Stride), f.args(),
	})
}

func (c KV) args() kvArgs {
	return kvArgs{c.K.Ptr, c.V.Ptr, c.Pages.Ptr, int64(c.K.Dim[1]), int64(c.Pages.Stride)}
}

// args folds log2(e) in: the kernels' softmax works in powers of two.
func (f Scores) args() scoreArgs {
	if f.Softcap != 0 {
		return scoreArgs{f.Scale / f.Softcap, f.Softcap * math.Log2E, int32(f.Window)}
	}
	return scoreArgs{f.Scale * math.Log2E, 0, int32(f.Window)}
}

// attention is the shape of a checked call.
type attention struct{ kind, d, kvHeads, group int }

func (k *Kernels) checkAttend(op string, out, q tensor.View, kv KV, r Requests) (attention, error) {
	c := tensor.Checking(op)
	c.Want("k", kv.K, k.elem(), "KVHeads", "Slots", "D").Want("v", kv.V, k.elem(), "KVHeads", "Slots", "D")
	c.Want("pages", kv.Pages, tensor.I32, "Rows", "MaxContext").Contiguous("k", kv.K).Contiguous("v", kv.V)
	c.Want("q", q, k.elem(), "T", "Heads*D").Want("out", out, k.elem(), "T", "Heads*D").Multiple("Heads*D", c.Dim("KVHeads")*c.Dim("D"))
	c.Want("rows", r.Rows, tensor.I32, "B").Want("context", r.Context, tensor.I32, "B")
	if err := c.Err(); err != nil {
		return attention{}, err
	}
	a := attention{d: c.Dim("D"), kvHeads: c.Dim("KVHeads"), kind: -1}
	a.group = c.Dim("Heads*D") / (a.kvHeads * a.d)
	for i, d := range headDims {
		if d == a.d {
			a.kind = i
		}
	}
	bad := func(operand, got, want string) (attention, error) {
		return a, &tensor.ShapeError{Op: op, Operand: operand, Got: got, Want: want}
	}
	b := c.Dim("B")
	switch {
	case a.kind < 0:
		return bad("D", fmt.Sprint(a.d), fmt.Sprint("one of ", headDims))
	case r.Start.Type != tensor.I32 || r.Start.Rank != 1 || r.Start.Dim[0] != b+1:
		return bad("start", r.Start.String(), fmt.Sprintf("i32[%d]", b+1))
	case r.Decodes < 0 || r.Decodes > b:
		return bad("Decodes", fmt.Sprint(r.Decodes), fmt.Sprintf("at most %d requests", b))
	case r.Tokens < r.Decodes || r.Tokens > c.Dim("T"):
		return bad("Tokens", fmt.Sprint(r.Tokens), fmt.Sprintf("%d to %d", r.Decodes, c.Dim("T")))
	case (q.Ptr|out.Ptr|uintptr(2*q.Stride)|uintptr(2*out.Stride))%16 != 0:
		return bad("q or out", fmt.Sprintf("%s at %#x, %s at %#x", q, q.Ptr, out, out.Ptr), "rows 16-byte aligned")
	}
	return a, nil
}
