package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-json-experiment/json"
)

// maxText bounds the JSON and template files of a model; the largest known tokenizer.json has 33 MB.
const maxText = 256 << 20

// openDir opens a Hugging Face directory.
func openDir(c *Checkpoint) error {
	if err := c.readDir(); err != nil {
		return err
	}
	c.Format = "safetensors"
	files, err := shards(c.Path)
	if err != nil {
		return err
	}
	for _, name := range files {
		path := filepath.Join(c.Path, name)
		b, err := c.mapped(path)
		if err != nil {
			return err
		}
		infos, err := parseSafetensors(path, b)
		if err != nil {
			return err
		}
		if err := c.add(path, infos); err != nil {
			return err
		}
	}
	return nil
}

// readDir reads all but the weights.
func (c *Checkpoint) readDir() error {
	var texts [6][]byte
	for i, name := range [...]string{"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
		"tokenizer.model", "chat_template.jinja"} {
		b, err := readText(filepath.Join(c.Path, name))
		if err != nil && (i == 0 || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
		texts[i] = b
	}
	var err error
	if c.Config, err = parseHFConfig(filepath.Join(c.Path, "config.json"), texts[0]); err != nil {
		return err
	}
	if texts[1] != nil {
		if err := c.generation(filepath.Join(c.Path, "generation_config.json"), texts[1]); err != nil {
			return err
		}
	}
	c.TokenizerJSON, c.TokenizerConfig, c.SentencePiece = texts[2], texts[3], texts[4]
	c.ChatTemplate = string(texts[5])
	if c.ChatTemplate == "" && texts[3] != nil {
		c.ChatTemplate, err = templateOf(filepath.Join(c.Path, "tokenizer_config.json"), texts[3])
	}
	return err
}

func readText(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open model: %w", err)
	}
	if st.Size() > maxText || !st.Mode().IsRegular() {
		return nil, &FormatError{path, -1, "file", fmt.Sprintf("%s of %d bytes, want a regular file of at most %d", st.Mode().Type(), st.Size(), maxText)}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open model: %w", err)
	}
	return b, nil
}

// generation reads generation_config.json: further ids that end a text, and the authors' sampling.
func (c *Checkpoint) generation(path string, b []byte) error {
	s, err := parseSettings(path, b)
	if err != nil {
		return err
	}
	c.Config.addEOS(s.ids("eos_token_id"))
	value := func(key string) *float32 {
		if !s.has(key) {
			return nil
		}
		v := float32(s.number(key, 0))
		return &v
	}
	d := &c.Defaults
	d.Temperature, d.TopP, d.MinP = value("temperature"), value("top_p"), value("min_p")
	d.RepetitionPenalty = value("repetition_penalty")
	if s.has("top_k") {
		k := get[int32](s, "top_k", 0)
		d.TopK = &k
	}
	d.Greedy = s.has("do_sample") && !s.flag("do_sample", true)
	return *s.err
}

// templateOf finds chat_template in tokenizer_config.json: a string, or a list of named ones of which "default" counts.
func templateOf(path string, b []byte) (string, error) {
	s, err := parseSettings(path, b)
	if err != nil || !s.has("chat_template") {
		return "", err
	}
	var named []struct {
		Name     string `json:"name"`
		Template string `json:"template"`
	}
	if s.raw["chat_template"].Kind() != '[' {
		return s.text("chat_template", ""), *s.err
	}
	if err := json.Unmarshal(s.raw["chat_template"], &named); err != nil {
		return "", &FormatError{path, -1, "chat_template", err.Error()}
	}
	for _, t := range named {
		if t.Name == "default" {
			return t.Template, nil
		}
	}
	return "", nil
}

// shards lists the safetensors files of a directory: those of the index, or model.safetensors, or the only one.
func shards(dir string) ([]string, error) {
	index := filepath.Join(dir, "model.safetensors.index.json")
	b, err := readText(index)
	if errors.Is(err, fs.ErrNotExist) {
		return single(dir)
	} else if err != nil {
		return nil, err
	}
	var v struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, &FormatError{index, -1, "JSON", err.Error()}
	}
	set := map[string]bool{}
	for tensor, file := range v.Map {
		if file != filepath.Base(file) || !strings.HasSuffix(file, ".safetensors") {
			return nil, &FormatError{index, -1, "weight_map." + tensor, fmt.Sprintf("%q is no .safetensors file of this directory", file)}
		}
		set[file] = true
	}
	if len(set) == 0 {
		return nil, &FormatError{index, -1, "weight_map", "it is missing or empty"}
	}
	files := make([]string, 0, len(set))
	for f := range set {
		files = append(files, f)
	}
	sort.Strings(files)
	return files, nil
}

func single(dir string) ([]string, error) {
	const usual = "model.safetensors"
	if _, err := os.Stat(filepath.Join(dir, usual)); err == nil {
		return []string{usual}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open model: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".safetensors") {
			found = append(found, e.Name())
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("cannot open model %s: it has %d .safetensors files and no %s.index.json", dir, len(found), usual)
	}
	return found, nil
}
