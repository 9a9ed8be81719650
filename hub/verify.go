package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// HashError means that a whole file came and is not the one that the Hub listed. It was deleted.
type HashError struct{ Name, Got, Want string }

func (e *HashError) Error() string {
	return fmt.Sprintf("%s has hash %s, the Hub lists %s; the file was deleted, pull again", e.Name, e.Got, e.Want)
}

// newHash returns the hash that f's ID is of. Git puts a header before a blob's content.
func newHash(f File) hash.Hash {
	if len(f.ID) == hex.EncodedLen(sha256.Size) {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", f.Size)
	return h
}

// verify reads the content of f and compares its hash.
func verify(ctx context.Context, f File, content io.ReaderAt) error {
	h := newHash(f)
	buf := make([]byte, 1<<20)
	for at := int64(0); at < f.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := content.ReadAt(buf[:min(int64(len(buf)), f.Size-at)], at)
		if n == 0 && err != nil {
			return onDisk(err)
		}
		h.Write(buf[:n])
		at += int64(n)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.ID {
		return &HashError{f.Name, got, f.ID}
	}
	return nil
}
