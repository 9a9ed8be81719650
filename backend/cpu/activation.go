package cpu

import (
	"math"

	"github.com/weft-llm/weft/backend"
)

// activate replaces gate with act(gate)·up. arg is scratch of the same length.
func (k *kernels) activate(act backend.Activation, gate, up, arg []float32) {
	switch act {
	case backend.SiLU:
		k.gated(gate, gate, up)
	case backend.GELUTanh:
		arg = arg[:len(gate)]
		for i, x := range gate {
			arg[i] = 1.5957691216 * (x + 0.044715*x*x*x) // x·(1+tanh(u))/2 = x/(1+e^(-2u))
		}
		k.gated(gate, arg, up)
	case backend.GELU:
		for i, x := range gate {
			gate[i] = float32(0.5*float64(x)*math.Erfc(-float64(x)/math.Sqrt2)) * up[i]
		}
	}
}

// gated replaces gate with gate / (1+e^-arg) · up.
func (k *kernels) gated(gate, arg, up []float32) {
	n := len(gate) &^ (vector - 1)
	if n > 0 {
		k.gate(&gate[0], &arg[0], &up[0], n)
	}
	if n < len(gate) {
		gateGo(&gate[n], &arg[n], &up[n], len(gate)-n)
	}
}

// exp is e^x in float32, about 2 ulp: the range reduction and polynomial of Cephes' expf.
func exp(x float32) float32 {
	if x > 88.7 {
		return float32(math.Inf(1))
	}
	if !(x > -87) {
		if x != x {
			return x
		}
		return 0
	}
	n := float32(math.Floor(float64(x*1.44269504 + 0.5)))
	r := x - n*0.693359375 + n*2.12194440e-4
	p := float32(1.9875691500e-4)
	p = p*r + 1.3981999507e-3
	p = p*r + 8.3334519073e-3
	p = p*r + 4.1665795894e-2
	p = p*r + 1.6666665459e-1
	p = p*r + 5.0000001201e-1
	y := p*r*r + r + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}
