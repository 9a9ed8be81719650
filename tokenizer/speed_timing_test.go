package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vocabs returns the folders of real vocabularies that testdata/compare/fetch.sh makes, in $WEFT_VOCABS.
func vocabs(b *testing.B) []string {
	b.Helper()
	dirs, _ := filepath.Glob(filepath.Join(os.Getenv("WEFT_VOCABS"), "*", "tokenizer.json"))
	if os.Getenv("WEFT_VOCABS") == "" || len(dirs) == 0 {
		b.Skip("skipped: WEFT_VOCABS names no folder of vocabularies, see testdata/compare/fetch.sh")
	}
	return dirs
}

func BenchmarkFromJSON(b *testing.B) {
	for _, path := range vocabs(b) {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(filepath.Dir(path)), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := FromJSON(data, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	prose := prose(b)
	for _, path := range vocabs(b) {
		tok, err := FromDir(filepath.Dir(path))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(filepath.Dir(path)), func(b *testing.B) {
			b.SetBytes(int64(len(prose)))
			var ids []int32
			for b.Loop() {
				if ids, err = tok.Encode(ids[:0], prose, EncodeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// prose is about a megabyte of English: the comments of this package, over and over.
func prose(b *testing.B) string {
	b.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		b.Fatal(err)
	}
	var words strings.Builder
	for words.Len() < 1<<20 {
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				if text, ok := strings.CutPrefix(strings.TrimSpace(line), "// "); ok {
					words.WriteString(text + " ")
				}
			}
			words.WriteString("\n\n")
		}
	}
	return words.String()
}
