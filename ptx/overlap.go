package ptx

import "github.com/weft-llm/weft/driver"

// overlapped is a kernel with a variant for Hopper that may start before the kernel ahead of it has ended: FILE_sm90.cu,
// compiled from the same source. It runs where Kernels.Overlap is set.
type overlapped[A any] struct {
	plain, early kernel[A]
}

func (f *overlapped[A]) declare(k *Kernels, file, name string, shared int) {
	f.plain.declare(k, file, name, shared)
	f.early.declare(k, file+"_sm90", name, shared)
	f.early.overlap = true
}

func (f *overlapped[A]) launch(s driver.Stream, grid, block driver.Dim, a A) error {
	if k := f.plain.k; k.Overlap && k.Hopper() {
		return f.early.launch(s, grid, block, a)
	}
	return f.plain.launch(s, grid, block, a)
}
