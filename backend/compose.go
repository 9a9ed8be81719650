package backend

import "github.com/weft-llm/weft/tensor"

// This file makes the operations that stand for several of those several, for where no kernel does it in one.

// Normed returns the norm of the stream, and the stream with Next added.
func Normed(k Kernels, res Residual, n Norm) (y tensor.View, sum Residual) {
	switch {
	case res.Next.Rank > 0:
		y, sum.Sum = k.AddRMSNorm(res.Next, res.Sum, n.W, n.Eps)
	case n.W == nil:
		y, sum = res.Sum, res
	default:
		y, sum = k.RMSNorm(res.Sum, n.W, n.Eps), res
	}
	return y, sum
}

// ComposeNormHeads is Kernels.NormHeads by norm, projection and RopeStore.
func ComposeNormHeads(k Kernels, res Residual, n Norm, w, bias Weight, a *Attention, b *Batch) (q tensor.View, sum Residual) {
	x, sum := Normed(k, res, n)
	return k.RopeStore(k.Linear(x, w, bias), a, b), sum
}

// ComposeNormGated is Kernels.NormGated by norm and GatedLinear.
func ComposeNormGated(k Kernels, res Residual, n Norm, w Weight, act Activation) (y tensor.View, sum Residual) {
	x, sum := Normed(k, res, n)
	return k.GatedLinear(x, w, act), sum
}

// ComposeAddLinear is Kernels.AddLinear by Linear; the norm that follows adds.
func ComposeAddLinear(k Kernels, res Residual, x tensor.View, w, bias Weight) Residual {
	return res.Then(k, k.AllReduce(k.Linear(x, w, bias)))
}

// Last is the stream of the rows whose next token is sampled.
func (r Residual) Last(k Kernels, b *Batch) Residual {
	if r.Sum.Rank > 0 {
		r.Sum = k.Last(r.Sum, b)
	}
	if r.Next.Rank > 0 {
		r.Next = k.Last(r.Next, b)
	}
	return r
}

// Then returns the stream with x to come. What was to come before is added first.
func (r Residual) Then(k Kernels, x tensor.View) Residual {
	if r.Next.Rank > 0 {
		_, r = Normed(k, r, Norm{})
	}
	return Residual{Sum: r.Sum, Next: x}
}
