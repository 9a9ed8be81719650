package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// argmaxArgs are those of HOPPER_PARAMS of src/linear_sm90.cuh, and where the ranks of the tokens meet.
type argmaxArgs struct {
	hopperArgs
	Ranks uintptr
}

// What the best of a token takes of shared memory, and how many fit where the other epilogues of GEMM have places for stores.
const (
	bestBytes = 8
	mostBest  = 4 * 8192 / bestBytes
)

// argmaxTile picks the kernel that takes the largest logits of m tokens, the one that Logits would run by, or nil where none does.
func (k *Kernels) argmaxTile(x, w tensor.View, m, n, depth int) *hopperTile {
	t := k.hopperTile(logits, x, w, tensor.View{}, m, n, depth)
	if t == nil || t.swapped && m > t.rows || !t.skinny && roundUp(m, t.rows*t.down) > mostBest {
		return nil
	}
	return t
}

// TakesArgmax reports whether ArgmaxLogits takes x [S,K] and w [V,K]: on Hopper, where a kernel of sm_90a makes the logits.
func (k *Kernels) TakesArgmax(x, w tensor.View) bool {
	return x.Rank == 2 && w.Rank == 2 && x.Dim[1] == w.Dim[1] && x.Dim[1]%8 == 0 && x.Dim[0] > 0 && w.Dim[0] > 0 &&
		x.Contiguous() && w.Contiguous() && k.argmaxTile(x, w, x.Dim[0], w.Dim[0], x.Dim[1]) != nil
}

// ArgmaxLogits enqueues Logits and then Sample of rows that are all greedy, in two launches, with no logits in memory: the kernel
// that makes them keeps the largest, and a small one writes the tokens. b.Logits stands for a shape alone; the ids are the same. No
// row may have a mask, a temperature or what Need names, and b.Rules is not used. All log-probabilities are 0.
//
//	x [S,K] bf16    w [V,K] bf16; contiguous    b as for Sample, b.Logits [S,V] without memory
//
// A host that is not 0 is pinned memory which takes ids at word 0 and log-probabilities at word far, as StepEnd would copy them.
// TakesArgmax tells which x and w it takes. Kernels: src/gemm_*_sm90.cu, swap_*_sm90.cu, skinny_*_sm90.cu with argmax_sm90.cuh;
// src/sample.cu. Oracle: cpu.Logits, cpu.Sample.
func (k *Kernels) ArgmaxLogits(s driver.Stream, b Samples, x, w tensor.View, scale, softcap float32, host uintptr, far int) error {
	rows, err := b.check()
	c := tensor.Checking("argmax_logits")
	c.Want("x", x, tensor.BF16, "S", "K").Want("w", w, tensor.BF16, "V", "K").Want("logits", b.Logits, tensor.F32, "S", "V")
	c.Contiguous("x", x).Contiguous("w", w).Multiple("K", 8)
	if err == nil {
		err = c.Err()
	}
	if err != nil || rows == 0 {
		return err
	}
	m, n, depth := c.Dim("S"), c.Dim("V"), c.Dim("K")
	t := k.argmaxTile(x, w, m, n, depth)
	if t == nil {
		return fmt.Errorf("cannot take the largest logits of x %s and w %s: no kernel of sm_90a takes them; use Logits and Sample", x, w)
	}
	a := hopperArgs{M: int32(m), N: int32(n), K: int32(depth), Scale: scale, Softcap: softcap}
	l, err := k.hopperLaunch(s, t, logits, tensor.View{}, x, w, &a)
	if err != nil {
		return err
	}
	p := b.args()
	if err := t.argmax.enqueue(l, argmaxArgs{a, p.Best}); err != nil {
		return err
	}
	return k.sample.best.launch(s, driver.Dim{X: ceilDiv(rows, 256)}, driver.Dim{X: 256}, bestArgs{p, host, int32(rows), int32(far)})
}
