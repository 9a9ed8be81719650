// Package driver is the NVIDIA driver API in Go: devices, contexts, memory, streams, events, modules, launches and graphs,
// by libcuda alone and without cgo. It knows nothing of models and imports nothing of weft's.
//
// # Threads
//
// A context is current per OS thread. Whoever uses a Context locks its goroutine to a thread (runtime.LockOSThread) and
// calls Bind there once; Device.Open does so for the thread that it runs on. Calls on a thread without the context fail
// with InvalidContext.
//
// # Memory
//
// A copy from or to Go memory may still be read or written by the device after the call returns: the slice stays
// reachable and untouched until the stream is synced. Memory of AllocHost makes the copy asynchronous; any other is
// staged by the driver. Launch, copies, memsets and event calls allocate nothing on the Go heap.
//
// # Errors
//
// Every failed call is an *Error that names the call, the code and what was asked; errors.Is(err, driver.OutOfMemory)
// works. After a code that is Sticky the context is lost: only ending the process brings the device back.
package driver
