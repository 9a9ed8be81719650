//go:build !nogpu && linux

package driver_test

// openWords are in the error of Open when the library that WEFT_LIBCUDA names is not there.
var openWords = []string{"no usable NVIDIA driver", "not found: /nowhere/libcuda.so.1", "Install the NVIDIA driver", "set WEFT_LIBCUDA"}
