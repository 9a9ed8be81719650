//go:build linux || darwin

package hub

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes that this user may still write to dir's file system.
func freeSpace(dir string) (n int64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(uint64(st.Bavail) * uint64(st.Bsize)), true
}

// syncDir makes a rename in a directory last.
func syncDir(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, unix.EINVAL) { // some network file systems do not sync directories
		err = nil
	}
	return errors.Join(err, f.Close())
}

// occupied returns the room that a file takes, without its holes.
func occupied(st fs.FileInfo) int64 {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return min(sys.Blocks*512, st.Size())
	}
	return st.Size()
}

// lastLink reports whether no other name leads to the file.
func lastLink(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return !ok || sys.Nlink <= 1
}
