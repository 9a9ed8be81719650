package hub

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/hub/hubtest"
)

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// newHub returns a client of s with an empty cache, which does not wait before it tries again.
func newHub(t *testing.T, s *hubtest.Server, change ...func(*Options)) *Hub {
	t.Helper()
	o := Options{Cache: t.TempDir(), Endpoint: s.URL, Token: "hf_secret", Connections: 4}
	for _, f := range change {
		f(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.pace.backoff, h.pace.lock = time.Millisecond, 5*time.Millisecond
	return h
}

// random returns n bytes that are the same every time.
func random(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(b)
	return b
}

func lfs(name string, content []byte) hubtest.File {
	return hubtest.File{Name: name, Content: content, LFS: true}
}

func small(name, content string) hubtest.File {
	return hubtest.File{Name: name, Content: []byte(content)}
}

// oneFile is a repository with one GGUF model of several parts.
func oneFile(s *hubtest.Server) []byte {
	content := random(5*minPart+12345, 1)
	s.Add("org/model", commitA, []hubtest.File{lfs("m.gguf", content)}, "main")
	return content
}

func ref(t *testing.T, s string) Ref {
	t.Helper()
	r, err := ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantPull pulls and compares the file to open.
func wantPull(t *testing.T, h *Hub, name string, want []byte) Model {
	t.Helper()
	m, err := h.Pull(context.Background(), ref(t, name))
	if err != nil {
		t.Fatalf("Pull(%s): %v", name, err)
	}
	got, err := os.ReadFile(m.Path)
	if err != nil || string(got) != string(want) {
		t.Fatalf("Pull(%s): %d bytes (%v), want the %d of the server", name, len(got), err, len(want))
	}
	wantNoRemains(t, h)
	return m
}

func wantPullError(t *testing.T, h *Hub, name string, parts ...string) error {
	t.Helper()
	m, err := h.Pull(context.Background(), ref(t, name))
	if err == nil {
		t.Fatalf("Pull(%s) = %v, want an error with %q", name, m.Path, parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("Pull(%s) = %v, want %q in it", name, err, p)
		}
	}
	return err
}

// wantNoRemains looks for partial files.
func wantNoRemains(t *testing.T, h *Hub) {
	t.Helper()
	for _, p := range tree(t, h.Cache()) {
		if strings.HasSuffix(p, ".incomplete") {
			t.Errorf("%s is left behind", p)
		}
	}
}

// tree lists the files under dir, without locks.
func tree(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, locksDir) {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// cutAfter makes every request for a file end after n bytes.
func cutAfter(s *hubtest.Server, n int64) func(http.ResponseWriter, *http.Request, hubtest.File) bool {
	return func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		s.Cut(w, r, f, n)
		return true
	}
}
