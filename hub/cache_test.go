package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/weft-llm/weft/hub/hubtest"
)

// directory is a model directory's files; the weights differ by seed.
func directory(seed uint64) []hubtest.File {
	return []hubtest.File{small("config.json", "{}"), small("tokenizer.json", "{\"a\":1}"), lfs("model.safetensors", random(100_000, seed))}
}

func pulled(t *testing.T, h *Hub, name string) Model {
	t.Helper()
	m, err := h.Pull(context.Background(), ref(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func remove(t *testing.T, h *Hub, name string) int64 {
	t.Helper()
	n, err := h.Remove(ref(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestResolve_UsesWhatIsThereWithoutTheNetwork(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s)
	want := pulled(t, h, "hf://org/model")
	before := len(s.Requests())
	s.Add("org/model", commitB, directory(2), "main") // a newer revision is Pull's business
	for _, name := range []string{"hf://org/model", "hf://org/model@main", "hf://org/model@" + commitA} {
		m, err := h.Resolve(context.Background(), ref(t, name))
		if err != nil || m.Path != want.Path || m.Bytes() != want.Bytes() {
			t.Errorf("Resolve(%s) = %s (%d bytes), %v, want %s (%d)", name, m.Path, m.Bytes(), err, want.Path, want.Bytes())
		}
	}
	if n := len(s.Requests()) - before; n != 0 {
		t.Errorf("%d requests, want 0", n)
	}
	if m := pulled(t, h, "hf://org/model"); m.Commit != commitB {
		t.Errorf("Pull() is at %s, want %s", m.Commit, commitB)
	}
}

func TestResolve_DownloadsWhatIsNotThere(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s)
	m, err := h.Resolve(context.Background(), ref(t, "hf://org/model"))
	if err != nil || m.Downloaded == 0 {
		t.Fatalf("Resolve() = %+v, %v, want a download", m, err)
	}
	for _, gone := range []string{"model.safetensors", "tokenizer.json", "config.json"} {
		if err := os.Remove(filepath.Join(m.Path, gone)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Find(ref(t, "hf://org/model")); !errors.Is(err, ErrNotCached) {
			t.Errorf("without %s: Find() = %v, want ErrNotCached", gone, err)
		}
		if again, err := h.Resolve(context.Background(), ref(t, "hf://org/model")); err != nil || again.Downloaded != 0 {
			t.Errorf("without %s: Resolve() downloaded %d bytes (%v), want 0: the blob is there", gone, again.Downloaded, err)
		}
	}
}

func TestResolve_OfflineSaysWhatToDo(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s, func(o *Options) { o.Offline = true })
	_, err := h.Resolve(context.Background(), ref(t, "hf://org/model"))
	for _, want := range []string{"cannot open hf://org/model", "HF_HUB_OFFLINE", "weft pull hf://org/model", h.Cache()} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Resolve() = %v, want %q in it", err, want)
		}
	}
	wantPullError(t, h, "hf://org/model", "HF_HUB_OFFLINE is set")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests, want 0", n)
	}
	online := newHub(t, s, func(o *Options) { o.Cache = h.Cache() })
	want := pulled(t, online, "hf://org/model")
	if m, err := h.Resolve(context.Background(), ref(t, "hf://org/model")); err != nil || m.Path != want.Path {
		t.Errorf("Resolve() = %s, %v, want %s", m.Path, err, want.Path)
	}
}

// python lays out a model as huggingface_hub does.
func python(t *testing.T, cache string, files []hubtest.File, tree string) string {
	t.Helper()
	dir := filepath.Join(cache, "models--org--model")
	snapshot := filepath.Join(dir, "snapshots", commitA)
	write := func(p, content string) {
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "refs/main"), commitA)
	for _, f := range files {
		write(filepath.Join(dir, "blobs", hubtest.ID(f)), string(f.Content))
		link := filepath.Join(snapshot, f.Name)
		if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(strings.Repeat("../", 2+strings.Count(f.Name, "/"))+"blobs/"+hubtest.ID(f), link); err != nil {
			t.Skipf("skipped: no symbolic links here: %v", err)
		}
	}
	if tree != "" {
		write(filepath.Join(dir, "trees", commitA+".json"), tree)
	}
	return snapshot
}

func TestFind_TakesWhatPythonDownloaded(t *testing.T) {
	s := hubtest.New(t)
	h := newHub(t, s)
	snapshot := python(t, h.Cache(), directory(1), "")
	m, err := h.Find(ref(t, "hf://org/model"))
	if err != nil || m.Path != snapshot || len(m.Files) != 3 {
		t.Errorf("Find() = %+v, %v, want %s with 3 files", m, err, snapshot)
	}
}

func TestFind_SeesThatPythonWasBrokenOff(t *testing.T) {
	h := newHub(t, hubtest.New(t))
	python(t, h.Cache(), directory(1), `{"format_version": 1, "files": {"config.json": {"size": 2}, "tokenizer.json": {"size": 7},
		"model.safetensors": {"size": 100000}, "chat_template.jinja": {"size": 9}}}`)
	if _, err := h.Find(ref(t, "hf://org/model")); !errors.Is(err, ErrNotCached) || !strings.Contains(err.Error(), "lacks chat_template.jinja") {
		t.Errorf("Find() = %v, want that it lacks chat_template.jinja", err)
	}
}

func TestFind_GGUF(t *testing.T) {
	h := newHub(t, hubtest.New(t))
	snapshot := python(t, h.Cache(), []hubtest.File{small("m-Q4_0.gguf", "4"), small("big/m-Q8_0-00001-of-00002.gguf", "8"), small("big/m-Q8_0-00002-of-00002.gguf", "88"),
		small("m-F16-00001-of-00002.gguf", "16")}, "")
	for name, want := range map[string]string{":Q4_0": "m-Q4_0.gguf", ":q8_0": "big/m-Q8_0-00001-of-00002.gguf", ":m-Q4_0.gguf": "m-Q4_0.gguf"} {
		m, err := h.Find(ref(t, "hf://org/model"+name))
		if err != nil || m.Path != filepath.Join(snapshot, want) {
			t.Errorf("Find(%s) = %s, %v, want %s", name, m.Path, err, want)
		}
	}
	for _, name := range []string{":F16", ":Q2_K", "", "@v2:Q4_0"} {
		if m, err := h.Find(ref(t, "hf://org/model"+name)); !errors.Is(err, ErrNotCached) {
			t.Errorf("Find(%s) = %s, %v, want ErrNotCached", name, m.Path, err)
		}
	}
}

func TestList(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main", "v1")
	s.Add("org/model", commitB, directory(2), "v2")
	h := newHub(t, s)
	if got, err := h.List(); err != nil || len(got) != 0 {
		t.Errorf("List() of an empty cache = %v, %v", got, err)
	}
	pulled(t, h, "hf://org/model")
	pulled(t, h, "hf://org/model@v1")
	pulled(t, h, "hf://org/model@v2")
	for _, other := range []string{"datasets--org--x", "models--", "models--a--b--c/..", ".locks/models--x--y", "models--no--model"} {
		if err := os.MkdirAll(filepath.Join(h.Cache(), other), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.List()
	if err != nil || len(got) != 2 {
		t.Fatalf("List() = %+v, %v, want 2 revisions", got, err)
	}
	for i, want := range []string{"org/model " + commitA + " [main v1] 3 files 100009 bytes", "org/model " + commitB + " [v2] 3 files 100009 bytes"} {
		if line := fmt.Sprintf("%s %s %v %d files %d bytes", got[i].Ref.ID(), got[i].Commit, got[i].Refs, len(got[i].Files), got[i].Bytes()); line != want {
			t.Errorf("List()[%d] = %q, want %q", i, line, want)
		}
	}
}

func TestRemove_KeepsWhatAnotherSnapshotUses(t *testing.T) {
	for _, link := range []func(*os.Root, string, string) error{place, placeWithoutSymlink} {
		s := hubtest.New(t)
		s.Add("org/model", commitA, directory(1), "main", "v1")
		s.Add("org/model", commitB, directory(2), "v2")
		h := newHub(t, s)
		h.link = link
		pulled(t, h, "hf://org/model")
		two := pulled(t, h, "hf://org/model@v2")
		if freed := remove(t, h, "hf://org/model@main"); freed != 100_000 {
			t.Errorf("Remove() freed %d bytes, want the 100000 of the weights: the rest is shared", freed)
		}
		if _, err := h.Find(ref(t, "hf://org/model")); !errors.Is(err, ErrNotCached) {
			t.Errorf("Find() = %v, want ErrNotCached", err)
		}
		if m, err := h.Find(ref(t, "hf://org/model@v2")); err != nil || m.Path != two.Path {
			t.Errorf("Find(@v2) = %v, %v, want %s", m.Path, err, two.Path)
		}
		if freed := remove(t, h, "hf://org/model@v2"); freed != 100_009 {
			t.Errorf("Remove() freed %d bytes, want 100009", freed)
		}
		if _, err := os.Stat(filepath.Join(h.Cache(), "models--org--model")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the model's directory is there after its last revision was removed: %v", err)
		}
	}
}

func TestRemove_OneQuantisation(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, []hubtest.File{lfs("m-Q4_0.gguf", random(4000, 4)), lfs("m-Q8_0.gguf", random(8000, 8))}, "main")
	h := newHub(t, s)
	pulled(t, h, "hf://org/model:Q4_0")
	pulled(t, h, "hf://org/model:Q8_0")
	if freed := remove(t, h, "hf://org/model:q4_0"); freed != 4000 {
		t.Errorf("Remove() freed %d bytes, want 4000", freed)
	}
	if _, err := h.Find(ref(t, "hf://org/model:Q8_0")); err != nil {
		t.Errorf("Find(:Q8_0) = %v", err)
	}
	if _, err := h.Remove(ref(t, "hf://org/model:Q4_0")); !errors.Is(err, ErrNotCached) {
		t.Errorf("Remove() again = %v, want ErrNotCached", err)
	}
	if freed := remove(t, h, "hf://org/model:Q8_0"); freed != 8000 {
		t.Errorf("Remove() freed %d bytes, want 8000", freed)
	}
	if got, err := h.List(); len(got) != 0 || err != nil {
		t.Errorf("List() = %v, %v, want nothing", got, err)
	}
}

func TestRemove_TakesWhatWasBegun(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	h := newHub(t, s)
	h.pace.tries = 1
	s.File = cutAfter(s, 1<<20)
	wantPullError(t, h, "hf://org/model", "early")
	got, err := h.List()
	if err != nil || len(got) != 1 || got[0].Partial < 1<<20 || got[0].Commit != "" {
		t.Errorf("List() = %+v, %v, want a model with a partial download", got, err)
	}
	if freed := remove(t, h, "hf://org/model"); freed < 1<<20 {
		t.Errorf("Remove() freed %d bytes, want at least what came", freed)
	}
	if got := tree(t, h.Cache()); len(got) != 0 {
		t.Errorf("the cache holds %q", got)
	}
}

func TestRemove_RefusesWhatIsNotTheCaches(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	wantRefused := func(h *Hub, want string) {
		t.Helper()
		before := tree(t, h.Cache())
		if _, err := h.Remove(ref(t, "hf://org/model")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Remove() = %v, want %q", err, want)
		}
		if after := tree(t, h.Cache()); !slices.Equal(before, after) {
			t.Errorf("a refused Remove changed the cache from %q to %q", before, after)
		}
	}
	h := newHub(t, s)
	wantRefused(h, "there is no")
	m := pulled(t, h, "hf://org/model")
	dir := filepath.Dir(filepath.Dir(m.Path))
	for _, foreign := range []string{"notes.txt", "blobs/notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, foreign), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		wantRefused(h, `holds "notes.txt"`)
		os.Remove(filepath.Join(dir, foreign))
	}
	elsewhere := newHub(t, s)
	if err := os.Symlink(dir, filepath.Join(elsewhere.Cache(), "models--org--model")); err != nil {
		t.Skipf("skipped: no symbolic links here: %v", err)
	}
	wantRefused(elsewhere, "no directory of the cache's own")
}

func TestRemove_DoesNotFollowLinks(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s)
	m := pulled(t, h, "hf://org/model")
	outside := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(outside, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(m.Path, "extra")); err != nil {
		t.Skipf("skipped: no symbolic links here: %v", err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(m.Path, "dir")); err != nil {
		t.Fatal(err)
	}
	remove(t, h, "hf://org/model")
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a file outside of the cache is gone: %v", err)
	}
}

func TestRemove_WaitsForNoDownload(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s)
	m := pulled(t, h, "hf://org/model")
	l := flock.New(filepath.Join(h.Cache(), locksDir, "models--org--model", m.Files[0].ID+".lock"))
	if ok, err := l.TryLock(); !ok || err != nil {
		t.Fatalf("TryLock() = %v, %v", ok, err)
	}
	defer l.Unlock()
	if _, err := h.Remove(ref(t, "hf://org/model")); err == nil || !strings.Contains(err.Error(), "another process is downloading it") {
		t.Errorf("Remove() = %v, want a refusal", err)
	}
}

func TestPlace_WithoutLinksCopies(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, directory(1), "main")
	h := newHub(t, s)
	h.link = copyFile
	m := pulled(t, h, "hf://org/model")
	st, err := os.Lstat(filepath.Join(m.Path, "model.safetensors"))
	if err != nil || !st.Mode().IsRegular() || st.Size() != 100_000 {
		t.Errorf("the snapshot's weights are %v (%v), want a file of 100000 bytes", st, err)
	}
	sent := s.Sent.Load()
	if pulled(t, h, "hf://org/model"); s.Sent.Load() != sent {
		t.Errorf("a second pull downloaded %d bytes", s.Sent.Load()-sent)
	}
	remove(t, h, "hf://org/model")
}

func TestFromEnv(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "token")
	if err := os.WriteFile(file, []byte(" hf_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  map[string]string
		want Options
	}{
		{map[string]string{"HF_HOME": home}, Options{Cache: filepath.Join(home, "hub"), Endpoint: defaultEndpoint, Token: "hf_file"}},
		{map[string]string{"XDG_CACHE_HOME": home}, Options{Cache: filepath.Join(home, "huggingface/hub"), Endpoint: defaultEndpoint}},
		{map[string]string{"HOME": home}, Options{Cache: filepath.Join(home, ".cache/huggingface/hub"), Endpoint: defaultEndpoint}},
		{map[string]string{"HF_HOME": home, "HF_HUB_CACHE": "/c", "HF_TOKEN": "hf_env", "HF_ENDPOINT": "http://mirror", "HF_HUB_OFFLINE": "1"},
			Options{Cache: "/c", Endpoint: "http://mirror", Token: "hf_env", Offline: true}},
		{map[string]string{"HF_HOME": "/none", "HF_TOKEN_PATH": file, "HF_HUB_OFFLINE": "0"}, Options{Cache: "/none/hub", Endpoint: defaultEndpoint, Token: "hf_file"}},
		{map[string]string{"HF_HOME": home, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "true"}, Options{Cache: filepath.Join(home, "hub"), Endpoint: defaultEndpoint}},
	} {
		for _, v := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH",
			"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN"} {
			t.Setenv(v, c.env[v])
		}
		if h := c.env["HOME"]; h != "" {
			t.Setenv("HOME", h)
		}
		got, err := FromEnv()
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("FromEnv() with %v = %+v, %v, want %+v", c.env, got, err, c.want)
		}
	}
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	for _, o := range []Options{
		{Cache: "c", Endpoint: "huggingface.co"}, {Cache: "c", Endpoint: "ftp://host"}, {Cache: "c", Endpoint: "https://user:pass@host"}, {Cache: "c", Endpoint: "https://host?x=1"},
		{Endpoint: "https://host"}, {Cache: "c", Endpoint: "https://host", Token: "two\nlines"},
	} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), "cannot use") {
			t.Errorf("New(%+v) = %v, want an error", o, err)
		}
	}
}
