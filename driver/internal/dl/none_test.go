//go:build nogpu || !(linux || windows) || !(amd64 || arm64)

package dl

import (
	"errors"
	"testing"
)

func TestOpen_SaysThatTheBuildCannot(t *testing.T) {
	if _, err := Open("libcuda.so.1"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("Open() = %v, want ErrUnsupported", err)
	}
}
