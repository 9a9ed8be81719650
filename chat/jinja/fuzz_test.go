package jinja_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/chat/jinja"
)

// FuzzTemplate renders any text as a template. It must give a text within the bounds or an *Error. The bound on steps is
// what ends it, in a second; that of time finds work that is not counted, and fits the slowest machine.
func FuzzTemplate(f *testing.F) {
	if b, err := os.ReadFile("../testdata/language.jsonl"); err == nil {
		for _, line := range strings.Split(string(b), "\n") {
			if from := strings.Index(line, `":"`); from > 0 && strings.HasPrefix(line, `{"template"`) {
				f.Add(strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`).Replace(line[from+3:]))
			}
		}
	}
	f.Add("{{ '\x80' | title }}") // a text that is not UTF-8
	vars := map[string]jinja.Value{
		"messages": jinja.List(jinja.Map(jinja.Pair{Key: "role", Value: jinja.String("user")}, jinja.Pair{Key: "content", Value: jinja.String("Hé 🙂")})),
		"l":        jinja.List(jinja.Int(3), jinja.Int(1), jinja.Float(2.5)), "s": jinja.String("Hello World"), "t": jinja.Bool(true), "n": jinja.Int(7),
		"d": jinja.Map(jinja.Pair{Key: "a", Value: jinja.Int(1)}, jinja.Pair{Key: "b", Value: jinja.List(jinja.None{})}),
	}
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		tmpl, err := jinja.Parse(source)
		text := ""
		if err == nil {
			text, err = tmpl.Render(vars, time.Unix(0, 0))
		}
		var e *jinja.Error
		if err != nil && (!errors.As(err, &e) || e.Line < 1) {
			t.Errorf("got error %v, want an *Error with a line", err)
		}
		if len(text) > 4<<20 {
			t.Errorf("got %d bytes, want at most 4 MiB", len(text))
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}
