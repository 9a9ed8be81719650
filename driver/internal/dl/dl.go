// Package dl loads a shared library and calls its functions without cgo. It is the only user of purego:
// with `-tags nogpu`, and on systems that have no CUDA, it loads nothing and says so.
package dl

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnsupported means that this build cannot load any library. The reason stands in the text around it.
var ErrUnsupported = errors.New("this build cannot load shared libraries")

// Lib is a loaded library. It is never unloaded: drivers keep threads of their own in it.
type Lib struct {
	Path   string // the candidate that loaded
	handle uintptr
}

// Open loads the first of the candidates that loads. The error lists each candidate with its reason.
func Open(candidates ...string) (*Lib, error) {
	var tried []string
	for _, path := range candidates {
		handle, err := open(path)
		if err == nil {
			return &Lib{path, handle}, nil
		}
		if errors.Is(err, ErrUnsupported) {
			return nil, err
		}
		tried = append(tried, reason(path, err))
	}
	return nil, fmt.Errorf("cannot load a library: tried %s", strings.Join(tried, "; "))
}

// reason is err with path in front once: the loader usually repeats it.
func reason(path string, err error) string {
	text := strings.TrimSpace(err.Error())
	if strings.Contains(text, path) {
		return text
	}
	return path + ": " + text
}
