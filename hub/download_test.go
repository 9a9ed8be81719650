package hub

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-llm/weft/hub/hubtest"
)

func TestPull_DownloadsOnceOverSeveralConnections(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	h := newHub(t, s)
	m := wantPull(t, h, "hf://org/model", content)
	if m.Downloaded != int64(len(content)) || m.Commit != commitA {
		t.Errorf("Pull() downloaded %d bytes of %s, want %d of %s", m.Downloaded, m.Commit, len(content), commitA)
	}
	ranges := map[string]int{}
	for _, r := range s.Requests() {
		if r.Host == "cdn" {
			ranges[r.Range]++
		}
	}
	if len(ranges) != 6 {
		t.Errorf("the file came in the ranges %v, want 6", ranges)
	}
	sent := s.Sent.Load()
	if again := wantPull(t, h, "hf://org/model", content); again.Downloaded != 0 || s.Sent.Load() != sent {
		t.Errorf("a second pull downloaded %d bytes, want 0", s.Sent.Load()-sent)
	}
}

func TestPull_LaysOutTheCacheAsOthersDo(t *testing.T) {
	s := hubtest.New(t)
	weights, config := lfs("model.safetensors", random(1000, 2)), small("config.json", "{}")
	s.Add("org/model", commitA, []hubtest.File{weights, config, small("tokenizer.json", ""), small("README.md", "no")}, "main", "refs/pr/1")
	h := newHub(t, s)
	m, err := h.Pull(context.Background(), ref(t, "hf://org/model@refs/pr/1"))
	if err != nil {
		t.Fatal(err)
	}
	dir := "models--org--model/"
	want := []string{
		dir + "blobs/" + hubtest.ID(config), dir + "blobs/" + hubtest.ID(small("", "")), dir + "blobs/" + hubtest.ID(weights), dir + "refs/refs/pr/1",
		dir + "snapshots/" + commitA + "/config.json", dir + "snapshots/" + commitA + "/model.safetensors", dir + "snapshots/" + commitA + "/tokenizer.json",
	}
	got := tree(t, h.Cache())
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("the cache holds %q, %q is missing", got, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the cache holds %q, want %q", got, want)
	}
	link, err := os.Readlink(filepath.Join(m.Path, "config.json"))
	if w := "../../blobs/" + hubtest.ID(config); err != nil || link != w {
		t.Errorf("the snapshot links to %q (%v), want %q", link, err, w)
	}
	if b, _ := os.ReadFile(filepath.Join(h.Cache(), dir, "refs/refs/pr/1")); string(b) != commitA {
		t.Errorf("the ref holds %q, want %q without a line end", b, commitA)
	}
}

func TestPull_GoesOnAfterCuts(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var cuts atomic.Int64
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		if cuts.Add(1) > 40 {
			return false
		}
		s.Cut(w, r, f, rand.Int64N(1<<20))
		return true
	}
	wantPull(t, newHub(t, s), "hf://org/model", content)
	if sent := s.Sent.Load(); sent != int64(len(content)) {
		t.Errorf("the server sent %d bytes, want each of %d once", sent, len(content))
	}
}

func TestPull_GivesUpWhenNothingComes(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool { s.Cut(w, r, f, 0); return true }
	wantPullError(t, newHub(t, s), "hf://org/model", "cannot pull hf://org/model", "cannot download m.gguf", "tries")
}

func TestPull_RefusesWrongRanges(t *testing.T) {
	for name, header := range map[string]string{
		"shifted": "bytes 1-%d/%d", "of another size": "bytes 0-%d/1%d", "past its end": "bytes 0-9%d/%d", "without sense": "%.0dbytes %.0d", "negative": "bytes -5-%d/%d",
	} {
		t.Run(name, func(t *testing.T) {
			s := hubtest.New(t)
			content := oneFile(s)
			s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
				w.Header().Set("Content-Range", fmt.Sprintf(header, minPart-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(make([]byte, minPart))
				return true
			}
			h := newHub(t, s)
			h.pace.tries = 2
			wantPullError(t, h, "hf://org/model", "the server answered range")
			if _, err := h.Find(ref(t, "hf://org/model")); !errors.Is(err, ErrNotCached) {
				t.Errorf("Find() = %v, want ErrNotCached", err)
			}
		})
	}
}

func TestPull_TakesShorterRangesThanAskedFor(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		from, to, ranged := hubtest.ParseRange(r.Header.Get("Range"), f.Size)
		if to = min(to, from+1<<20); !ranged {
			return false
		}
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
		s.Serve(w, r, f)
		return true
	}
	wantPull(t, newHub(t, s), "hf://org/model", content)
}

func TestPull_WorksWithoutRanges(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var cuts atomic.Int64
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		r.Header.Del("Range")
		if cuts.Add(1) == 3 { // the one that took over, once
			s.Cut(w, r, f, 9<<20)
		} else {
			s.Serve(w, r, f)
		}
		return true
	}
	wantPull(t, newHub(t, s), "hf://org/model", content)
}

func TestPull_AServerWithoutRangesThatNeverEndsIsAnError(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		r.Header.Del("Range")
		s.Cut(w, r, f, 1<<20)
		return true
	}
	wantPullError(t, newHub(t, s), "hf://org/model", "ended", "early", "tries")
}

func TestPull_RefusesWrongContent(t *testing.T) {
	for _, large := range []bool{true, false} {
		s := hubtest.New(t)
		good := random(3000, 3)
		f := hubtest.File{Name: "m.gguf", Content: good, LFS: large}
		f.ID = hubtest.ID(f)
		f.Content = append([]byte{good[0] ^ 1}, good[1:]...)
		s.Add("org/model", commitA, []hubtest.File{f}, "main")
		h := newHub(t, s)
		err := wantPullError(t, h, "hf://org/model", "m.gguf has hash", f.ID)
		var bad *HashError
		if !errors.As(err, &bad) {
			t.Errorf("LFS %v: Pull() = %v, want a *HashError", large, err)
		}
		if got := tree(t, h.Cache()); len(got) != 0 {
			t.Errorf("LFS %v: the cache holds %q, want nothing", large, got)
		}
	}
}

func TestPull_WaitsAsLongAsRetryAfterSays(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var refused atomic.Int64
	tooMany := func(w http.ResponseWriter) bool {
		if refused.Add(1)%2 == 0 {
			return false
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	s.API = func(w http.ResponseWriter, r *http.Request) bool { return tooMany(w) }
	var notices atomic.Int64
	h := newHub(t, s, func(o *Options) { o.Notice = func(string) { notices.Add(1) } })
	start := time.Now()
	wantPull(t, h, "hf://org/model", content)
	if wait := time.Since(start); wait < time.Second {
		t.Errorf("Pull() took %v, want at least the second that the server asked for", wait)
	}
	if notices.Load() != 1 {
		t.Errorf("%d notices, want 1", notices.Load())
	}
	s.API = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	wantPullError(t, h, "hf://org/model", "503", "asks to wait 24h")
}

func TestPull_NeverShowsTheTokenToAnotherHost(t *testing.T) {
	s := hubtest.New(t)
	s.Token = "hf_secret"
	content := oneFile(s)
	wantPull(t, newHub(t, s), "hf://org/model", content)
	seen := map[string]int{}
	for _, r := range s.Requests() {
		if want := map[string]string{"hub": "Bearer hf_secret"}[r.Host]; r.Authorization != want {
			t.Errorf("%s got Authorization %q for %s, want %q", r.Host, r.Authorization, r.Path, want)
		}
		seen[r.Host]++
	}
	if seen["hub"] == 0 || seen["cdn"] == 0 {
		t.Fatalf("requests by host: %v, want both", seen)
	}
}

func TestPull_TokenDoesNotComeBackAfterAForeignHost(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	s.API = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, s.CDN+"/a/b/c/d", http.StatusFound)
		return true
	}
	h := newHub(t, s)
	wantPullError(t, h, "hf://org/model", "404")
	for _, r := range s.Requests() {
		if r.Host == "cdn" && r.Authorization != "" {
			t.Errorf("the other host got %q for a redirected listing", r.Authorization)
		}
	}
}

func TestPull_DoesNotRetryWhatIsRefused(t *testing.T) {
	s := hubtest.New(t)
	s.Token = "another"
	oneFile(s)
	wantPullError(t, newHub(t, s), "hf://org/model", "401", "gated", "HF_TOKEN")
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	s.Token = ""
	wantPullError(t, newHub(t, s), "hf://org/none", "404")
}

func TestPull_RefusesCompressedAnswers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 100<<20))
	z.Close()
	s := hubtest.New(t)
	oneFile(s)
	zip := func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
		return true
	}
	s.API = zip
	h := newHub(t, s)
	h.pace.tries = 2
	wantPullError(t, h, "hf://org/model", "compressed")
	s.API = nil
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool { return zip(w, r) }
	wantPullError(t, h, "hf://org/model", "compressed")
}

func TestPull_BoundsWhatAServerSends(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, []hubtest.File{small("m.gguf", "0123456789")}, "main")
	h := newHub(t, s)
	h.pace.tries = 2
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		w.Header().Set("Content-Length", strconv.FormatInt(1<<60, 10))
		s.Write(w, []byte("0123456789"))
		panic(http.ErrAbortHandler)
	}
	wantPullError(t, h, "hf://org/model", "announced 1152921504606846976 bytes, the Hub lists 10")
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool { // no length, and no end
		for range 1000 {
			if _, err := w.Write(bytes.Repeat([]byte("0123456789"), 1000)); err != nil {
				break
			}
		}
		return true
	}
	wantPull(t, h, "hf://org/model", []byte("0123456789")) // what is past the listed size is not read
	s.API = func(w http.ResponseWriter, r *http.Request) bool {
		for range maxListing/1000000 + 2 {
			w.Write(make([]byte, 1000000))
		}
		return true
	}
	wantPullError(t, h, "hf://org/model", "longer than")
}

func TestPull_NoticesThatTheFileChanged(t *testing.T) {
	for _, connections := range []int{1, 4} {
		s := hubtest.New(t)
		content := oneFile(s)
		other := random(len(content), 9)
		var served atomic.Int64
		s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
			if served.Add(1) > 3 {
				w.Header().Set("ETag", `"cdn-changed"`)
				f.Content = other
			}
			s.Serve(w, r, f)
			return true
		}
		h := newHub(t, s, func(o *Options) { o.Connections = connections })
		err := wantPullError(t, h, "hf://org/model")
		var bad *HashError
		if !errors.As(err, &bad) {
			t.Errorf("%d connections: Pull() = %v, want a *HashError", connections, err)
		}
		ifRange := connections > 1 // all of several may ask before one has an answer
		for _, r := range s.Requests() {
			ifRange = ifRange || r.IfRange != ""
		}
		if !ifRange {
			t.Error("no request had If-Range")
		}
		wantNoRemains(t, h)
	}
}

func TestPull_ANewTagForTheSameBytesDoesNoHarm(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var served atomic.Int64
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		if served.Add(1) > 3 {
			w.Header().Set("ETag", `"cdn-changed"`)
		}
		s.Serve(w, r, f)
		return true
	}
	wantPull(t, newHub(t, s), "hf://org/model", content)
}

func TestPull_RefusesAnotherFileThanListed(t *testing.T) {
	s := hubtest.New(t)
	s.Add("org/model", commitA, []hubtest.File{small("m.gguf", "0123456789")}, "main")
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		w.Header().Set("ETag", strconv.Quote(commitB))
		w.Write([]byte("abcdefghij"))
		return true
	}
	wantPullError(t, newHub(t, s), "hf://org/model", "now serves "+commitB)
}

func TestPull_CutsStalledConnections(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var first sync.Once
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		stalled := false
		first.Do(func() {
			stalled = true
			from, to, _ := hubtest.ParseRange(r.Header.Get("Range"), f.Size)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(content)))
			w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
			w.WriteHeader(http.StatusPartialContent)
			s.Write(w, content[from:from+200<<10])
			<-r.Context().Done()
		})
		return stalled
	}
	h := newHub(t, s)
	h.pace.stall, h.pace.tries = time.Second, 1000 // a slow machine may cut some that were only late: they come again
	start := time.Now()
	wantPull(t, h, "hf://org/model", content)
	if took := time.Since(start); took < h.pace.stall {
		t.Errorf("Pull() took %v, less than the stall that it should meet", took)
	}
}

func TestPull_StopsAtOnceWhenCancelled(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	ctx, cancel := context.WithCancel(context.Background())
	s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
		cancel()
		<-r.Context().Done()
		return true
	}
	h := newHub(t, s)
	h.pace.stall = time.Hour
	start := time.Now()
	_, err := h.Pull(ctx, ref(t, "hf://org/model"))
	// What does not see the end of its context waits for the server's header, a minute.
	if !errors.Is(err, context.Canceled) || time.Since(start) > headerTimeout/2 {
		t.Errorf("Pull() = %v after %v, want context.Canceled at once", err, time.Since(start))
	}
	t.Logf("Pull() ended after %v", time.Since(start))
}

// TestPull_ResumesAndDownloadsNothingTwice cuts two connections of each run after half a mebibyte. Each run begins with what the
// one before had kept, and the last one asks for the rest only.
func TestPull_ResumesAndDownloadsNothingTwice(t *testing.T) {
	const piece = 512 << 10
	s := hubtest.New(t)
	content := oneFile(s)
	begun, kept := int64(-1), int64(0) // bytes: at the first report of a run, and at its last
	h := newHub(t, s, func(o *Options) {
		o.Progress = func(done, _ int64) {
			if kept = done; begun < 0 {
				begun = done
			}
		}
	})
	h.pace.tries = 1
	for run := range 7 { // a part of a file is larger than what these bring of it
		var served atomic.Int64
		h.client.agent = fmt.Sprint("run ", run)
		s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool {
			if r.UserAgent() != fmt.Sprint("run ", run) || served.Add(1) > 2 { // of a run before, or nothing until another was cut, which ends this run
				<-r.Context().Done()
				return true
			}
			s.Cut(w, r, f, piece)
			return true
		}
		before := kept
		begun = -1
		if _, err := h.Pull(context.Background(), ref(t, "hf://org/model")); err == nil {
			t.Fatal("Pull() succeeded over a cut connection")
		}
		if begun != before || kept < before+piece || kept > before+2*piece {
			t.Fatalf("a run began with %d bytes and ended with %d, the one before with %d; want one or two times %d more", begun, kept, before, piece)
		}
	}
	s.File = nil
	before := kept
	begun = -1
	m := wantPull(t, h, "hf://org/model", content)
	if begun != before || m.Downloaded != int64(len(content))-before {
		t.Errorf("the last run began with %d bytes of %d and downloaded %d of %d", begun, before, m.Downloaded, len(content))
	}
}

func TestPull_BeginsADamagedDownloadAnew(t *testing.T) {
	for name, damage := range map[string]func(f *os.File, size int64) error{
		"other data": func(f *os.File, _ int64) error { _, err := f.WriteAt([]byte("damage"), 100); return err },
		"an absurd count": func(f *os.File, size int64) error {
			_, err := f.WriteAt([]byte{255, 255}, size+trailerHeader+6)
			return err
		},
		"no trailer":      func(f *os.File, size int64) error { return f.Truncate(size) },
		"half a trailer":  func(f *os.File, size int64) error { return f.Truncate(size + 20) },
		"another trailer": func(f *os.File, size int64) error { _, err := f.WriteAt([]byte("other"), size); return err },
		"nothing":         func(f *os.File, size int64) error { return f.Truncate(0) },
	} {
		t.Run(name, func(t *testing.T) {
			s := hubtest.New(t)
			content := oneFile(s)
			h := newHub(t, s)
			h.pace.tries = 1
			s.File = func(w http.ResponseWriter, r *http.Request, f hubtest.File) bool { s.Cut(w, r, f, 1<<20); return true }
			wantPullError(t, h, "hf://org/model", "early")
			blob := filepath.Join(h.Cache(), "models--org--model/blobs", hubtest.ID(lfs("", content))+partialSuffix)
			f, err := os.OpenFile(blob, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(damage(f, int64(len(content))), f.Close()); err != nil {
				t.Fatal(err)
			}
			s.File = nil
			wantPull(t, h, "hf://org/model", content)
		})
	}
}

func TestPull_TwoAtOnceDownloadOnce(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	s.Pace = 20 << 20
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			h := newHub(t, s, func(o *Options) { o.Cache = cache })
			if _, err := h.Pull(context.Background(), ref(t, "hf://org/model")); err != nil {
				t.Errorf("Pull() = %v", err)
			}
		})
	}
	wg.Wait()
	if sent := s.Sent.Load(); sent != int64(len(content)) {
		t.Errorf("the server sent %d bytes, want %d", sent, len(content))
	}
}

func TestPull_ReportsProgress(t *testing.T) {
	s := hubtest.New(t)
	content := oneFile(s)
	var last, total, steps int64
	h := newHub(t, s, func(o *Options) {
		o.Progress = func(done, all int64) {
			if done < last {
				t.Errorf("progress went from %d back to %d", last, done)
			}
			last, total, steps = done, all, steps+1
		}
	})
	wantPull(t, h, "hf://org/model", content)
	if n := int64(len(content)); last != n || total != n || steps < 10 {
		t.Errorf("progress ended at %d of %d after %d steps, want %d of %d", last, total, steps, n, n)
	}
}

func TestPull_RefusesNamesThatWouldLeaveTheCache(t *testing.T) {
	for _, name := range []string{"../../../evil.gguf", "/tmp/evil.gguf", "a/../../evil.gguf", "a\\..\\evil.gguf", "a\x00.gguf", "./evil.gguf", "a//evil.gguf", "C:evil.gguf"} {
		s := hubtest.New(t)
		s.Add("org/model", commitA, []hubtest.File{small(name, "evil")}, "main")
		h := newHub(t, s)
		wantPullError(t, h, "hf://org/model", "would not stay in the cache")
		if got := tree(t, h.Cache()); len(got) != 0 {
			t.Errorf("%q: the cache holds %q", name, got)
		}
	}
}

func TestPull_RefusesListingsThatAreNone(t *testing.T) {
	const file = `{"rfilename": "m.gguf", "size": 4, "blobId": "` + commitA + `"}`
	for body, want := range map[string]string{
		`{`:                          "not the JSON",
		`[]`:                         "not the JSON",
		`{"sha": "../../../../etc"}`: "no commit",
		`{"sha": "` + commitA + `", "siblings": []}`:                                                                                  "neither",
		`{"sha": "` + commitA + `", "siblings": [` + file + "," + strings.ToUpper(file[:25]) + file[25:] + `]}`:                       "",
		`{"sha": "` + commitA + `", "siblings": [` + file + "," + strings.Replace(file, "m.gguf", "M.gguf", 1) + `]}`:                 "twice",
		`{"sha": "` + commitA + `", "siblings": [{"rfilename": "m.gguf", "size": 4, "blobId": "../../../../../../tmp/x"}]}`:           "no usable size and hash",
		`{"sha": "` + commitA + `", "siblings": [{"rfilename": "m.gguf", "size": 4, "lfs": {"sha256": "../evil", "size": 4}}]}`:       "no usable size and hash",
		`{"sha": "` + commitA + `", "siblings": [{"rfilename": "m.gguf", "size": -1, "blobId": "` + commitA + `"}]}`:                  "no usable size and hash",
		`{"sha": "` + commitA + `", "siblings": [{"rfilename": "m.gguf", "blobId": "` + commitA + `"}]}`:                              "no usable size and hash",
		`{"sha": "` + commitA + `", "siblings": [{"rfilename": "m.gguf", "size": 9000000000000000000, "blobId": "` + commitA + `"}]}`: "no usable size and hash",
	} {
		s := hubtest.New(t)
		s.API = func(w http.ResponseWriter, r *http.Request) bool { w.Write([]byte(body)); return true }
		h := newHub(t, s)
		wantPullError(t, h, "hf://org/model", want)
		if got := tree(t, h.Cache()); len(got) != 0 {
			t.Errorf("%s: the cache holds %q", body, got)
		}
	}
}

func TestPull_NeverWritesThroughALinkOutOfTheCache(t *testing.T) {
	s := hubtest.New(t)
	oneFile(s)
	for _, sub := range []string{blobsDir, snapshotsDir} {
		h := newHub(t, s)
		outside := t.TempDir()
		if err := os.MkdirAll(filepath.Join(h.Cache(), "models--org--model"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(h.Cache(), "models--org--model", sub)); err != nil {
			t.Skipf("skipped: no symbolic links here: %v", err)
		}
		wantPullError(t, h, "hf://org/model", "escapes")
		if got := tree(t, outside); len(got) != 0 {
			t.Errorf("%s: the directory outside holds %q", sub, got)
		}
	}
}

func TestPull_AsksForRoomFirst(t *testing.T) {
	s := hubtest.New(t)
	f := lfs("m.gguf", []byte("small"))
	f.Size = 1 << 49
	s.Add("org/model", commitA, []hubtest.File{f}, "main")
	h := newHub(t, s)
	wantPullError(t, h, "hf://org/model", "it needs 562950.0 GB more", "free some")
	if s.Sent.Load() != 0 {
		t.Errorf("the server sent %d bytes, want 0", s.Sent.Load())
	}
}
