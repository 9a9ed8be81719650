//go:build nogpu || !linux

package driver_test

// openWords are in the error of Open where no library can be loaded; Windows words its reasons itself.
var openWords = []string{"no usable NVIDIA driver"}
