//go:build !nogpu && (amd64 || arm64)

package dl

import "github.com/ebitengine/purego"

func open(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// Lookup returns the address of symbol, 0 when the library has none of that name.
func (l *Lib) Lookup(symbol string) uintptr {
	entry, err := purego.Dlsym(l.handle, symbol)
	if err != nil {
		return 0
	}
	return entry
}
