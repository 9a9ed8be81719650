package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// samplingClass is what the samples of a step need: a graph is recorded for each.
type samplingClass = ptx.Need

const (
	allNeeds        = ptx.NeedLogprobs | ptx.NeedEdits | ptx.NeedSelect
	chosen          = allNeeds + 1 // temperatures or masks alone: no need of Sample, but more than the largest of the logits
	samplingClasses = int(chosen) + 1
)

// leastTemperature is the least that is not greedy: see ptx.Kernels.Sample.
const leastTemperature = 1e-5

// classOf collects what rules ask for.
func classOf(rules []backend.Sampling) (need samplingClass, tops bool) {
	more := false
	for i := range rules {
		r := &rules[i]
		if r.Logprobs >= 0 {
			need |= ptx.NeedLogprobs
			tops = tops || r.Logprobs > 0
		}
		if r.Bias[1] > r.Bias[0] || r.Repetition != 0 && r.Repetition != 1 || r.Presence != 0 || r.Frequency != 0 {
			need |= ptx.NeedEdits
		}
		if r.Temperature > 0 && (r.TopK > 0 || r.TopP < 1 || r.MinP > 0) {
			need |= ptx.NeedSelect
		}
		more = more || r.Mask > 0 || r.Temperature >= leastTemperature
	}
	if need == 0 && more {
		need = chosen
	}
	return need, tops
}

// sampler is the workspace of sampling.
type sampler struct {
	work   tensor.View
	limits ptx.SampleLimits
}

// planSampler sizes the workspace; its kernels are loaded with the first of the measured batches.
func (b *Backend) planSampler() {
	b.sampler.limits = ptx.SampleLimits{
		Samples: b.rows, Vocab: b.limits.Vocab, MaxContext: b.limits.MaxContext + 1, Biases: b.limits.Requests * biasPerRequest,
	}
	b.sampler.work = tensor.Of(0, tensor.U8, int(ptx.SampleWork(b.sampler.limits)))
}

// reserveSampler takes the workspace, zeroed.
func (b *Backend) reserveSampler() (err error) {
	w := &b.sampler.work
	if w.Ptr, err = b.memory.device(w.Bytes()); err != nil {
		return err
	}
	return driver.Memset8(b.stream, w.Ptr, 0, w.Bytes())
}

// sample enqueues the choice of a token for each row of logits.
func (b *Backend) sample(s shape, batch *backend.Batch, logits tensor.View, need samplingClass) error {
	return b.k.Sample(b.stream, b.samples(s, batch, logits), need&allNeeds)
}

// samples are the rows of logits with what is asked of them.
func (b *Backend) samples(s shape, batch *backend.Batch, logits tensor.View) ptx.Samples {
	_, pool := b.tables()
	r, base, l := &b.results, b.inputs.packed, s.layout()
	return ptx.Samples{
		Logits: logits,
		Rules:  tensor.Of(base+uintptr(4*l.sampling), tensor.U8, s.samples, ptx.SamplingBytes),
		Owner:  tensor.Of(base+uintptr(4*l.owner), tensor.I32, s.samples),
		Rows:   batch.Rows, Context: batch.Context,
		Bias:  tensor.Of(b.inputs.bias, tensor.I32, b.limits.Requests*biasPerRequest, 2),
		Masks: tensor.Of(b.inputs.masks, tensor.I32, b.limits.Requests, b.maskWords()),
		Pool:  pool,
		IDs:   cut(r.ids, s.samples), Logprobs: cut(r.logprobs, s.samples),
		TopIDs: cut(r.topIDs, s.samples), TopLogprobs: cut(r.topLogprobs, s.samples),
		Work: b.sampler.work, Limits: b.sampler.limits,
	}
}
