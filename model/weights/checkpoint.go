// Package weights reads model files: a Hugging Face directory (config.json, safetensors) or GGUF. It maps them,
// checks every size before using it, and offers tensors under Hugging Face names with one normalised Config.
package weights

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Info describes one tensor of a file.
type Info struct {
	Name     string       // Hugging Face name, "" when a GGUF tensor has none
	FileName string       // as in the file
	File     string       // path
	Type     tensor.DType // Invalid when weft cannot compute with it
	TypeName string       // as the format calls it: "BF16", "IQ2_XS"
	Dim      []int        // row-major
	Offset   int64        // bytes from the start of File
	Bytes    int64

	data []byte
}

// Checkpoint is an opened model. Its byte slices are read-only and die with Close.
type Checkpoint struct {
	Path   string
	Format string // "safetensors", "gguf", "dummy"
	Config Config

	TokenizerJSON   []byte         // tokenizer.json, nil if absent
	TokenizerConfig []byte         // tokenizer_config.json, nil if absent
	SentencePiece   []byte         // tokenizer.model, nil if absent
	Metadata        map[string]any // GGUF metadata: tokenizer.ggml.* and the rest; nil for other formats
	ChatTemplate    string         // Jinja source, "" if the model has none
	Defaults        Sampling       // what the model's authors recommend

	infos   []Info
	byName  map[string]int
	permute func(name string) int
	dummy   bool
	files   bool // the data of tensors is mapped
	close   []func() error
}

// Sampling holds generation_config.json's recommendations; a nil field has none.
type Sampling struct {
	Temperature, TopP, MinP, RepetitionPenalty *float32
	TopK                                       *int32
	Greedy                                     bool // do_sample is false or absent
}

// Open opens a model directory or a .gguf file (the first shard of a split one). Close it after the backend that
// its weights are loaded on, which may compute on the mapped file. A malformed file is a *FormatError; a setting that weft does not know is no error here
// but listed in Config.Unsupported, so that any model can be inspected.
func Open(path string) (*Checkpoint, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open model: %w", err)
	}
	open := openDir
	if !st.IsDir() {
		if !strings.EqualFold(filepath.Ext(path), ".gguf") {
			return nil, fmt.Errorf("cannot open model %s: want a directory with config.json or a .gguf file", path)
		}
		open = openGGUF
	}
	c := &Checkpoint{Path: path}
	if err := open(c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// OpenBytes opens a whole .gguf file that is in memory already, such as an embedded one; name stands for its path in
// errors. b is not copied: do not change it before Close.
func OpenBytes(name string, b []byte) (*Checkpoint, error) {
	c := &Checkpoint{Path: name, Format: "gguf"}
	f, err := parseGGUF(name, b)
	if err != nil {
		return nil, err
	}
	if n := metaInt(f.meta["split.count"]); n > 1 {
		return nil, fmt.Errorf("cannot open model %s: it is one of %d files", name, n)
	}
	return c, c.fromGGUF(f, []string{name}, map[string][]Info{name: f.info}, f.info)
}

// Close unmaps the files.
func (c *Checkpoint) Close() error {
	var err error
	for _, f := range c.close {
		err = errors.Join(err, f())
	}
	c.close, c.infos, c.byName = nil, nil, nil
	return err
}

// Skips reports whether a text model does without tensor name: other modalities, and buffers that are computed.
func (c *Checkpoint) Skips(name string) bool {
	return hasPrefix(name, c.Config.SkipPrefixes...) || hasPrefix(name, "rope_freqs.", "rope_factors_") ||
		hasSuffix(name, ".rotary_emb.inv_freq")
}

// Tensor returns tensor name, which must have shape dim.
//
// GGUF files of the llama architecture hold q and k with the rows of each head reordered for interleaved rotation;
// Tensor puts them back in Hugging Face order (whole rows move, so quantised blocks stay as they are). Every model
// thus rotates pairs (i, i+D/2), and a name means the same bytes whatever the file.
func (c *Checkpoint) Tensor(name string, dim ...int) (backend.Source, error) {
	if c.dummy {
		return c.dummyTensor(name, dim), nil
	}
	i, ok := c.byName[name]
	if !ok {
		return backend.Source{}, fmt.Errorf("cannot load %s: %s has no such tensor", name, c.Path)
	}
	t := &c.infos[i]
	if t.Type == tensor.Invalid {
		return backend.Source{}, fmt.Errorf("cannot load %s: weft cannot compute with type %s", t.FileName, t.TypeName)
	}
	if !slices.Equal(t.Dim, dim) {
		return backend.Source{}, fmt.Errorf("cannot load %s: its shape is %v, the configuration says %v", t.FileName, t.Dim, dim)
	}
	s := backend.Source{Name: t.FileName, Type: t.Type, Dim: dim, Data: t.data}
	if c.files {
		s.Drop = drop
	}
	if c.permute != nil {
		if heads := c.permute(name); heads > 0 {
			if len(dim) == 0 || dim[0] == 0 || dim[0]%(2*heads) != 0 {
				return backend.Source{}, fmt.Errorf("cannot load %s: its shape is %v, and %d heads of an even size have other rows", t.FileName, dim, heads)
			}
			s.Data, s.Drop = unpermute(t.data, heads, dim[0]), nil
		}
	}
	return s, nil
}

// Tensors lists all tensors in the order of their names.
func (c *Checkpoint) Tensors() []Info {
	out := slices.Clone(c.infos)
	sort.Slice(out, func(i, j int) bool { return out[i].FileName < out[j].FileName })
	return out
}

// Bytes returns the size of all tensors.
func (c *Checkpoint) Bytes() int64 {
	n := int64(0)
	for i := range c.infos {
		n += c.infos[i].Bytes
	}
	return n
}

// add takes over the tensors of one file.
func (c *Checkpoint) add(path string, infos []Info) error {
	if c.byName == nil {
		c.byName = map[string]int{}
	}
	for _, t := range infos {
		t.File = path
		t.Name = textName(t.Name)
		if t.Name != "" {
			if j, twice := c.byName[t.Name]; twice {
				return &FormatError{path, t.Offset, t.FileName, "the tensor is in " + c.infos[j].File + " too"}
			}
			c.byName[t.Name] = len(c.infos)
		}
		c.infos = append(c.infos, t)
	}
	return nil
}

// mapped maps path until Close.
func (c *Checkpoint) mapped(path string) ([]byte, error) {
	b, unmap, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	c.close, c.files = append(c.close, unmap), true
	return b, nil
}

// textName strips what multimodal files put before the names of their text model.
func textName(name string) string {
	if rest, ok := strings.CutPrefix(name, "model.language_model."); ok {
		return "model." + rest
	}
	return strings.TrimPrefix(name, "language_model.")
}
