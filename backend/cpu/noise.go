package cpu

import "math"

// The arithmetic of sampling that every backend shares to the bit: float32, each operation rounded by itself (the
// conversions keep the compiler from fusing a product into a sum).

// philox is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(0xD2511F53)*uint64(c[0]), uint64(0xCD9E8D57)*uint64(c[2])
		c = [4]uint32{uint32(p1>>32) ^ c[1] ^ k[0], uint32(p1), uint32(p0>>32) ^ c[3] ^ k[1], uint32(p0)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// maxGumbel is at least what gumbel returns.
const maxGumbel = 23

// gumbel returns -log(-log(1-v)), v = (r+1/2)/2^32 rounded to float32, at most 1-2^-24.
func gumbel(r uint32) float32 {
	v := float32(float32(r)*0x1p-32) + 0x1p-33
	if v > 1-0x1p-24 {
		v = 1 - 0x1p-24
	}
	f, e := -v, int32(0) // log(1-v) without cancellation
	if v >= 0.25 {
		f, e = split(1 - v)
	}
	f, e = split(-logf(f, e))
	return -logf(f, e)
}

// split writes a positive normal x as (1+f)·2^e with 1+f in [sqrt(1/2), sqrt(2)).
func split(x float32) (f float32, e int32) {
	i := math.Float32bits(x)
	e = int32(i-0x3f3504f3) >> 23
	return math.Float32frombits(i-uint32(e)<<23) - 1, e
}

// logf returns log((1+f)·2^e): the polynomial of Cephes' logf, each operation rounded.
func logf(f float32, e int32) float32 {
	p := float32(7.0376836292e-2)
	for _, c := range [...]float32{-1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1} {
		p = float32(p*f) + c
	}
	z, n := float32(f*f), float32(e)
	y := float32(float32(p*f) * z)
	y = y + float32(-2.12194440e-4*n)
	y = y - float32(0.5*z)
	return float32(f+y) + float32(0.693359375*n)
}

// expf returns e^x for x <= 0, 0 below -64: the polynomial of Cephes' expf, each operation rounded.
func expf(x float32) float32 {
	if !(x >= -64) {
		return 0
	}
	n := float32(math.Floor(float64(float32(x*1.44269504) + 0.5)))
	r := float32(x-float32(n*0.693359375)) - float32(n*-2.12194440e-4)
	p := float32(1.9875691500e-4)
	for _, c := range [...]float32{1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		p = float32(p*r) + c
	}
	y := float32(float32(p*float32(r*r))+r) + 1
	return y * math.Float32frombits(uint32(int32(n)+127)<<23)
}
