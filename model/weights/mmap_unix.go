//go:build unix

package weights

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile returns the bytes of a regular file, read-only, and what unmaps them. Shortening the file while it is
// mapped kills the process (SIGBUS): that is the operating system's rule for every mapped file.
func mapFile(path string) ([]byte, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	if !st.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("cannot read %s: it is not a regular file", path)
	}
	if st.Size() == 0 {
		return nil, func() error { return nil }, nil
	}
	if int64(int(st.Size())) != st.Size() {
		return nil, nil, fmt.Errorf("cannot map %s: %d bytes do not fit this machine's address space", path, st.Size())
	}
	b, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot map %s: %w", path, err)
	}
	return b, func() error { return unix.Munmap(b) }, nil
}

// drop takes the whole pages of part, which lies in a mapped file, out of memory. Reading them brings them back.
func drop(part []byte) {
	if len(part) == 0 {
		return
	}
	page := uintptr(os.Getpagesize())
	skip := -uintptr(unsafe.Pointer(&part[0])) % page
	if n := uintptr(len(part)); skip < n && n-skip >= page {
		_ = unix.Madvise(part[skip:skip+(n-skip)/page*page], unix.MADV_DONTNEED) // a refusal costs memory, nothing else
	}
}
