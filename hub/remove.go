package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Remove deletes from the cache and returns the bytes freed: hf://owner/name all of a model, @revision that revision,
// :file-or-quantisation those files of a revision. Blobs that another snapshot uses stay. It refuses a directory that
// holds what no model cache does, and files that another process is downloading.
func (h *Hub) Remove(r Ref) (freed int64, err error) {
	dir := filepath.Join(h.o.Cache, r.folder())
	if err := ownFolder(dir); err != nil {
		return 0, fmt.Errorf("cannot remove %v: %w", r, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot remove %v: %w", r, err)
	}
	defer root.Close()
	x := &removal{hub: h, ref: r, dir: dir, root: root}
	switch {
	case r.Select != "":
		err = x.files()
	case r.Revision != "":
		err = x.revision()
	default:
		err = x.model()
	}
	if err != nil {
		return x.freed, fmt.Errorf("cannot remove %v: %w", r, err)
	}
	return x.freed, nil
}

// ownFolder refuses what is not a model's directory of this cache, or holds more than one does.
func ownFolder(dir string) error {
	st, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: there is no %s", ErrNotCached, dir)
	}
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is no directory of the cache's own", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case blobsDir, snapshotsDir, refsDir, "trees", ".no_exist", ".DS_Store":
		default:
			return fmt.Errorf("%s holds %q, which no model cache does: remove it by hand", dir, e.Name())
		}
	}
	return nil
}

// removal deletes from one model's directory.
type removal struct {
	hub   *Hub
	ref   Ref
	dir   string
	root  *os.Root
	freed int64
}

// model deletes everything.
func (x *removal) model() error {
	blobs, err := x.blobs()
	if err != nil {
		return err
	}
	return x.locked(blobs, func() error {
		commits, err := commitsIn(x.dir)
		if err != nil {
			return err
		}
		for _, c := range commits { // first, so that a removal cut short leaves no snapshot that looks whole
			if err := x.dropSnapshot(c); err != nil {
				return err
			}
		}
		if err := x.dropBlobs(blobs); err != nil {
			return err
		}
		return errors.Join(x.root.Close(), os.RemoveAll(x.dir)) // links are not followed
	})
}

// revision deletes a snapshot and what only it used.
func (x *removal) revision() error {
	commit, err := x.hub.localCommit(x.ref)
	if err != nil {
		return err
	}
	commits, err := commitsIn(x.dir)
	if err != nil {
		return err
	}
	if !slices.Contains(commits, commit) {
		return fmt.Errorf("%w: there is no commit %s in %s", ErrNotCached, commit, x.hub.o.Cache)
	}
	if len(commits) == 1 {
		return x.model()
	}
	files, err := snapshotFiles(x.hub.snapshot(x.ref, commit))
	if err != nil {
		return err
	}
	return x.locked(ids(files), func() error {
		if err := x.dropSnapshot(commit); err != nil {
			return err
		}
		return x.dropUnused(ids(files))
	})
}

// files deletes some files of a snapshot, and the snapshot when nothing is left.
func (x *removal) files() error {
	commit, err := x.hub.localCommit(x.ref)
	if err != nil {
		return err
	}
	all, err := snapshotFiles(x.hub.snapshot(x.ref, commit))
	if err != nil {
		return err
	}
	files, err := chooseGGUF(all, x.ref.Select)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotCached, err)
	}
	if len(files) == len(all) {
		x.ref.Revision = commit
		return x.revision()
	}
	return x.locked(ids(files), func() error {
		for _, f := range files {
			if err := x.unlink(path.Join(snapshotsDir, commit, f.Name)); err != nil {
				return err
			}
		}
		return x.dropUnused(ids(files))
	})
}

func ids(files []File) (out []string) {
	for _, f := range files {
		if f.ID != "" {
			out = append(out, f.ID)
		}
	}
	return out
}

// blobs lists what lies in the model's blobs directory by ID; a partial download counts to its blob.
func (x *removal) blobs() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(x.dir, blobsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		if !blobPattern.MatchString(id) {
			return nil, fmt.Errorf("%s holds %q, which no model cache does: remove it by hand", filepath.Join(x.dir, blobsDir), e.Name())
		}
		out = append(out, id)
	}
	return slices.Compact(out), nil
}

// locked runs f while no other process downloads the blobs.
func (x *removal) locked(blobs []string, f func() error) (err error) {
	var files []File
	for _, id := range blobs {
		files = append(files, File{ID: id})
	}
	locks, err := x.hub.locks(x.ref, files)
	if err != nil {
		return err
	}
	for _, l := range locks {
		ok, err := l.TryLock()
		if err != nil {
			return fmt.Errorf("cannot lock %s: %w", l.Path(), err)
		}
		if !ok {
			return errors.New("another process is downloading it")
		}
		defer l.Unlock()
	}
	return f()
}

// dropSnapshot deletes a snapshot, and every ref to it.
func (x *removal) dropSnapshot(commit string) error {
	refs, err := readRefs(x.dir)
	if err != nil {
		return err
	}
	for _, name := range refs[commit] {
		if err := x.root.Remove(path.Join(refsDir, name)); err != nil {
			return err
		}
	}
	name := path.Join(snapshotsDir, commit)
	err = filepath.WalkDir(filepath.Join(x.dir, name), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(x.dir, p)
		if err != nil {
			return err
		}
		return x.unlink(filepath.ToSlash(rel))
	})
	return errors.Join(err, x.root.RemoveAll(name), x.root.RemoveAll(path.Join(".no_exist", commit)),
		x.root.RemoveAll(path.Join("trees", commit+".json")))
}

// unlink deletes one file, and counts its bytes if it was the last link to them.
func (x *removal) unlink(name string) error {
	st, err := x.root.Lstat(name)
	if err != nil {
		return err
	}
	if err := x.root.Remove(name); err != nil {
		return err
	}
	if st.Mode().IsRegular() && lastLink(st) {
		x.freed += occupied(st)
	}
	return nil
}

// dropUnused deletes those blobs that no snapshot links to.
func (x *removal) dropUnused(blobs []string) error {
	commits, err := commitsIn(x.dir)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, c := range commits {
		files, err := snapshotFiles(x.hub.snapshot(x.ref, c))
		if err != nil {
			return err
		}
		for _, id := range ids(files) {
			used[id] = true
		}
	}
	return x.dropBlobs(slices.DeleteFunc(slices.Clone(blobs), func(id string) bool { return used[id] }))
}

// dropBlobs deletes blobs and what was begun of them.
func (x *removal) dropBlobs(blobs []string) error {
	entries, err := os.ReadDir(filepath.Join(x.dir, blobsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		id, _, _ := strings.Cut(e.Name(), ".")
		if !slices.Contains(blobs, id) {
			continue
		}
		if err := x.unlink(path.Join(blobsDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
