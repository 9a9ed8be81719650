package weights

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// edited is tinyLlama with the value of a u32 key replaced.
func edited(t *testing.T, key string, v uint32) []byte {
	t.Helper()
	b := tinyLlama()
	at := bytes.Index(b, []byte(key))
	if at < 0 {
		t.Fatalf("the file has no %q", key)
	}
	binary.LittleEndian.PutUint32(b[at+len(key)+4:], v)
	return b
}

func TestGGUF_RefusesNonsenseNumbers(t *testing.T) {
	for _, c := range []struct {
		key  string
		v    uint32
		want string
	}{
		{"llama.block_count", 0, "llama.block_count: 0"},
		{"llama.block_count", 1 << 31, "llama.block_count: 2147483648"},
		{"llama.attention.head_count", 0, "llama.attention.head_count: 0"},
		{"llama.embedding_length", 0, "llama.embedding_length: 0"},
		{"llama.feed_forward_length", 1 << 30, "llama.feed_forward_length: 1073741824"},
		{"llama.context_length", 0, "llama.context_length: 0"},
		{"llama.attention.layer_norm_rms_epsilon", 1, "llama.attention.layer_norm_rms_epsilon: 1e-45"},
	} {
		file := edited(t, c.key, c.v)
		_, err := openBytes(t, file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "offset ") {
			t.Errorf("%s = %d: Open() = %v, want an error with its offset and %q", c.key, c.v, err, c.want)
		}
	}
}

func TestGGUF_NamesSettingsItDoesNotKnow(t *testing.T) {
	b := bytes.Replace(tinyLlama(), []byte("llama.context_length"), []byte("llama.expert_countxx"), 1)
	f, err := parseGGUF("x", b)
	if err != nil {
		t.Fatal(err)
	}
	m := &metaReader{arch: "llama", f: f, known: map[string]bool{"llama.block_count": true}}
	if got := strings.Join(m.unknown(), " "); !strings.Contains(got, "llama.expert_countxx = 32") || strings.Contains(got, "block_count") {
		t.Errorf("unknown() = %q, want expert_countxx and not block_count", got)
	}
}

func TestGGUF_OfAnUnknownArchitectureCanBeInspected(t *testing.T) {
	c, err := openBytes(t, bytes.ReplaceAll(tinyLlama(), []byte("llama"), []byte("mamba")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Config.Arch != "mamba" || len(c.Tensors()) != 3 {
		t.Errorf("Arch = %q with %d tensors, want mamba with 3", c.Config.Arch, len(c.Tensors()))
	}
}

func TestGGUF_MalformedFilesCostNoMemory(t *testing.T) {
	for name, c := range malformedGGUF() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = parseGGUF("x.gguf", c.file)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<10 {
			t.Errorf("%s: %d bytes are allocated for a file of %d", name, n, len(c.file))
		}
	}
}

// shard is one file of a split model with one tensor each.
func shard(no, count, tensors uint32, name string) []byte {
	g := ggufHead(3, 1, 4)
	g.str("general.architecture").u32(ggufString).str("mamba")
	g.str("split.no").u32(ggufU16).raw(byte(no), 0)
	g.str("split.count").u32(ggufU16).raw(byte(count), 0)
	g.str("split.tensors.count").u32(ggufI32).u32(tensors)
	return g.tensor(name, 0, 0, 8).data(32)
}

func TestGGUF_ReadsAllShards(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"whole", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 2, 2, "blk.0.a.weight"), "m-00002-of-00002.gguf": shard(1, 2, 2, "output.weight")}, ""},
		{"second missing", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 2, 2, "a")}, "shard 2 of 2"},
		{"second is first", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 2, 2, "a"), "m-00002-of-00002.gguf": shard(0, 2, 2, "b")}, "split.no"},
		{"counts differ", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 2, 3, "a"), "m-00002-of-00002.gguf": shard(1, 2, 3, "b")}, "split.tensors.count"},
		{"tensor twice", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 2, 2, "output.weight"), "m-00002-of-00002.gguf": shard(1, 2, 2, "output.weight")}, "is in"},
		{"opened at the second", map[string][]byte{"m-00001-of-00002.gguf": shard(1, 2, 2, "a")}, "open the first one"},
		{"other count in the name", map[string][]byte{"m-00001-of-00002.gguf": shard(0, 3, 2, "a")}, "-of-00003.gguf"},
	} {
		dir := t.TempDir()
		for name, b := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Open(filepath.Join(dir, "m-00001-of-00002.gguf"))
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: Open() = %v, want an error with %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil || len(m.Tensors()) != 2 || m.Bytes() != 64 {
			t.Fatalf("%s: Open() = %v, want two tensors of 32 bytes", c.name, err)
		}
		m.Close()
	}
}
