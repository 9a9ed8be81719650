package weft_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/weft-llm/weft"
)

var update = flag.Bool("update", false, "write the golden files anew")

// builtinGolden holds blocks of "> " lines, which the user says one after the other, and the greedy answers to them.
const builtinGolden = "testdata/builtin.golden"

func TestBuiltin_AnswersAsTheGoldenFileSays(t *testing.T) {
	m, err := weft.Open(weft.Builtin, weft.Options{Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want, err := os.ReadFile(builtinGolden)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	blocks := strings.Split(strings.TrimSpace(string(want)), "\n\n")
	got.WriteString(blocks[0] + "\n")
	for _, block := range blocks[1:] {
		got.WriteString("\n" + replay(t, m, block))
	}
	if *update {
		text := madeBy(t) + got.String()[len(blocks[0]):]
		if err := os.WriteFile(builtinGolden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(want) {
		t.Errorf("answers are\n%s\nwant\n%s", got.String(), want)
	}
}

// replay says the user's lines of a block to the model and returns the block with the model's answers.
func replay(t *testing.T, m *weft.Model, block string) string {
	t.Helper()
	var out strings.Builder
	var said []weft.Message
	for line := range strings.Lines(block) {
		user, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "> ")
		if !ok {
			continue
		}
		said = append(said, weft.Message{Role: "user", Content: user})
		answer, err := m.Chat(context.Background(), said, weft.Params{Temperature: weft.Temperature(0), MaxTokens: 200})
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, weft.Message{Role: "assistant", Content: answer})
		out.WriteString("> " + user + "\n" + answer + "\n")
	}
	return out.String()
}

// madeBy is the golden file's first line: the commit that made it.
func madeBy(t *testing.T) string {
	t.Helper()
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "# Greedy answers of the built-in model, on the CPU. Made by `go test -run Builtin . -update` at commit " + strings.TrimSpace(string(commit))
}

func TestBuiltin_OpensItsTextAlone(t *testing.T) {
	text, err := weft.OpenText(weft.Builtin)
	if err != nil {
		t.Fatal(err)
	}
	if text.Tokenizer == nil || text.Template == nil {
		t.Errorf("OpenText() = %+v, want a tokenizer and a template", text)
	}
}
