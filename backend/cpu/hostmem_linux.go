package cpu

import "golang.org/x/sys/unix"

// hasLargePages says that memory outside files may come in large pages, which is worth a copy of the weights.
const hasLargePages = true

// preferLargePages asks for large pages below m, which starts one. A kernel without them refuses, and m stays as it is.
func preferLargePages(m []byte) { _ = unix.Madvise(m, unix.MADV_HUGEPAGE) }
