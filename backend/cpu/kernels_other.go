//go:build !amd64

package cpu

func detect() *kernels { return plain() }

// available returns the kernels that this machine runs, the fastest last.
func available() []*kernels { return []*kernels{plain()} }

// spin does nothing: the call itself takes a moment.
func spin() {}
