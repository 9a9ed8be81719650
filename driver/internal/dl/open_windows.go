//go:build !nogpu && (amd64 || arm64)

package dl

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// open takes a bare name from System32 only, so that a DLL in the working directory is never loaded, and the
// neighbours of a full path from its folder.
func open(path string) (uintptr, error) {
	flags := uintptr(windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	if filepath.IsAbs(path) {
		flags |= windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR
	}
	h, err := windows.LoadLibraryEx(path, 0, flags)
	return uintptr(h), err
}

// Lookup returns the address of symbol, 0 when the library has none of that name.
func (l *Lib) Lookup(symbol string) uintptr {
	entry, err := windows.GetProcAddress(windows.Handle(l.handle), symbol)
	if err != nil {
		return 0
	}
	return entry
}
