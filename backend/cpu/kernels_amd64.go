package cpu

import (
	"golang.org/x/sys/cpu"

	"github.com/weft-llm/weft/tensor"
)

// detect returns the fastest kernels that this machine runs.
func detect() *kernels {
	all := available()
	return all[len(all)-1]
}

// available returns the kernels that this machine runs, the fastest last.
func available() []*kernels {
	all := []*kernels{plain()}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2 { // every processor with these has F16C
		all = append(all, avx2())
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		all = append(all, avx512())
	}
	return all
}

func avx2() *kernels {
	return &kernels{
		name:   "avx2",
		nr:     3,
		tile:   [maxTile + 1]tileFn{1: tile1AVX2, 2: tile2AVX2},
		mix:    mix16AVX2,
		mixAt:  16,
		mix16:  mix16AVX2,
		expSum: expSumAVX2,
		gate:   gateAVX2,
		max:    maxAVX2,
		index:  indexAVX2,
		deq: map[tensor.DType]func([]float32, []byte){
			tensor.Q4_0: dequantiseQ4_0AVX2,
			tensor.Q4_1: dequantiseQ4_1AVX2,
			tensor.Q8_0: dequantiseQ8_0AVX2,
			tensor.F16:  dequantiseF16AVX2,
			tensor.BF16: dequantiseBF16AVX2,
		},
		dots: map[tensor.DType]dotFn{
			tensor.F32:    dotF32AVX2,
			tensor.F16:    dotF16AVX2,
			tensor.BF16:   dotBF16AVX2,
			tensor.Q4_0:   dotQ4_0AVX2,
			tensor.Q4_1:   dotQ4_1AVX2,
			tensor.Q8_0:   dotQ8_0AVX2,
			tensor.Q5_0:   dotQ5_0AVX2,
			tensor.Q5_1:   dotQ5_1AVX2,
			tensor.IQ4_NL: dotIQ4_NLAVX2,
			tensor.Q2_K:   dotQ2_KAVX2,
			tensor.Q3_K:   dotQ3_KAVX2,
			tensor.Q4_K:   dotQ4_KAVX2,
			tensor.Q5_K:   dotQ5_KAVX2,
			tensor.Q6_K:   dotQ6_KAVX2,
			tensor.IQ4_XS: dotIQ4_XSAVX2,
		},
	}
}

func avx512() *kernels {
	return &kernels{
		name:   "avx512",
		nr:     6,
		tile:   [maxTile + 1]tileFn{1: tile1AVX512, 2: tile2AVX512, 4: tile4AVX512},
		mix:    mix64AVX512,
		mixAt:  64,
		mix16:  mix16AVX2,
		expSum: expSumAVX2,
		gate:   gateAVX2,
		max:    maxAVX2,
		index:  indexAVX2,
		deq: map[tensor.DType]func([]float32, []byte){
			tensor.Q4_0: dequantiseQ4_0AVX512,
			tensor.Q4_1: dequantiseQ4_1AVX512,
			tensor.Q8_0: dequantiseQ8_0AVX512,
			tensor.F16:  dequantiseF16AVX512,
			tensor.BF16: dequantiseBF16AVX512,
		},
		dots: map[tensor.DType]dotFn{
			tensor.F32:    dotF32AVX512,
			tensor.F16:    dotF16AVX512,
			tensor.BF16:   dotBF16AVX512,
			tensor.Q4_0:   dotQ4_0AVX512,
			tensor.Q4_1:   dotQ4_1AVX512,
			tensor.Q8_0:   dotQ8_0AVX512,
			tensor.Q5_0:   dotQ5_0AVX512,
			tensor.Q5_1:   dotQ5_1AVX512,
			tensor.IQ4_NL: dotIQ4_NLAVX512,
			tensor.Q2_K:   dotQ2_KAVX512,
			tensor.Q3_K:   dotQ3_KAVX512,
			tensor.Q4_K:   dotQ4_KAVX512,
			tensor.Q5_K:   dotQ5_KAVX512,
			tensor.Q6_K:   dotQ6_KAVX512,
			tensor.IQ4_XS: dotIQ4_XSAVX512,
		},
	}
}

// expand sets dst[i] = codes[i]·scale[i/16] - minimum[i/16]. len(dst) is a multiple of 16.
func expand(dst []float32, codes []uint64, scale, minimum []float32) {
	if !cpu.X86.HasAVX2 {
		expandGo(dst, codes, scale, minimum)
		return
	}
	expandAVX2(&dst[0], &codes[0], &scale[0], &minimum[0], len(dst))
}

//go:noescape
func expandAVX2(dst *float32, codes *uint64, scale, minimum *float32, n int)

// spin is one PAUSE: 40 to 140 cycles in which the other thread of the core has it to itself.
//
//go:noescape
func spin()

//go:noescape
func tile1AVX2(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile2AVX2(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile1AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile2AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func tile4AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func mix16AVX2(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)

//go:noescape
func mix64AVX512(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)

//go:noescape
func expSumAVX2(p *float32, n int, top float32) float32

//go:noescape
func gateAVX2(gate, arg, up *float32, n int)

//go:noescape
func maxAVX2(p *float32, n int) float32

//go:noescape
func indexAVX2(p *float32, n int, v float32) int

//go:noescape
func dequantiseQ4_0AVX2(dst []float32, src []byte)

//go:noescape
func dequantiseQ4_1AVX2(dst []float32, src []byte)

//go:noescape
func dequantiseQ8_0AVX2(dst []float32, src []byte)

//go:noescape
func dequantiseF16AVX2(dst []float32, src []byte)

//go:noescape
func dequantiseBF16AVX2(dst []float32, src []byte)

//go:noescape
func dequantiseQ4_0AVX512(dst []float32, src []byte)

//go:noescape
func dequantiseQ4_1AVX512(dst []float32, src []byte)

//go:noescape
func dequantiseQ8_0AVX512(dst []float32, src []byte)

//go:noescape
func dequantiseF16AVX512(dst []float32, src []byte)

//go:noescape
func dequantiseBF16AVX512(dst []float32, src []byte)

//go:noescape
func dotF32AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotF16AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotBF16AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_0AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_1AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ8_0AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotF32AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotF16AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotBF16AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_0AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_1AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ8_0AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_0AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_0AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_1AVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_1AVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_NLAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_NLAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ2_KAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ2_KAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ3_KAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ3_KAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_KAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ4_KAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_KAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ5_KAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ6_KAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotQ6_KAVX512(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_XSAVX2(out, x *float32, w *byte, ldw, k int)

//go:noescape
func dotIQ4_XSAVX512(out, x *float32, w *byte, ldw, k int)
