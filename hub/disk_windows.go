package hub

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// freeSpace returns the bytes that this user may still write to dir's volume.
func freeSpace(dir string) (n int64, known bool) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(p, &free, nil, nil); err != nil {
		return 0, false
	}
	return int64(min(free, 1<<62)), true
}

// syncDir does nothing: Windows has no handle of a directory to flush.
func syncDir(*os.Root, string) error { return nil }

func occupied(st fs.FileInfo) int64 { return st.Size() }

func lastLink(fs.FileInfo) bool { return true }
