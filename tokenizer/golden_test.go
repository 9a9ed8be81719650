package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// goldenRow is what the reference library did with one text; see testdata/tiny.py.
type goldenRow struct {
	In      string   `json:"in"`
	IDs     []int32  `json:"ids"`
	Literal *[]int32 `json:"literal"`
	Framed  *[]int32 `json:"framed"`
	Text    string   `json:"text"`
	Plain   *string  `json:"plain"`
}

func or[T any](p *T, def T) T {
	if p == nil {
		return def
	}
	return *p
}

func tinyDirs(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/tiny/*")
	if err != nil || len(dirs) < 25 {
		t.Fatalf("testdata/tiny has %d tokenizers, %v", len(dirs), err)
	}
	return dirs
}

func goldens(t testing.TB, dir string) []goldenRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func tiny(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := FromDir(filepath.Join("testdata/tiny", name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func encode(t testing.TB, tok *Tokenizer, s string, o EncodeOptions) []int32 {
	t.Helper()
	ids, err := tok.Encode(nil, s, o)
	if err != nil {
		t.Fatalf("Encode(%.100q): %v", s, err)
	}
	return ids
}

func TestTokenizer_AgreesWithReferenceForEveryKind(t *testing.T) {
	for _, dir := range tinyDirs(t) {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			tok := tiny(t, name)
			spm := name == "spm-bpe" || name == "spm-gemma"
			for _, row := range goldens(t, dir) {
				checkGolden(t, tok, row, spm)
			}
		})
	}
}

// checkGolden compares one row. sentencepiece itself has no options to compare, and keeps no special tokens in text.
func checkGolden(t *testing.T, tok *Tokenizer, row goldenRow, spm bool) {
	t.Helper()
	cases := []struct {
		o    EncodeOptions
		want []int32
	}{
		{EncodeOptions{ParseSpecial: !spm}, row.IDs},
		{EncodeOptions{}, or(row.Literal, row.IDs)},
		{EncodeOptions{ParseSpecial: true, AddSpecial: true}, or(row.Framed, row.IDs)},
	}
	if spm {
		cases = cases[:1]
	}
	for _, c := range cases {
		if got := encode(t, tok, row.In, c.o); !slices.Equal(got, c.want) {
			t.Errorf("Encode(%q, %+v) = %v, want %v", row.In, c.o, got, c.want)
		}
	}
	if got := tok.Decode(row.IDs, true); got != row.Text {
		t.Errorf("Decode(%v) = %q, want %q", row.IDs, got, row.Text)
	}
	if got, want := tok.Decode(row.IDs, false), or(row.Plain, row.Text); got != want {
		t.Errorf("Decode(%v) without special tokens = %q, want %q", row.IDs, got, want)
	}
}
