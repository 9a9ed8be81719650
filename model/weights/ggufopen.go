package weights

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// maxShards bounds the files of a split model.
const maxShards = 1 << 12

// shardName is how a split model's files are called, for example "Qwen3-32B-Q8_0-00001-of-00003.gguf".
var shardName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)

// openGGUF opens a GGUF file, and its further shards when it is the first of several.
func openGGUF(c *Checkpoint) error {
	c.Format = "gguf"
	f, err := c.openShard(c.Path)
	if err != nil {
		return err
	}
	infos := map[string][]Info{c.Path: f.info}
	paths, err := f.shards(c.Path)
	if err != nil {
		return err
	}
	for i, path := range paths {
		s, err := c.openShard(path)
		if err != nil {
			return err
		}
		if no := metaInt(s.meta["split.no"]); no != int64(i)+1 {
			return &FormatError{path, s.at["split.no"], "split.no", fmt.Sprintf("%v, want %d by the file's name", s.meta["split.no"], i+1)}
		}
		infos[path] = s.info
	}
	all := []Info{}
	for _, path := range append([]string{c.Path}, paths...) {
		all = append(all, infos[path]...)
	}
	if want, ok := f.meta["split.tensors.count"]; ok && metaInt(want) != int64(len(all)) {
		return &FormatError{c.Path, f.at["split.tensors.count"], "split.tensors.count", fmt.Sprintf("%v, but the %d files hold %d", want, len(paths)+1, len(all))}
	}
	return c.fromGGUF(f, append([]string{c.Path}, paths...), infos, all)
}

func (c *Checkpoint) openShard(path string) (*ggufFile, error) {
	b, err := c.mapped(path)
	if err != nil {
		return nil, err
	}
	return parseGGUF(path, b)
}

// shards lists the files after the first of a split model.
func (f *ggufFile) shards(path string) ([]string, error) {
	v, split := f.meta["split.count"]
	n := metaInt(v)
	if !split || n <= 1 {
		return nil, nil
	}
	bad := func(key, why string, args ...any) error {
		return &FormatError{path, f.at[key], key, fmt.Sprintf(why, args...)}
	}
	if n > maxShards {
		return nil, bad("split.count", "%d, want at most %d", n, maxShards)
	}
	if no := metaInt(f.meta["split.no"]); no != 0 {
		return nil, bad("split.no", "this is shard %d of %d: open the first one", no+1, n)
	}
	m := shardName.FindStringSubmatch(filepath.Base(path))
	if m == nil || m[2] != "00001" || m[3] != fmt.Sprintf("%05d", n) {
		return nil, bad("split.count", "%d, so the file's name must end in -00001-of-%05d.gguf", n, n)
	}
	var out []string
	for i := 2; i <= int(n); i++ {
		p := filepath.Join(filepath.Dir(path), fmt.Sprintf("%s-%05d-of-%s.gguf", m[1], i, m[3]))
		if _, err := os.Stat(p); err != nil {
			return nil, fmt.Errorf("cannot open shard %d of %d: %w", i, n, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// metaInt returns an integer of any width, -1 for anything else.
func metaInt(v any) int64 {
	switch n := v.(type) {
	case uint8:
		return int64(n)
	case int8:
		return int64(n)
	case uint16:
		return int64(n)
	case int16:
		return int64(n)
	case uint32:
		return int64(n)
	case int32:
		return int64(n)
	case uint64:
		return int64(min(n, 1<<62))
	case int64:
		return n
	}
	return -1
}

// metaFloat returns a number of any type; ok is false for anything else.
func metaFloat(v any) (f float64, ok bool) {
	switch n := v.(type) {
	case float32:
		// Through the shortest decimal, so that 1e-06 in f32 is 1e-06 and not 9.99999997e-07.
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', -1, 32), 64)
		return f, err == nil
	case float64:
		return n, true
	case bool, string, nil:
		return 0, false
	}
	n := metaInt(v)
	return float64(n), n >= 0
}
