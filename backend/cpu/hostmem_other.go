//go:build !unix && !windows

package cpu

// reserve takes n zeroed bytes. Backend.held keeps them alive, and the Go heap does not move them.
func reserve(n int64) ([]byte, error) { return make([]byte, n), nil }

func release([]byte) error { return nil }
