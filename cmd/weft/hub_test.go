package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/hub/hubtest"
	"github.com/weft-llm/weft/internal/golden"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// asWeft, when set in the environment, makes the test binary be weft.
const asWeft = "WEFT_TEST_BE_WEFT"

func TestMain(m *testing.M) {
	if os.Getenv(asWeft) != "" {
		os.Exit(execute(devices[os.Getenv(playAs)]))
	}
	os.Exit(m.Run())
}

// emptyCache points the environment at s and at a new cache.
func emptyCache(t *testing.T, s *hubtest.Server) string {
	t.Helper()
	home := t.TempDir()
	for k, v := range map[string]string{"HF_HOME": home, "HF_ENDPOINT": s.URL, "HF_HUB_CACHE": filepath.Join(home, "hub"), "HF_TOKEN": "hf_x",
		"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "", "http_proxy": "", "HTTP_PROXY": ""} {
		t.Setenv(k, v)
	}
	return filepath.Join(home, "hub")
}

// chatModel makes s serve a model that can chat, as org/chat.
func chatModel(t *testing.T, s *hubtest.Server) {
	t.Helper()
	dir := golden.Chat(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []hubtest.File
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, hubtest.File{Name: e.Name(), Content: b, LFS: strings.HasSuffix(e.Name(), ".safetensors")})
	}
	s.Add("org/chat", commit, files, "main")
}

func TestModel_FromAHubWorksWhereverAModelIsNamed(t *testing.T) {
	s := hubtest.New(t)
	emptyCache(t, s)
	chatModel(t, s)
	for _, c := range []struct{ stdin, args, want string }{
		{"", "generate -m hf://org/chat --device cpu -p hello --max-tokens 3 --temperature 0 --json", `"model":"org/chat"`},
		{"hi\n", "tokenize -m hf://org/chat@main", "["},
		{`[{"role": "user", "content": "hi"}]`, "render -m hf://org/chat@" + commit, "user: hi"},
		{"", "inspect hf://org/chat", "Qwen3ForCausalLM"},
		{"/exit\n", "chat -m hf://org/chat --device cpu", "> "},
	} {
		out, errs, code := command(c.stdin, strings.Fields(c.args)...)
		if code != exitDone || !strings.Contains(out, c.want) {
			t.Errorf("weft %s: exit %d, %q, %q, want %q", c.args, code, out, errs, c.want)
		}
	}
	sent, requests := s.Sent.Load(), len(s.Requests())
	t.Setenv("HF_HUB_OFFLINE", "1")
	if _, errs, code := command("", "inspect", "hf://org/chat"); code != exitDone {
		t.Errorf("offline: exit %d, %q", code, errs)
	}
	if _, errs, code := command("", "inspect", "hf://org/other"); code != exitFailed || !strings.Contains(errs, "weft pull hf://org/other") {
		t.Errorf("offline, not there: exit %d, %q, want what to do", code, errs)
	}
	if s.Sent.Load() != sent || len(s.Requests()) != requests {
		t.Error("weft used the network with HF_HUB_OFFLINE=1")
	}
}

func TestHub_PullListRm(t *testing.T) {
	s := hubtest.New(t)
	cache := emptyCache(t, s)
	chatModel(t, s)
	s.Add("org/quants", commit, []hubtest.File{{Name: "m-Q4_0.gguf", Content: make([]byte, 4000), LFS: true}, {Name: "m-Q8_0.gguf", Content: make([]byte, 8000), LFS: true}}, "main", "v1")
	want := func(args string, code int, text ...string) (stdout string) {
		t.Helper()
		out, errs, got := command("", strings.Fields(args)...)
		for _, w := range text {
			if !strings.Contains(out+errs, w) {
				t.Errorf("weft %s: %q, %q, want %q", args, out, errs, w)
			}
		}
		if got != code {
			t.Errorf("weft %s: exit %d, %q, want %d", args, got, errs, code)
		}
		return out
	}
	want("list", exitDone, "no models in "+cache)
	want("pull org/chat", exitUsage, "hf://")
	want("pull hf://org/quants", exitFailed, "choose one", "Q4_0", "Q8_0", "4.0 kB")
	path := want("pull hf://org/quants:Q8_0", exitDone, "(8.0 kB downloaded)")
	if b, err := os.ReadFile(strings.TrimSpace(path)); err != nil || len(b) != 8000 {
		t.Errorf("pull printed %q, which holds %d bytes (%v), want 8000", path, len(b), err)
	}
	want("pull hf://org/quants@v1:Q8_0", exitDone, "(0 bytes downloaded)")
	want("pull hf://org/chat", exitDone, "commit 0123456789ab")
	want("list --files", exitDone, "hf://org/chat", "hf://org/quants", "main,v1", "m-Q8_0.gguf", "8.0 kB")
	want("rm /etc/passwd", exitUsage, "does not begin with hf://")
	want("rm hf://org/never", exitFailed, "not in the cache")
	want("rm hf://org/quants:Q8_0", exitDone, "8.0 kB freed")
	want("rm hf://org/chat", exitDone, "freed")
	want("list", exitDone, "no models in "+cache)
}

// TestCache_IsPythons lets huggingface_hub and weft use what the other downloaded.
func TestCache_IsPythons(t *testing.T) {
	python := func(code string) (string, error) {
		out, err := exec.Command("python3", "-c", "import huggingface_hub as h\n"+code).Output()
		return strings.TrimSpace(string(out)), err
	}
	if _, err := python(""); err != nil {
		t.Skipf("skipped: no Python with huggingface_hub: %v", err)
	}
	s := hubtest.New(t)
	emptyCache(t, s)
	chatModel(t, s)
	want, err := python("print(h.snapshot_download('org/chat'))")
	if err != nil {
		t.Fatalf("snapshot_download: %v", err)
	}
	sent := s.Sent.Load()
	if out, errs, _ := command("", "pull", "hf://org/chat"); strings.TrimSpace(out) != want || s.Sent.Load() != sent {
		t.Errorf("weft pull: %q, %q, %d bytes downloaded, want %q and 0", out, errs, s.Sent.Load()-sent, want)
	}
	if _, errs, code := command("", "rm", "hf://org/chat"); code != exitDone {
		t.Fatalf("weft rm: exit %d, %q", code, errs)
	}
	if out, errs, _ := command("", "pull", "hf://org/chat"); strings.TrimSpace(out) != want {
		t.Errorf("weft pull: %q, %q, want %q", out, errs, want)
	}
	sent = s.Sent.Load()
	if got, err := python("print(h.snapshot_download('org/chat'))"); got != want || err != nil || s.Sent.Load() != sent {
		t.Errorf("snapshot_download: %q, %v, %d bytes downloaded, want %q and 0", got, err, s.Sent.Load()-sent, want)
	}
	if warnings, err := python("print(*h.scan_cache_dir().warnings)"); warnings != "" || err != nil {
		t.Errorf("scan_cache_dir warns of %q (%v)", warnings, err)
	}
}

// TestPull_SurvivesBeingKilled kills weft ten times while it downloads, at random points. Each run asks only for what
// the one before did not leave. Every second one is killed once it has kept what came, but for a buffer each connection.
func TestPull_SurvivesBeingKilled(t *testing.T) {
	s := hubtest.New(t)
	cache := emptyCache(t, s)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	total := shardedModel(s)
	blobs := filepath.Join(cache, "models--org--model", "blobs")

	const kills = 10
	had, asked := kept{}, 0
	for i := range kills {
		before, most := s.Sent.Load(), 1+random.Int64N(total/(3*kills))
		if i%2 == 0 {
			killedPull(t, s, before+most, func() bool { return true })
		} else {
			killedPull(t, s, before+most+1<<20, func() bool {
				return onDisk(t, s, blobs, false).bytes() > had.bytes()+s.Sent.Load()-before-connections*buffer
			})
		}
		asked += checkAsked(t, s.Requests()[asked:], had)
		had = onDisk(t, s, blobs, true)
	}
	sent := s.Sent.Load()
	cmd, errs := process(t, "pull", "hf://org/model")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("weft pull: %v, %s", err, errs)
	}
	checkAsked(t, s.Requests()[asked:], had)
	last := s.Sent.Load() - sent
	t.Logf("of %d bytes %d were kept after %d kills; the server sent %d until then and %d in the last run", total, had.bytes(), kills, sent, last)
	if last != total-had.bytes() {
		t.Errorf("the last run downloaded %d bytes, want the %d that lacked", last, total-had.bytes())
	}
	for _, f := range s.Files("org/model", commit) {
		b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), f.Name))
		if err != nil || !bytes.Equal(b, f.Content) {
			t.Errorf("%s has other content (%v)", f.Name, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(blobs, "*.incomplete")); err != nil || len(left) > 0 {
		t.Errorf("%q (%v) are left behind", left, err)
	}
	now := s.Sent.Load()
	if again, _ := process(t, "pull", "hf://org/model"); again.Run() != nil || s.Sent.Load() != now {
		t.Errorf("another pull downloaded %d bytes, want 0", s.Sent.Load()-now)
	}
}

// shardedModel makes s serve a model of several files as org/model, and returns their bytes.
func shardedModel(s *hubtest.Server) (total int64) {
	files := []hubtest.File{{Name: "config.json", Content: []byte("{}")}, {Name: "tokenizer.json", Content: []byte("{ }")}}
	var index []string
	for i, mib := range []int{14, 5, 9} {
		name := fmt.Sprintf("model-%05d-of-00003.safetensors", i+1)
		b := make([]byte, mib<<20+i)
		rand.NewChaCha8([32]byte{byte(i)}).Read(b)
		files = append(files, hubtest.File{Name: name, Content: b, LFS: true})
		index = append(index, fmt.Sprintf(`"t%d": %q`, i, name))
	}
	files = append(files, hubtest.File{Name: "model.safetensors.index.json", Content: []byte(`{"weight_map": {` + strings.Join(index, ",") + "}}")})
	s.Add("org/model", commit, files, "main")
	for _, f := range files {
		total += int64(len(f.Content))
	}
	return total
}

// connections of a pull, and the bytes of each that it has read and not written.
const connections, buffer = 4, 128 << 10

// killedPull runs weft pull until the server has sent so many bytes, which it sends no more than, and ready is true. Then
// it kills it.
func killedPull(t *testing.T, s *hubtest.Server, sent int64, ready func() bool) {
	t.Helper()
	s.Most.Store(sent)
	defer s.Most.Store(0)
	cmd, errs := process(t, "pull", "hf://org/model", "--connections", strconv.Itoa(connections))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	for end := time.After(time.Minute); s.Sent.Load() < sent || !ready(); {
		select {
		case err := <-exited:
			t.Fatalf("weft pull ended by itself: %v, %s", err, errs)
		case <-end:
			t.Fatalf("weft pull does not go on: the server sent %d bytes of %d", s.Sent.Load(), sent)
		case <-time.After(time.Millisecond):
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-exited; err == nil {
		t.Fatal("weft pull was done before it was killed")
	}
	s.Settle(t)
}

// kept is the bytes of each file that a killed weft left in the cache, as [from, to).
type kept map[string][][2]int64

func (k kept) bytes() (n int64) {
	for _, spans := range k {
		for _, span := range spans {
			n += span[1] - span[0]
		}
	}
	return n
}

// onDisk reads what the blobs directory holds: whole files, and partial ones with their counts. check compares the bytes
// that are counted, unless weft still writes them.
func onDisk(t *testing.T, s *hubtest.Server, blobs string, check bool) kept {
	t.Helper()
	k := kept{}
	for _, f := range s.Files("org/model", commit) {
		if _, err := os.Stat(filepath.Join(blobs, f.ID)); err == nil {
			k[f.Name] = [][2]int64{{0, f.Size}}
			continue
		}
		b, err := os.ReadFile(filepath.Join(blobs, f.ID+".weft.incomplete"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if int64(len(b)) < f.Size+16 {
			continue // killed before or as it began
		}
		part := int64(binary.LittleEndian.Uint64(b[f.Size+8:]))
		for i := int64(0); i*part < f.Size; i++ {
			from, n := i*part, int64(binary.LittleEndian.Uint64(b[f.Size+16+8*i:]))
			if check && !bytes.Equal(b[from:from+n], f.Content[from:from+n]) {
				t.Errorf("%s: the %d bytes at %d that were counted are not there", f.Name, n, from)
			}
			k[f.Name] = append(k[f.Name], [2]int64{from, from + n})
		}
	}
	return k
}

// checkAsked looks for requests for bytes that the run before left, and returns how many requests there were.
func checkAsked(t *testing.T, requests []hubtest.Request, had kept) int {
	t.Helper()
	for _, r := range requests {
		from, to, ranged := hubtest.ParseRange(r.Range, math.MaxInt64)
		if !ranged {
			from, to = 0, math.MaxInt64
		}
		for _, span := range had[path.Base(r.Path)] {
			if max(from, span[0]) < min(to, span[1]) {
				t.Errorf("%s asked for %q, though %v was there", r.Path, r.Range, span)
			}
		}
	}
	return len(requests)
}

// process is a weft process that is about to run.
func process(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asWeft+"=1")
	errs := &bytes.Buffer{}
	cmd.Stderr = errs
	cmd.WaitDelay = time.Minute
	cmd.Cancel = func() error {
		if err := cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return nil
	}
	return cmd, errs
}
