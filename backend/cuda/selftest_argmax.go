package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// argmax takes the largest of the logits by what is forced, where it can: those that the same kernel writes.
func (t *selfTest) argmax(m, n, k int) error {
	x, w := t.random(t.elem(), m, k), t.random(t.elem(), n, k)
	if !t.b.k.TakesArgmax(x.View, w.View) {
		return nil
	}
	y := t.poisoned(tensor.F32, m, n)
	order, context := make([]float32, m), make([]float32, m)
	for i := range order {
		order[i], context[i] = float32(i), float32(i%5)
	}
	b := t.samples(make([]backend.Sampling, m), ptx.SampleLimits{Samples: m, Vocab: n, MaxContext: 8, Biases: 1}, order, context, make([]float32, m*8))
	b.Logits = y.View
	err := t.b.k.Logits(t.b.stream, y.View, x.View, w.View, 0.05, 0)
	logits, failed := t.b.Get(y.View)
	if err = errors.Join(err, failed, t.err); err != nil {
		return err
	}
	ids := make([]float64, m)
	for i := range ids {
		ids[i] = float64(largest(logits[i*n:][:n]))
	}
	err = t.b.k.ArgmaxLogits(t.b.stream, b, x.View, w.View, 0.05, 0, 0, 0)
	if err = errors.Join(err, t.expect(b.IDs, ids, nil, 0)); err != nil {
		return fmt.Errorf("argmax M=%d N=%d K=%d: %w", m, n, k, err)
	}
	return nil
}

// samples are rows with rules, and results that are to be written.
func (t *selfTest) samples(rules []backend.Sampling, l ptx.SampleLimits, order, context, pool []float32) ptx.Samples {
	n := len(rules)
	rows := t.put(tensor.I32, order, n).View
	return ptx.Samples{
		Rules: tensor.Of(t.upload(bytesOf(rules)), tensor.U8, n, ptx.SamplingBytes), Owner: rows, Rows: rows,
		Context: t.put(tensor.I32, context, n).View, Bias: tensor.Of(t.upload(make([]byte, 8)), tensor.I32, 1, 2),
		Pool: t.put(tensor.I32, pool, n, l.MaxContext).View, IDs: t.poisoned(tensor.I32, n).View, Logprobs: t.poisoned(tensor.F32, n).View,
		TopIDs: t.poisoned(tensor.I32, n, ptx.MaxTopLogprobs).View, TopLogprobs: t.poisoned(tensor.F32, n, ptx.MaxTopLogprobs).View,
		Work: tensor.Of(t.upload(make([]byte, ptx.SampleWork(l))), tensor.U8, int(ptx.SampleWork(l))), Limits: l,
	}
}

// largest is the index of the largest, the first of equals.
func largest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
