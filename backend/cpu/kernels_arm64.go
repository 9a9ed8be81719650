package cpu

import "github.com/weft-llm/weft/tensor"

// detect returns the fastest kernels that this machine runs.
func detect() *kernels { return neon() }

// available returns the kernels that this machine runs, the fastest last. Every arm64 processor that Go runs on has
// NEON; its extensions are not used. The assembly was checked under emulation (qemu), not timed on hardware.
func available() []*kernels { return []*kernels{plain(), neon()} }

// neon returns plain's kernels with those that are in assembly replaced.
func neon() *kernels {
	k := plain()
	k.name, k.nr = "neon", 3
	k.tile = [maxTile + 1]tileFn{1: tile1NEON, 2: tile2NEON, 4: tile4NEON}
	k.mix, k.mix16, k.mixAt = mix16NEON, mix16NEON, 16
	k.expSum, k.gate = expSumNEON, gateNEON
	k.max, k.index = maxNEON, indexNEON
	k.deq = map[tensor.DType]func([]float32, []byte){
		tensor.Q4_0: dequantiseQ4_0NEON,
		tensor.Q4_1: dequantiseQ4_1NEON,
		tensor.Q8_0: dequantiseQ8_0NEON,
		tensor.F16:  dequantiseF16NEON,
		tensor.BF16: dequantiseBF16NEON,
	}
	k.dots = map[tensor.DType]dotFn{
		tensor.F32:    dotF32NEON,
		tensor.F16:    dotF16NEON,
		tensor.BF16:   dotBF16NEON,
		tensor.Q8_0:   dotQ8_0NEON,
		tensor.Q4_0:   dotQ4_0NEON,
		tensor.Q4_1:   dotQ4_1NEON,
		tensor.Q5_0:   dotQ5_0NEON,
		tensor.Q5_1:   dotQ5_1NEON,
		tensor.Q2_K:   dotQ2_KNEON,
		tensor.Q3_K:   dotQ3_KNEON,
		tensor.Q4_K:   dotQ4_KNEON,
		tensor.Q5_K:   dotQ5_KNEON,
		tensor.Q6_K:   dotQ6_KNEON,
		tensor.IQ4_NL: dotIQ4_NLNEON,
		tensor.IQ4_XS: dotIQ4_XSNEON,
	}
	return k
}

// expand sets dst[i] = codes[i]·scale[i/16] - minimum[i/16]. len(dst) is a multiple of 16.
func expand(dst []float32, codes []uint64, scale, minimum []float32) {
	expandNEON(&dst[0], &codes[0], &scale[0], &minimum[0], len(dst))
}

//go:noescape
func expandNEON(dst *float32, codes *uint64, scale, minimum *float32, n int)

// spin waits some tens of cycles.
//
//go:noescape
func spin()

//go:noescape
func tile1NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile2NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile4NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func mix16NEON(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)

//go:noescape
func expSumNEON(p *float32, n int, top float32) float32

//go:noescape
func gateNEON(gate, arg, up *float32, n int)

//go:noescape
func maxNEON(p *float32, n int) float32

//go:noescape
func indexNEON(p *float32, n int, v float32) int

//go:noescape
func dequantiseQ4_0NEON(dst []float32, src []byte)

//go:noescape
func dequantiseQ4_1NEON(dst []float32, src []byte)

//go:noescape
func dequantiseQ8_0NEON(dst []float32, src []byte)

//go:noescape
func dequantiseF16NEON(dst []float32, src []byte)

//go:noescape
func dequantiseBF16NEON(dst []float32, src []byte)

//go:noescape
func dotF32NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotF16NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotBF16NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ8_0NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_0NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_1NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_0NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_1NEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ2_KNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ3_KNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_KNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_KNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ6_KNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_NLNEON(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_XSNEON(out, x *float32, w *byte, ldw, k int)
