package cpu

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// NormHeads returns q of RopeStore(Linear(norm(res))), and the stream.
func (b *Backend) NormHeads(res backend.Residual, n backend.Norm, w, bias backend.Weight, a *backend.Attention, batch *backend.Batch) (q tensor.View, sum backend.Residual) {
	return backend.ComposeNormHeads(b, res, n, w, bias, a, batch)
}

// NormGated returns GatedLinear(norm(res)), and the stream.
func (b *Backend) NormGated(res backend.Residual, n backend.Norm, w backend.Weight, act backend.Activation) (y tensor.View, sum backend.Residual) {
	return backend.ComposeNormGated(b, res, n, w, act)
}

// AddLinear returns the stream with x·Wᵀ + bias to come.
func (b *Backend) AddLinear(res backend.Residual, x tensor.View, w, bias backend.Weight) backend.Residual {
	return backend.ComposeAddLinear(b, res, x, w, bias)
}
