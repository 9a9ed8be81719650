package chat_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weft-llm/weft/chat"
	"github.com/weft-llm/weft/chat/jinja"
)

// The golden files say what Python's Jinja2 3.1.6 answers in the set-up of transformers; testdata/golden.py writes them.

type goldenLine struct {
	Vars          json.RawMessage
	Conversations map[string]json.RawMessage
	Now           int64
	Template      string
	Shape         string
	Conversation  string
	Prompt        bool
	Text          string
	Error         *goldenError
}

type goldenError struct {
	Kind string
	Msg  string
	Line int
}

func readGolden(t *testing.T, path string, each func(goldenLine)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var l goldenLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		each(l)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}

// sameMessage are the errors whose text Jinja2 itself makes; those of Python's built-ins only have to be of one kind.
var sameMessage = map[string]bool{
	"UndefinedError": true, "TemplateError": true, "TemplateRuntimeError": true, "TemplateSyntaxError": true,
	"TemplateAssertionError": true, "FilterArgumentError": true, "ZeroDivisionError": true,
}

// differentText are templates whose message holds a name of Python's own.
var differentText = map[string]bool{
	"{{ l|map(upper)|list }}": true,
	"{% set ns = namespace(items=1) %}{{ ns.items }}{{ ns.nope.x }}": true,
}

func checkGolden(t *testing.T, l goldenLine, text string, err error) {
	t.Helper()
	if l.Error == nil {
		if err != nil || text != l.Text {
			t.Errorf("%s\n got %q, %v\nwant %q", l.Template, text, err, l.Text)
		}
		return
	}
	var e *jinja.Error
	if !errors.As(err, &e) {
		t.Errorf("%s\n got %q, %v\nwant error %+v", l.Template, text, err, *l.Error)
		return
	}
	want := *l.Error
	got := goldenError{e.Kind, e.Msg, e.Line}
	if !sameMessage[want.Kind] || differentText[l.Template] {
		want.Msg = got.Msg
	}
	if want.Line == 0 || want.Kind == "RecursionError" { // where the stack ends is a matter of its size
		want.Line = got.Line
	}
	if got != want {
		t.Errorf("%s\n got %+v\nwant %+v", l.Template, got, want)
	}
}

func TestLanguage_IsJinja2s(t *testing.T) {
	var vars map[string]chat.Value
	var now time.Time
	cases := 0
	readGolden(t, filepath.Join("testdata", "language.jsonl"), func(l goldenLine) {
		if l.Vars != nil {
			v, err := chat.FromJSON(l.Vars)
			if err != nil {
				t.Fatal(err)
			}
			vars, now = map[string]chat.Value{}, time.Unix(l.Now, 0).UTC()
			for _, p := range jinja.Entries(v) {
				vars[p.Key] = p.Value
			}
			return
		}
		cases++
		text := ""
		tmpl, err := jinja.Parse(l.Template)
		if err == nil {
			text, err = tmpl.Render(vars, now)
		}
		checkGolden(t, l, text, err)
	})
	if cases < 300 {
		t.Errorf("language.jsonl has %d cases, want at least 300", cases)
	}
}

func TestShapes_RenderAsJinja2Does(t *testing.T) {
	shapes, cases := renderShapes(t, filepath.Join("testdata", "shapes.jsonl"), true)
	if shapes < 60 || cases < 6*shapes {
		t.Errorf("shapes.jsonl has %d shapes and %d cases, want at least 60 and 6 for each", shapes, cases)
	}
}

// TestReal_TemplatesRenderAsJinja2Does checks the templates of real models, which testdata/real.py fetches.
func TestReal_TemplatesRenderAsJinja2Does(t *testing.T) {
	path := filepath.Join("..", ".cache", "templates", "real.jsonl")
	if _, err := os.Stat(path); err != nil {
		t.Skip("skipped: no " + path + "; testdata/real.py makes it")
	}
	shapes, cases := renderShapes(t, path, false)
	t.Logf("%d templates, %d cases", shapes, cases)
}

// renderShapes checks all lines of a file. Without lines, errors may name another line of the template: in an expression
// that spans several, Jinja2 knows only the last.
func renderShapes(t *testing.T, path string, lines bool) (shapes, cases int) {
	t.Helper()
	inputs := map[string]chat.Input{}
	var tmpl *chat.Template
	var now time.Time
	source := ""
	readGolden(t, path, func(l goldenLine) {
		var err error
		switch {
		case l.Conversations != nil:
			now = time.Unix(l.Now, 0).UTC()
			for name, raw := range l.Conversations {
				inputs[name] = readInput(t, raw)
			}
			return
		case l.Shape != "":
			if tmpl, err = chat.Parse(l.Template); err != nil {
				t.Fatalf("Parse(%s): %v", l.Shape, err)
			}
			source = l.Shape
			shapes++
			return
		}
		cases++
		in := inputs[l.Conversation]
		in.AddGenerationPrompt, in.BOS, in.EOS, in.Now = l.Prompt, "<s>", "</s>", now
		text, err := tmpl.Render(in)
		l.Template = source + " with " + l.Conversation
		if l.Error != nil && !lines {
			l.Error.Line = 0
		}
		checkGolden(t, l, text, err)
	})
	return shapes, cases
}

func readInput(t *testing.T, raw []byte) chat.Input {
	t.Helper()
	v, err := chat.FromJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	in := chat.Input{Kwargs: map[string]chat.Value{}}
	for _, p := range jinja.Entries(v) {
		switch p.Key {
		case "messages":
			in.Messages = p.Value
		case "tools":
			in.Tools = p.Value
		default:
			in.Kwargs[p.Key] = p.Value
		}
	}
	return in
}
