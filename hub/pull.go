package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// Pull makes the model that r's revision is on the Hub now be in the cache, and returns it. What is there is not
// downloaded again, and what an earlier Pull began is continued. Two processes that pull the same files wait for each
// other.
func (h *Hub) Pull(ctx context.Context, r Ref) (Model, error) {
	if h.o.Offline {
		return Model{}, fmt.Errorf("cannot pull %v: HF_HUB_OFFLINE is set; unset it", r)
	}
	l, err := h.listing(ctx, r)
	if err != nil {
		return Model{}, err
	}
	root, err := h.openFolder(r)
	if err != nil {
		return Model{}, err
	}
	defer root.Close()
	p := &pull{hub: h, ref: r, commit: l.commit, root: root}
	m, err := p.run(ctx, l.files)
	if err != nil {
		return Model{}, fmt.Errorf("cannot pull %v: %w", r, err)
	}
	return m, nil
}

// pull is one model on its way into the cache.
type pull struct {
	hub        *Hub
	ref        Ref
	commit     string
	root       *os.Root
	downloaded int64
}

func (p *pull) run(ctx context.Context, listed []File) (Model, error) {
	files, err := choose(listed, p.ref.Select, func(f File) ([]byte, error) { return p.read(ctx, f) })
	if err != nil {
		return Model{}, err
	}
	if err := p.fetch(ctx, files); err != nil {
		return Model{}, err
	}
	if err := writeRef(p.root, p.ref.revision(), p.commit); err != nil {
		return Model{}, err
	}
	m := p.hub.model(p.ref, p.commit, files)
	m.Downloaded = p.downloaded
	return m, nil
}

// maxIndex bounds the index of a model's weights; that of a model of 700 billion parameters has 8 MB.
const maxIndex = 256 << 20

// read fetches a file that says which others are needed.
func (p *pull) read(ctx context.Context, f File) ([]byte, error) {
	if f.Size > maxIndex {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", f.Name, f.Size, maxIndex)
	}
	if err := p.fetch(ctx, []File{f}); err != nil {
		return nil, err
	}
	return p.root.ReadFile(path.Join(snapshotsDir, p.commit, f.Name))
}

// fetch downloads what lacks of files and makes their snapshot, holding the lock of each blob.
func (p *pull) fetch(ctx context.Context, files []File) (err error) {
	for _, f := range files {
		if err := checkFile(f); err != nil {
			return err
		}
	}
	unlock, err := p.hub.lock(ctx, p.ref, files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	t := &transfer{hub: p.hub, root: p.root, total: sumSizes(files)}
	defer func() { err = errors.Join(err, t.close()) }()
	lacking := p.lacking(files)
	if err := p.checkSpace(lacking); err != nil {
		return err
	}
	t.done = t.total - sumSizes(lacking)
	for _, f := range lacking {
		if err := t.begin(p.ref, p.commit, f); err != nil {
			return err
		}
	}
	if len(t.files) > 0 {
		t.add(0, 0)
		err := t.run(ctx)
		p.downloaded += t.net
		if err != nil {
			return err
		}
	}
	return p.hub.linkAll(p.root, p.commit, files)
}

// lacking returns those of files that must be downloaded, each blob once.
func (p *pull) lacking(files []File) (out []File) {
	begun := map[string]bool{}
	for _, f := range files {
		if !begun[f.ID] && !p.has(f) {
			begun[f.ID] = true
			out = append(out, f)
		}
	}
	return out
}

// has reports whether f need not be downloaded: its blob is there, or the snapshot holds it itself. Links of the blob may
// lead outside of the model's directory: huggingface_hub shares blobs between models.
func (p *pull) has(f File) bool {
	for _, name := range []string{path.Join(blobsDir, f.ID), path.Join(snapshotsDir, p.commit, f.Name)} {
		st, err := os.Stat(filepath.Join(p.hub.o.Cache, p.ref.folder(), filepath.FromSlash(name)))
		if err == nil && st.Mode().IsRegular() && st.Size() == f.Size {
			return true
		}
	}
	return false
}

// spare is what a download leaves free on the disk.
const spare = 64 << 20

func (p *pull) checkSpace(lacking []File) error {
	need := int64(0)
	for _, f := range lacking {
		need += f.Size
		if st, err := p.root.Stat(path.Join(blobsDir, f.ID) + partialSuffix); err == nil {
			need -= occupied(st)
		}
	}
	free, known := freeSpace(p.root.Name())
	if !known || need <= 0 || need <= free-spare {
		return nil
	}
	return fmt.Errorf("it needs %s more, %s has %s free; free some, or set HF_HOME to a larger disk",
		size(need), p.hub.o.Cache, size(free))
}

// lock takes the locks of the files' blobs, which huggingface_hub takes too, in one order for all processes.
func (h *Hub) lock(ctx context.Context, r Ref, files []File) (unlock func() error, err error) {
	var held []*flock.Flock
	unlock = func() error {
		var err error
		for _, l := range held {
			err = errors.Join(err, l.Unlock())
		}
		return err
	}
	locks, err := h.locks(r, files)
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		ok, err := l.TryLock()
		if err == nil && !ok {
			h.notice("waiting for another process that downloads the same files")
			ok, err = l.TryLockContext(ctx, h.pace.lock)
		}
		if err != nil || !ok {
			return nil, errors.Join(fmt.Errorf("cannot lock %s: %w", l.Path(), err), unlock())
		}
		held = append(held, l)
	}
	return unlock, nil
}

func (h *Hub) locks(r Ref, files []File) ([]*flock.Flock, error) {
	dir := filepath.Join(h.o.Cache, locksDir, r.folder())
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("cannot use the model cache: %w", err)
	}
	var ids []string
	for _, f := range files {
		ids = append(ids, f.ID)
	}
	slices.SortFunc(ids, strings.Compare)
	var out []*flock.Flock
	for _, id := range slices.Compact(ids) {
		out = append(out, flock.New(filepath.Join(dir, id+".lock")))
	}
	return out, nil
}
