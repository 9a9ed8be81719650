//go:build !amd64 && !arm64

package cpu

func detect() *kernels { return plain() }

// available returns the kernels that this machine runs, the fastest last.
func available() []*kernels { return []*kernels{plain()} }

// expand sets dst[i] = codes[i]·scale[i/16] - minimum[i/16].
func expand(dst []float32, codes []uint64, scale, minimum []float32) {
	expandGo(dst, codes, scale, minimum)
}

// spin does nothing: the call itself takes a moment.
func spin() {}
