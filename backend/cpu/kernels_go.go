package cpu

import (
	"math"
	"unsafe"
)

// The kernels in Go. Their pointers are to rows that the callers sized.

func at(p *float32, n int) []float32 { return unsafe.Slice(p, n) }

// tileGo does one x row and four weight rows.
func tileGo(out *float32, ldo int, x *float32, ldx int, w *float32, ldw, k int) {
	y, a, b := at(out, 4), at(x, k), at(w, 3*ldw+k)
	b0, b1, b2, b3 := b[:k], b[ldw:ldw+k], b[2*ldw:2*ldw+k], b[3*ldw:3*ldw+k]
	var s [4][2]float32
	for i := 0; i+1 < k; i += 2 {
		u, v := a[i], a[i+1]
		s[0][0] += u * b0[i]
		s[0][1] += v * b0[i+1]
		s[1][0] += u * b1[i]
		s[1][1] += v * b1[i+1]
		s[2][0] += u * b2[i]
		s[2][1] += v * b2[i+1]
		s[3][0] += u * b3[i]
		s[3][1] += v * b3[i+1]
	}
	for j := range s {
		y[j] = s[j][0] + s[j][1]
	}
}

// mixGo does 16 columns.
func mixGo(out *float32, ldo int, p *float32, ldp int, v *float32, ldv, keys int) {
	for i := range 4 {
		y, w := at(out, 3*ldo+16)[i*ldo:][:16], at(p, 3*ldp+keys)[i*ldp:]
		values := at(v, (keys-1)*ldv+16)
		for k := range keys {
			a := w[k]
			for c, x := range values[k*ldv:][:16] {
				y[c] += a * x
			}
		}
	}
}

func expSumGo(p *float32, n int, top float32) float32 {
	sum := float32(0)
	s := at(p, n)
	for i, x := range s {
		s[i] = exp(x - top)
		sum += s[i]
	}
	return sum
}

func gateGo(gate, arg, up *float32, n int) {
	g, a, u := at(gate, n), at(arg, n), at(up, n)
	for i, x := range g {
		g[i] = x / (1 + exp(-a[i])) * u[i]
	}
}

func maxGo(p *float32, n int) float32 {
	top := float32(math.Inf(-1))
	for _, v := range at(p, n) {
		if v > top {
			top = v
		} else if v != v {
			return v
		}
	}
	return top
}

func indexGo(p *float32, n int, v float32) int {
	for i, u := range at(p, n) {
		if u == v {
			return i
		}
	}
	return n
}
