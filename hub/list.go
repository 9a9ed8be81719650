package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Cached is one revision of a model in the cache.
type Cached struct {
	Ref     Ref      // without revision
	Commit  string   // "" for downloads that were begun and have no snapshot
	Refs    []string // branches and tags that are this commit
	Files   []File
	Partial int64 // bytes of downloads that were begun, of all revisions; in the first entry of a model
}

// Bytes returns the size of the files.
func (c Cached) Bytes() int64 { return sumSizes(c.Files) }

// List returns what is in the cache, by name. Directories that are no model's are left out.
func (h *Hub) List() ([]Cached, error) {
	entries, err := os.ReadDir(h.o.Cache)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the model cache: %w", err)
	}
	var out []Cached
	for _, e := range entries {
		r, ok := refOfFolder(e.Name())
		if !ok {
			continue
		}
		models, err := h.listModel(r)
		if err != nil {
			return nil, fmt.Errorf("cannot list the model cache: %w", err)
		}
		out = append(out, models...)
	}
	return out, nil
}

// listModel returns one entry a revision.
func (h *Hub) listModel(r Ref) ([]Cached, error) {
	dir := filepath.Join(h.o.Cache, r.folder())
	refs, err := readRefs(dir)
	if err != nil {
		return nil, err
	}
	commits, err := commitsIn(dir)
	if err != nil {
		return nil, err
	}
	var out []Cached
	for _, commit := range commits {
		files, err := snapshotFiles(h.snapshot(r, commit))
		if err != nil {
			return nil, err
		}
		out = append(out, Cached{Ref: r, Commit: commit, Refs: refs[commit], Files: files})
	}
	partial, err := partialBytes(dir)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 && partial > 0 {
		out = []Cached{{Ref: r}}
	}
	if len(out) > 0 {
		out[0].Partial = partial
	}
	return out, nil
}

func commitsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, snapshotsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && commitPattern.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// readRefs returns the names of each commit.
func readRefs(dir string) (map[string][]string, error) {
	out := map[string][]string{}
	base := filepath.Join(dir, refsDir)
	err := filepath.WalkDir(base, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(p, partialSuffix) {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(base, p)
		if commit := strings.TrimSpace(string(b)); commitPattern.MatchString(commit) {
			out[commit] = append(out[commit], filepath.ToSlash(name))
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	return out, err
}

// partialBytes returns the room that unfinished downloads take, Python's too.
func partialBytes(dir string) (n int64, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, blobsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if st, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".incomplete") {
			n += occupied(st)
		}
	}
	return n, err
}
