//go:build !nogpu && (amd64 || arm64)

package dl

import "golang.org/x/sys/windows"

// open looks in System32 only for a bare name, so that a DLL in the working directory is never loaded.
func open(path string) (uintptr, error) {
	h, err := windows.LoadLibraryEx(path, 0, windows.LOAD_LIBRARY_SEARCH_SYSTEM32|windows.LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR)
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
