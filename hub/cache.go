package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Directories of a model in the cache.
const (
	blobsDir     = "blobs"
	snapshotsDir = "snapshots"
	refsDir      = "refs"
	locksDir     = ".locks" // in the cache itself

	// partialSuffix differs from Python's, which takes a partial file for a prefix.
	partialSuffix = ".weft.incomplete"
)

// openFolder opens the model's directory for writing; no path in it can lead outside.
func (h *Hub) openFolder(r Ref) (*os.Root, error) {
	dir := filepath.Join(h.o.Cache, r.folder())
	for _, sub := range []string{blobsDir, snapshotsDir, refsDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return nil, fmt.Errorf("cannot use the model cache: %w", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot use the model cache: %w", err)
	}
	return root, nil
}

// localCommit returns the commit that r's revision is in the cache.
func (h *Hub) localCommit(r Ref) (string, error) {
	if commitPattern.MatchString(r.Revision) {
		return r.Revision, nil
	}
	b, err := os.ReadFile(filepath.Join(h.o.Cache, r.folder(), refsDir, filepath.FromSlash(r.revision())))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: revision %s is not in %s", ErrNotCached, r.revision(), h.o.Cache)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the model cache: %w", err)
	}
	commit := strings.TrimSpace(string(b))
	if !commitPattern.MatchString(commit) {
		return "", fmt.Errorf("%w: revision %s is no commit but %.60q in %s", ErrNotCached, r.revision(), commit, h.o.Cache)
	}
	return commit, nil
}

func (h *Hub) snapshot(r Ref, commit string) string {
	return filepath.Join(h.o.Cache, r.folder(), snapshotsDir, commit)
}

// snapshotFiles lists what a snapshot holds; links that lead nowhere are left out. IDs are those of the blobs linked to.
func snapshotFiles(dir string) ([]File, error) {
	var out []File
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := os.Stat(p)
		if err != nil || !st.Mode().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		out = append(out, File{Name: filepath.ToSlash(name), Size: st.Size(), ID: linkedBlob(p)})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	findHardLinks(dir, out)
	return out, err
}

// findHardLinks fills in the IDs of files that are blobs under a second name, where there are no symbolic links.
func findHardLinks(dir string, files []File) {
	if !slices.ContainsFunc(files, func(f File) bool { return f.ID == "" }) {
		return
	}
	blobs := filepath.Join(filepath.Dir(filepath.Dir(dir)), blobsDir)
	entries, err := os.ReadDir(blobs)
	if err != nil {
		return
	}
	for _, e := range entries {
		blob, err := os.Stat(filepath.Join(blobs, e.Name()))
		if err != nil || !blobPattern.MatchString(e.Name()) {
			continue
		}
		for i, f := range files {
			st, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f.Name)))
			if f.ID == "" && err == nil && os.SameFile(st, blob) {
				files[i].ID = e.Name()
			}
		}
	}
}

// linkedBlob returns the blob that a snapshot's file is a link to, "" if it is none.
func linkedBlob(p string) string {
	target, err := os.Readlink(p)
	if err != nil {
		return ""
	}
	dir, id := filepath.Split(target)
	if filepath.Base(dir) != blobsDir || !blobPattern.MatchString(id) {
		return ""
	}
	return id
}

// Find returns the model from the cache. An error that is ErrNotCached means that it is not there or lacks files.
func (h *Hub) Find(r Ref) (Model, error) {
	commit, err := h.localCommit(r)
	if err != nil {
		return Model{}, err
	}
	dir := h.snapshot(r, commit)
	there, err := snapshotFiles(dir)
	if err != nil {
		return Model{}, fmt.Errorf("cannot read the model cache: %w", err)
	}
	files, err := choose(h.listed(r, commit, there), r.Select, func(f File) ([]byte, error) {
		return os.ReadFile(filepath.Join(dir, f.Name))
	})
	if err != nil {
		return Model{}, fmt.Errorf("%w: commit %s in %s: %w", ErrNotCached, commit, h.o.Cache, err)
	}
	for i, f := range files {
		j := find(there, f.Name)
		if j < 0 || f.ID != "" && there[j].Size != f.Size {
			return Model{}, fmt.Errorf("%w: commit %s in %s lacks %s", ErrNotCached, commit, h.o.Cache, f.Name)
		}
		files[i] = there[j]
	}
	if !h.o.Offline && r.Select == "" && find(files, configName) >= 0 && !hasTokenizer(files) {
		return Model{}, fmt.Errorf("%w: commit %s in %s has no tokenizer", ErrNotCached, commit, h.o.Cache)
	}
	return h.model(r, commit, files), nil
}

// hasTokenizer tells a whole model directory from one that another program fetched only the weights of.
func hasTokenizer(files []File) bool {
	return find(files, "tokenizer.json") >= 0 || find(files, "tokenizer.model") >= 0
}

func (h *Hub) model(r Ref, commit string, files []File) Model {
	m := Model{Ref: r, Commit: commit, Files: files, Path: h.snapshot(r, commit)}
	if strings.HasSuffix(strings.ToLower(files[0].Name), ".gguf") {
		m.Path = filepath.Join(m.Path, filepath.FromSlash(files[0].Name))
	}
	return m
}

// place links file, a path in root, to a blob, as huggingface_hub does. Where there are no symbolic links, as on most
// Windows machines, it makes a hard link, and where there are none of these either, a copy.
func place(root *os.Root, blob, file string) error {
	up := strings.Repeat("../", strings.Count(file, "/"))
	if err := root.Symlink(filepath.FromSlash(up+blob), file); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return placeWithoutSymlink(root, blob, file)
}

func placeWithoutSymlink(root *os.Root, blob, file string) error {
	if err := root.Link(blob, file); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return copyFile(root, blob, file)
}

func copyFile(root *os.Root, from, to string) (err error) {
	in, err := root.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := to + partialSuffix
	out, err := root.Create(tmp)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	return root.Rename(tmp, to)
}

// linkAll makes the snapshot of files, whose blobs are all there. The order is that of choose: weights come last, so
// that a snapshot with weights is whole.
func (h *Hub) linkAll(root *os.Root, commit string, files []File) error {
	for _, f := range files {
		name := path.Join(snapshotsDir, commit, f.Name)
		if st, err := root.Stat(name); err == nil && st.Size() == f.Size && st.Mode().IsRegular() {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
			return fmt.Errorf("cannot make the snapshot: %w", err)
		}
		err := h.link(root, path.Join(blobsDir, f.ID), name)
		if errors.Is(err, fs.ErrExist) { // a link that leads nowhere, or to something else
			if err = root.Remove(name); err == nil {
				err = h.link(root, path.Join(blobsDir, f.ID), name)
			}
		}
		if err != nil {
			return fmt.Errorf("cannot make the snapshot: %w", err)
		}
	}
	return nil
}

// writeRef records what commit a branch or tag is.
func writeRef(root *os.Root, revision, commit string) error {
	if revision == commit {
		return nil
	}
	name := path.Join(refsDir, revision)
	if b, err := root.ReadFile(name); err == nil && string(b) == commit {
		return nil
	}
	tmp := fmt.Sprintf("%s.%x%s", name, rand.Uint64(), partialSuffix) // other pulls may write the same ref now
	err := root.MkdirAll(path.Dir(name), 0o777)
	if err == nil {
		err = root.WriteFile(tmp, []byte(commit), 0o666)
	}
	if err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		return fmt.Errorf("cannot record revision %s: %w", revision, err)
	}
	return nil
}
