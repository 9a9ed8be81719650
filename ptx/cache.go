package ptx

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// cache keeps compiled modules in files from one run to the next. A file's name has the hash of all that its code depends
// on, so that nothing is ever out of date; what was not used for keepFor, such as the code of another version of weft,
// is removed when something is added. A file that is not as it was written counts as missing. The zero cache keeps
// nothing.
type cache struct {
	dir string
	key string // of driver and device
	err error  // the first failure to write: it costs time at the next start and nothing else
}

const (
	keepFor = 30 * 24 * time.Hour
	sumSize = sha256.Size // of the code, ahead of it
)

func (c *cache) path(file string, text []byte) string {
	h := sha256.New()
	fmt.Fprintln(h, c.key)
	h.Write(text)
	return filepath.Join(c.dir, fmt.Sprintf("%s-%x.cubin", file, h.Sum(nil)[:16]))
}

// get returns the code of text, nil when it is not there.
func (c *cache) get(file string, text []byte) []byte {
	if c.dir == "" {
		return nil
	}
	path := c.path(file, text)
	b, err := os.ReadFile(path)
	if err != nil || len(b) <= sumSize {
		return nil
	}
	code := b[sumSize:]
	if sum := sha256.Sum256(code); !bytes.Equal(sum[:], b[:sumSize]) {
		return nil
	}
	if s, err := os.Stat(path); err == nil && time.Since(s.ModTime()) > keepFor/30 {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // in use; a read-only cache serves too
	}
	return code
}

// put keeps code. Other processes see all of it or nothing.
func (c *cache) put(file string, text, code []byte) error {
	if c.dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("cannot keep compiled kernels: %w", err)
	}
	f, err := os.CreateTemp(c.dir, "*.tmp")
	if err != nil {
		return fmt.Errorf("cannot keep compiled kernels: %w", err)
	}
	sum := sha256.Sum256(code)
	_, err = f.Write(append(sum[:], code...))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.path(file, text))
	}
	if err != nil {
		return fmt.Errorf("cannot keep compiled kernels: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// prune removes what was not used for long, files of writes that were cut off included.
func (c *cache) prune() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("cannot clear out compiled kernels: %w", err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || ext != ".cubin" && ext != ".tmp" || time.Since(info.ModTime()) < keepFor {
			continue
		}
		if err := os.Remove(filepath.Join(c.dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cannot clear out compiled kernels: %w", err)
		}
	}
	return nil
}
