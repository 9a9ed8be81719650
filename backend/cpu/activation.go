package cpu

import (
	"math"

	"github.com/weft-llm/weft/backend"
)

// activate replaces gate with act(gate)·up.
func activate(act backend.Activation, gate, up []float32) {
	up = up[:len(gate)]
	switch act {
	case backend.SiLU:
		for i, x := range gate {
			gate[i] = x / (1 + exp(-x)) * up[i]
		}
	case backend.GELU:
		for i, x := range gate {
			gate[i] = float32(0.5*float64(x)*math.Erfc(-float64(x)/math.Sqrt2)) * up[i]
		}
	case backend.GELUTanh:
		for i, x := range gate {
			// 0.5·x·(1+tanh(u)) = x / (1+exp(-2u))
			u := 0.7978845608 * (x + 0.044715*x*x*x)
			gate[i] = x / (1 + exp(-2*u)) * up[i]
		}
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
