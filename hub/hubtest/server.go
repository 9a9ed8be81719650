// Package hubtest is a Hub for tests: it speaks the part of the Hub's API that package hub uses, and misbehaves as told.
package hubtest

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server is a Hub with repositories, and a second host that serves the content of large files.
type Server struct {
	URL  string       // of the Hub
	CDN  string       // of the other host
	Sent atomic.Int64 // bytes of files written to clients

	// Most, if not 0, is how many bytes are sent in all: what is more waits until the client leaves.
	Most atomic.Int64

	hosts    [2]*httptest.Server
	mu       sync.Mutex
	repos    map[string]*Repo
	requests []Request
	open     map[net.Conn]struct{} // connections

	// File answers a request for a file instead of the server, if it returns true. It runs on the host that serves the
	// content: the Hub for small files, the other host for large ones.
	File func(w http.ResponseWriter, r *http.Request, f File) bool
	// API answers a request to the API instead of the server, if it returns true.
	API func(w http.ResponseWriter, r *http.Request) bool
	// Pace, if not 0, is the bytes per second of each connection.
	Pace int64
	// Token, if not "", is asked for on the Hub.
	Token string
}

// Request is a request that came.
type Request struct {
	Host          string // "hub" or "cdn"
	Path          string
	Range         string
	IfRange       string
	Authorization string
}

// Repo is a repository with its revisions.
type Repo struct {
	Refs    map[string]string          // branch or tag → commit
	Commits map[string]map[string]File // commit → name → file
}

// File is a file of a repository.
type File struct {
	Name    string
	Content []byte
	LFS     bool   // large: has a sha-256, and is served by the other host
	ID      string // hash; made by Add unless given
	Size    int64  // listed; made by Add unless given
}

// New starts the server. It ends with the test.
func New(t testing.TB) *Server {
	s := &Server{repos: map[string]*Repo{}, open: map[net.Conn]struct{}{}}
	for i, h := range []http.HandlerFunc{s.hub, s.cdn} {
		host := httptest.NewUnstartedServer(h)
		host.Config.ConnState = s.connection
		host.Start()
		t.Cleanup(func() {
			host.CloseClientConnections()
			host.Close()
		})
		s.hosts[i] = host
	}
	s.URL = s.hosts[0].URL
	s.CDN = strings.Replace(s.hosts[1].URL, "127.0.0.1", "localhost", 1)
	return s
}

// connection keeps account of the connections that are open.
func (s *Server) connection(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.open[c] = struct{}{}
	case http.StateClosed:
		delete(s.open, c)
	}
}

// Add makes commit of repository id hold files, and refs lead to it.
func (s *Server) Add(id, commit string, files []File, refs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repos[id]
	if r == nil {
		r = &Repo{Refs: map[string]string{}, Commits: map[string]map[string]File{}}
		s.repos[id] = r
	}
	r.Commits[commit] = map[string]File{}
	for _, f := range files {
		if f.ID == "" {
			f.ID = ID(f)
		}
		if f.Size == 0 {
			f.Size = int64(len(f.Content))
		}
		r.Commits[commit][f.Name] = f
	}
	for _, ref := range refs {
		r.Refs[ref] = commit
	}
}

// Files returns what commit of repository id holds, by name.
func (s *Server) Files(id, commit string) (out []File) {
	_, files := s.commit(id, commit)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, files[name])
	}
	return out
}

// Settle waits until all that clients sent before they were killed was taken in, and all of their connections are closed,
// so that Sent and Requests stand still. No client may be connected.
func (s *Server) Settle(t testing.TB) {
	t.Helper()
	for _, h := range s.hosts { // connections are taken in one after the other: those before this one were
		c, err := net.Dial("tcp", h.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
	for end := time.Now().Add(time.Minute); s.connections() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections stay open", s.connections())
		}
	}
}

func (s *Server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// ID returns the hash that a Hub gives for f.
func ID(f File) string {
	if f.LFS {
		return fmt.Sprintf("%x", sha256.Sum256(f.Content))
	}
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(f.Content)), f.Content...)))
}

// Requests returns what was asked so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) note(host string, r *http.Request) {
	if r.URL.Path == "/" { // Settle's
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{host, r.URL.Path, r.Header.Get("Range"), r.Header.Get("If-Range"), r.Header.Get("Authorization")})
}

func (s *Server) hub(w http.ResponseWriter, r *http.Request) {
	s.note("hub", r)
	if s.Token != "" && r.Header.Get("Authorization") != "Bearer "+s.Token {
		w.Header().Set("X-Error-Code", "GatedRepo")
		http.Error(w, "gated", http.StatusUnauthorized)
		return
	}
	parts := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/", 5)
	switch {
	case len(parts) == 5 && parts[0] == "api":
		kind, revision, _ := strings.Cut(parts[4], "/")
		switch {
		case s.API != nil && s.API(w, r):
		case kind == "revision":
			s.list(w, parts[2]+"/"+parts[3], unescape(revision))
		case kind == "tree":
			s.tree(w, parts[2]+"/"+parts[3], unescape(revision))
		default:
			http.NotFound(w, r)
		}
	case len(parts) == 5 && parts[2] == "resolve":
		s.resolve(w, r, parts[0]+"/"+parts[1], unescape(parts[3]), unescape(parts[4]))
	default:
		http.NotFound(w, r)
	}
}

func unescape(s string) string {
	s, _ = url.PathUnescape(s)
	return s
}

// commit finds a revision.
func (s *Server) commit(id, revision string) (commit string, files map[string]File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repos[id]
	if r == nil {
		return "", nil
	}
	if c, ok := r.Refs[revision]; ok {
		revision = c
	}
	return revision, r.Commits[revision]
}

func (s *Server) list(w http.ResponseWriter, id, revision string) {
	commit, files := s.commit(id, revision)
	if files == nil {
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		http.Error(w, "{}", http.StatusNotFound)
		return
	}
	siblings := []any{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		v := map[string]any{"rfilename": f.Name, "size": f.Size, "blobId": f.ID}
		if f.LFS {
			v["blobId"] = strings.Repeat("0", 40)
			v["lfs"] = map[string]any{"sha256": f.ID, "size": f.Size, "pointerSize": 134}
		}
		siblings = append(siblings, v)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"id": id, "sha": commit, "siblings": siblings})
}

// tree is the listing that newer huggingface_hub asks for.
func (s *Server) tree(w http.ResponseWriter, id, revision string) {
	commit, _ := s.commit(id, revision)
	out := []any{}
	for _, f := range s.Files(id, commit) {
		v := map[string]any{"type": "file", "path": f.Name, "size": f.Size, "oid": f.ID}
		if f.LFS {
			v["lfs"] = map[string]any{"oid": f.ID, "size": f.Size, "pointerSize": 134}
		}
		out = append(out, v)
	}
	json.NewEncoder(w).Encode(out)
}

func (s *Server) resolve(w http.ResponseWriter, r *http.Request, id, revision, name string) {
	commit, files := s.commit(id, revision)
	f, ok := files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	w.Header().Set("Accept-Ranges", "bytes")
	if f.LFS {
		w.Header().Set("X-Linked-Etag", strconv.Quote(f.ID))
		w.Header().Set("X-Linked-Size", strconv.FormatInt(f.Size, 10))
		w.Header().Set("ETag", strconv.Quote(f.ID))
		http.Redirect(w, r, s.CDN+"/"+id+"/"+commit+"/"+url.PathEscape(name)+"?signature=secret", http.StatusFound)
		return
	}
	w.Header().Set("ETag", strconv.Quote(f.ID))
	s.serve(w, r, f)
}

func (s *Server) cdn(w http.ResponseWriter, r *http.Request) {
	s.note("cdn", r)
	parts := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/", 4)
	if len(parts) != 4 {
		http.NotFound(w, r)
		return
	}
	_, files := s.commit(parts[0]+"/"+parts[1], parts[2])
	f, ok := files[unescape(parts[3])]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"cdn-`+f.ID[:16]+`"`)
	s.serve(w, r, f)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, f File) {
	if s.File != nil && s.File(w, r, f) {
		return
	}
	s.Serve(w, r, f)
}

// Serve answers a request for a file as it should be.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, f File) {
	from, to, ranged := ParseRange(r.Header.Get("Range"), int64(len(f.Content)))
	if tag := r.Header.Get("If-Range"); tag != "" && tag != w.Header().Get("ETag") {
		from, to, ranged = 0, int64(len(f.Content)), false
	}
	w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	if ranged {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(f.Content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	s.write(r.Context(), w, f.Content[from:to])
}

// Write sends content at the server's pace and counts it.
func (s *Server) Write(w http.ResponseWriter, content []byte) {
	s.write(context.Background(), w, content)
}

func (s *Server) write(ctx context.Context, w http.ResponseWriter, content []byte) {
	const piece = 32 << 10
	out := http.NewResponseController(w)
	for len(content) > 0 {
		if most := s.Most.Load(); most > 0 && s.Sent.Load() >= most {
			<-ctx.Done()
			return
		}
		n, err := w.Write(content[:min(piece, len(content))])
		if err == nil {
			err = out.Flush()
		}
		s.Sent.Add(int64(n))
		if err != nil {
			return
		}
		content = content[n:]
		if s.Pace > 0 {
			time.Sleep(time.Duration(int64(n) * int64(time.Second) / s.Pace))
		}
	}
}

// Cut sends the first n bytes of what Serve would and closes the connection.
func (s *Server) Cut(w http.ResponseWriter, r *http.Request, f File, n int64) {
	short := f
	from, to, ranged := ParseRange(r.Header.Get("Range"), int64(len(f.Content)))
	w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	if ranged {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(f.Content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	s.write(r.Context(), w, short.Content[from:min(to, from+n)])
	if to-from > n {
		panic(http.ErrAbortHandler)
	}
}

// ParseRange reads "bytes=a-b" of a file of size bytes: [from, to).
func ParseRange(header string, size int64) (from, to int64, ok bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, ok2 := strings.Cut(spec, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || !ok2 || err1 != nil || err2 != nil || to >= size || from > to {
		return 0, size, false
	}
	return from, to + 1, true
}
