package weights

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzGGUF opens data as a file: whatever it holds, Open returns, its tensors lie inside the file, and memory stays
// within a multiple of the file's size (the metadata is decoded).
func FuzzGGUF(f *testing.F) {
	f.Add(tinyLlama())
	for _, c := range malformedGGUF() {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseGGUF("x.gguf", data)
		if err != nil {
			return
		}
		c := &Checkpoint{Path: "x.gguf", Format: "gguf"}
		if err := c.fromGGUF(file, []string{c.Path}, map[string][]Info{c.Path: file.info}, file.info); err != nil {
			return
		}
		inside(t, c, int64(len(data)))
	})
}

// FuzzSafetensors does the same for safetensors.
func FuzzSafetensors(f *testing.F) {
	f.Add(stFile(stTwo, 22))
	f.Add(stFile(`{"w":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}}`, 16))
	f.Add(stFile(`{}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		infos, err := parseSafetensors("x", data)
		if err != nil {
			return
		}
		c := &Checkpoint{}
		if err := c.add("x", infos); err != nil {
			return
		}
		inside(t, c, int64(len(data)))
	})
}

// FuzzConfig reads data as config.json: it returns, and what it takes has sizes that a model can have.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "config", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseHFConfig("config.json", data)
		if err != nil {
			return
		}
		if _, known := hfDefaults[c.Arch]; known {
			sane(t, &c)
		}
	})
}

func sane(t *testing.T, c *Config) {
	for _, n := range []int{c.Layers, c.Hidden, c.Heads, c.KVHeads, c.HeadDim, c.Inter, c.Vocab, c.MaxPositions} {
		if n < 1 || n > maxPositions {
			t.Fatalf("%+v has a size of %d", c, n)
		}
	}
	if c.Heads%c.KVHeads != 0 || len(c.Layer) != c.Layers || !(c.Eps > 0) {
		t.Fatalf("%+v is inconsistent", c)
	}
	for _, l := range c.Layer {
		if l.Window < 0 || l.Rope < -1 || l.Rope >= len(c.Ropes) {
			t.Fatalf("layer %+v of %d ropes", l, len(c.Ropes))
		}
	}
	for _, r := range c.Ropes {
		if r.Dim < 2 || r.Dim > c.HeadDim || r.Dim%2 != 0 {
			t.Fatalf("rope %+v of heads of %d", r, c.HeadDim)
		}
	}
}

func inside(t *testing.T, c *Checkpoint, size int64) {
	for _, i := range c.Tensors() {
		if i.Offset < 0 || i.Bytes < 0 || i.Offset+i.Bytes > size || int64(len(i.data)) != i.Bytes {
			t.Fatalf("%s lies at [%d,+%d) of a file of %d bytes", i.FileName, i.Offset, i.Bytes, size)
		}
		if i.Name != "" {
			if s, err := c.Tensor(i.Name, i.Dim...); err == nil && int64(len(s.Data)) != i.Bytes {
				t.Fatalf("%s has %d bytes, want %d", i.FileName, len(s.Data), i.Bytes)
			}
		}
	}
}
