package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	configName  = "config.json"
	indexName   = "model.safetensors.index.json"
	weightsName = "model.safetensors"
)

// choose picks the files that selected means out of a repository's. index reads model.safetensors.index.json.
// The file to open comes first for a GGUF model.
func choose(files []File, selected string, index func(File) ([]byte, error)) ([]File, error) {
	if selected != "" {
		return chooseGGUF(files, selected)
	}
	if find(files, configName) < 0 || !slices.ContainsFunc(files, isRootWeights) {
		return chooseOnlyGGUF(files)
	}
	weights, err := chooseWeights(files, index)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, f := range files {
		if isText(f.Name) {
			out = append(out, f)
		}
	}
	return append(out, weights...), nil // weights last: a snapshot that has them has the rest
}

func find(files []File, name string) int {
	return slices.IndexFunc(files, func(f File) bool { return f.Name == name })
}

func isRootWeights(f File) bool {
	return strings.HasSuffix(f.Name, ".safetensors") && !strings.Contains(f.Name, "/")
}

// isText reports whether a model directory needs the file beside its weights.
func isText(name string) bool {
	switch name {
	case configName, "generation_config.json", "chat_template.jinja", indexName:
		return true
	}
	switch path.Ext(name) {
	case ".json", ".model":
		return strings.HasPrefix(name, "tokenizer") && !strings.Contains(name, "/")
	}
	return false
}

// chooseWeights picks those of the index, or model.safetensors, or the only one, as package weights does.
func chooseWeights(files []File, index func(File) ([]byte, error)) ([]File, error) {
	if i := find(files, indexName); i >= 0 {
		b, err := index(files[i])
		if err != nil {
			return nil, err
		}
		return indexed(files, b)
	}
	if i := find(files, weightsName); i >= 0 {
		return files[i : i+1 : i+1], nil
	}
	var found []File
	for _, f := range files {
		if isRootWeights(f) {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("it has %d .safetensors files and no %s", len(found), indexName)
	}
	return found, nil
}

func indexed(files []File, index []byte) ([]File, error) {
	var v struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(index, &v); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", indexName, err)
	}
	want := map[string]bool{}
	for _, name := range v.Map {
		want[name] = true
	}
	if len(want) == 0 {
		return nil, fmt.Errorf("cannot read %s: weight_map is missing or empty", indexName)
	}
	var out []File
	for _, f := range files {
		if want[f.Name] && isRootWeights(f) {
			out = append(out, f)
			delete(want, f.Name)
		}
	}
	for name := range want {
		return nil, fmt.Errorf("%s names %.200q, which is not there", indexName, name)
	}
	return out, nil
}

var errNoModel = errors.New("it has neither a config.json with .safetensors files nor a .gguf file")
