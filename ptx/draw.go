package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// drawArgs mirrors HOPPER_PARAMS of src/linear_sm90.cuh and DRAW_PARAMS of src/draw_sm90.cuh.
type drawArgs struct {
	hopperArgs
	Rules, Owner, Context, Best uintptr
}

// What the draw of one token takes of shared memory, and how many fit where the other epilogues of GEMM have places for stores.
const (
	drawBytes = 24
	mostDrawn = 4 * 8192 / 32
)

// drawTile picks the kernel that draws with the logits of m tokens, the one that Logits would run by, or nil where none does.
func (k *Kernels) drawTile(x, w tensor.View, m, n, depth int) *hopperTile {
	t := k.hopperTile(logits, x, w, tensor.View{}, m, n, depth)
	if t == nil || t.swapped && m > t.rows || !t.skinny && m > mostDrawn {
		return nil
	}
	return t
}

// DrawsLogits reports whether DrawLogits takes x [S,K] and w [V,K]: on Hopper, where a kernel of sm_90a makes the logits.
func (k *Kernels) DrawsLogits(x, w tensor.View) bool {
	return x.Rank == 2 && w.Rank == 2 && x.Dim[1] == w.Dim[1] && x.Dim[1]%8 == 0 && x.Dim[0] > 0 && w.Dim[0] > 0 &&
		x.Contiguous() && w.Contiguous() && k.drawTile(x, w, x.Dim[0], w.Dim[0], x.Dim[1]) != nil
}

// DrawLogits enqueues Logits and then Sample without a Need, in two launches, with no logits in memory: the kernel that makes
// them draws, and a small one writes the tokens. b.Logits stands for a shape alone, and the ids are the same bits. No row may
// have a mask, or ask for what Need names. All log-probabilities are 0.
//
//	x [S,K] bf16    w [V,K] bf16; contiguous    b as for Sample, b.Logits [S,V] without memory
//
// A host that is not 0 is pinned memory which takes ids at word 0 and log-probabilities at word far, as StepEnd would copy them.
// DrawsLogits tells which x and w it takes. Kernels: src/gemm_*_sm90.cu, swap_*_sm90.cu, skinny_*_sm90.cu with draw_sm90.cuh;
// src/sample.cu. Oracle: cpu.Logits, cpu.Sample.
func (k *Kernels) DrawLogits(s driver.Stream, b Samples, x, w tensor.View, scale, softcap float32, host uintptr, far int) error {
	rows, err := b.check()
	c := tensor.Checking("draw_logits")
	c.Want("x", x, tensor.BF16, "S", "K").Want("w", w, tensor.BF16, "V", "K").Want("logits", b.Logits, tensor.F32, "S", "V")
	c.Contiguous("x", x).Contiguous("w", w).Multiple("K", 8)
	if err == nil {
		err = c.Err()
	}
	if err != nil || rows == 0 {
		return err
	}
	m, n, depth := c.Dim("S"), c.Dim("V"), c.Dim("K")
	t := k.drawTile(x, w, m, n, depth)
	if t == nil {
		return fmt.Errorf("cannot draw with the logits of x %s and w %s: no kernel of sm_90a takes them", x, w)
	}
	a := hopperArgs{M: int32(m), N: int32(n), K: int32(depth), Scale: scale, Softcap: softcap}
	l, err := k.hopperLaunch(s, t, logits, tensor.View{}, x, w, &a)
	if err != nil {
		return err
	}
	p := b.args()
	if err := t.draw.enqueue(l, drawArgs{a, p.Rules, p.Owner, p.Context, p.Best}); err != nil {
		return err
	}
	return k.sample.drawn.launch(s, driver.Dim{X: ceilDiv(rows, 256)}, driver.Dim{X: 256}, drawnArgs{p, host, int32(rows), int32(far)})
}
