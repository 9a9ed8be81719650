// Command compare is the Go half of compare.py: it encodes and decodes what that writes and reads back.
//
//	compare FILE IN OUT
//
// FILE is a tokenizer.json, or the tokenizer metadata of a GGUF file as gguf.json; IN holds one JSON string a line; OUT gets one JSON object a
// line: ids as the tokenizer makes them with special tokens parsed, ids without, and what both decode to.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/weft-llm/weft/tokenizer"
)

type result struct {
	IDs     []int32 `json:"ids"`
	Literal []int32 `json:"literal"`
	Framed  []int32 `json:"framed"`
	Text    string  `json:"text"`
	Plain   string  `json:"plain"`
	Error   string  `json:"error,omitempty"`
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, in, out string) error {
	start := time.Now()
	t, err := load(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "loaded in %v\n", time.Since(start).Round(time.Millisecond))
	src, err := os.Open(in)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(out)
	if err != nil {
		return err
	}
	defer dst.Close()
	lines := bufio.NewScanner(src)
	lines.Buffer(nil, 1<<30)
	w := bufio.NewWriter(dst)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for lines.Scan() {
		var s string
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return err
		}
		if err := enc.Encode(compute(t, s)); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return w.Flush()
}

func load(path string) (*tokenizer.Tokenizer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if filepath.Base(path) != "gguf.json" {
		return tokenizer.FromJSON(data, nil)
	}
	var dump map[string]json.RawMessage
	if err := json.Unmarshal(data, &dump); err != nil {
		return nil, err
	}
	meta := map[string]any{}
	for key, raw := range dump {
		v, err := typed(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		meta[key] = v
	}
	return tokenizer.FromGGUF(meta)
}

// typed decodes a value into the type that GGUF has for it.
func typed(raw json.RawMessage) (any, error) {
	for _, v := range []any{new(string), new(bool), new(int), new([]string), new([]int32), new([]float32)} {
		if json.Unmarshal(raw, v) == nil {
			return reflect.ValueOf(v).Elem().Interface(), nil
		}
	}
	return nil, fmt.Errorf("a value of unknown type")
}

func compute(t *tokenizer.Tokenizer, s string) result {
	var r result
	var err error
	if r.IDs, err = t.Encode([]int32{}, s, tokenizer.EncodeOptions{ParseSpecial: true}); err != nil {
		r.Error = err.Error()
	}
	if r.Literal, err = t.Encode([]int32{}, s, tokenizer.EncodeOptions{}); err != nil {
		r.Error = err.Error()
	}
	if r.Framed, err = t.Encode([]int32{}, s, tokenizer.EncodeOptions{ParseSpecial: true, AddSpecial: true}); err != nil {
		r.Error = err.Error()
	}
	r.Text, r.Plain = t.Decode(r.IDs, true), t.Decode(r.IDs, false)
	if streamed := stream(t, r.IDs); streamed != r.Text {
		r.Error = fmt.Sprintf("streamed %q", streamed)
	}
	return r
}

func stream(t *tokenizer.Tokenizer, ids []int32) string {
	s := t.NewStream(true)
	out := ""
	for _, id := range ids {
		out += s.Push(id)
	}
	return out + s.Flush()
}
