package weights

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// ChatTemplate reads the chat template of a model directory, which may hold nothing but tokenizer files: "" if it has
// none.
func ChatTemplate(dir string) (string, error) {
	b, err := readText(filepath.Join(dir, "chat_template.jinja"))
	if err == nil {
		return string(b), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	path := filepath.Join(dir, "tokenizer_config.json")
	b, err = readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return templateOf(path, b)
}
