package drivertest

import "syscall"

// thread identifies the OS thread: contexts are current per thread.
func thread() int { return syscall.Gettid() }
