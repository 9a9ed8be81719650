package server

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-llm/weft/engine"
)

// TestGolden plays testdata/golden: what the model says, one token a line; then the path and body of a request; then the
// answer, with its id and time replaced. WEFT_GOLDEN=write go test -run TestGolden ./server rewrites the answers.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.SplitN(string(text), "----\n", 3)
			if len(parts) < 2 {
				t.Fatalf("%s has no ---- line", file)
			}
			path, body, _ := strings.Cut(parts[1], "\n")
			s := start(t, always(parseScript(t, parts[0])))
			a := s.post(t, path, body)
			got := normalize(a)
			if os.Getenv("WEFT_GOLDEN") == "write" {
				if err := os.WriteFile(file, []byte(parts[0]+"----\n"+parts[1]+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(parts) < 3 || got != parts[2] {
				t.Errorf("%s answered\n%s\nwant\n%s", path, got, parts[len(parts)-1])
			}
		})
	}
}

// parseScript reads lines: a token's text, or "finish length", "error device", "cached 3".
func parseScript(t *testing.T, text string) script {
	var s script
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "token":
			s.tokens = append(s.tokens, say(value).tokens...)
		case "finish":
			s.finish = map[string]engine.Finish{"stop": engine.Stopped, "length": engine.Length}[value]
		case "cached":
			s.cached = len(value)
		case "error":
			s.err = map[string]error{"numeric": engine.ErrNumeric, "deadline": engine.ErrDeadline}[value]
		default:
			t.Fatalf("script line %q", line)
		}
	}
	return s
}

var volatile = regexp.MustCompile(`"(id":"(?:chatcmpl|cmpl)-)[0-9a-f]{24}"|"(created":)\d+`)

func normalize(a answer) string {
	body := volatile.ReplaceAllStringFunc(a.body, func(m string) string {
		if strings.Contains(m, "created") {
			return `"created":0`
		}
		return m[:strings.Index(m, "-")+1] + `0"`
	})
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	return strconv.Itoa(a.status) + " " + a.header.Get("Content-Type") + "\n" + body
}
