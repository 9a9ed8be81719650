// Package ptx is a library of GPU kernels with typed launchers, usable alone. The kernels are CUDA C++ in src, compiled
// ahead of time to gen, which is embedded: PTX, and the machine code that is made of it for devices of 8.x and 9.0. For others
// the driver makes it when a kernel is first used.
//
// # Adding a kernel
//
// Write src/x.cu (header of seven lines, see src/rmsnorm.cu; extern "C" names) and x.go with three things: a struct of
// arguments for each entry whose fields are the entry's parameters in order (uintptr, int32, uint32, int64, uint64,
// float32, or an array for a struct by value); a struct of kernels with a method declare, listed in newKernels; and the
// launchers. Then ./build.sh kernels. Tests compare each .entry with its struct, and src with gen. A source named
// x_sm90.cu is compiled for sm_90a alone and may only be launched where Kernels.Hopper says so.
//
// # Launchers
//
// A launcher checks its views, returns for an empty input, and enqueues without waiting and without allocating. A bad
// shape is a *tensor.ShapeError, a refused launch a *driver.Error; a fault inside a kernel surfaces at a later sync.
// Kernels belongs to one goroutine, locked to a thread that the context is current on.
package ptx
