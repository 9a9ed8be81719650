//go:build !unix

package weights

import (
	"fmt"
	"os"
)

// mapFile reads the whole file where there is no mmap.
func mapFile(path string) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	return b, func() error { return nil }, nil
}

// drop does nothing: what is not mapped cannot come back.
func drop([]byte) {}
