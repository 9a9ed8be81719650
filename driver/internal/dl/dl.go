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

// Open loads the first of the candidates that loads. The error lists all of them, with a reason for those that exist.
func Open(candidates ...string) (*Lib, error) {
	var absent, failed []string
	for _, path := range candidates {
		handle, err := open(path)
		switch {
		case err == nil:
			return &Lib{path, handle}, nil
		case errors.Is(err, ErrUnsupported):
			return nil, err
		case isAbsent(err):
			absent = append(absent, path)
		default:
			failed = append(failed, reason(path, err))
		}
	}
	if absent != nil {
		failed = append(failed, "not found: "+strings.Join(absent, ", "))
	}
	return nil, fmt.Errorf("cannot load a library (%s)", strings.Join(failed, "; "))
}

// isAbsent says whether the loader found no such file. It tells so in words only.
func isAbsent(err error) bool { return strings.Contains(err.Error(), "No such file or directory") }

// reason is err with path in front once: the loader usually repeats it.
func reason(path string, err error) string {
	text := strings.TrimSpace(err.Error())
	if strings.Contains(text, path) {
		return text
	}
	return path + ": " + text
}
