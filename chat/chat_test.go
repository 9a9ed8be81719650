package chat_test

import (
	"strings"
	"testing"

	"github.com/weft-llm/weft/chat"
)

func mustParse(t *testing.T, source string) *chat.Template {
	t.Helper()
	tmpl, err := chat.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestFromJSON_KeepsKeyOrderAndIntegers(t *testing.T) {
	const in = `{"z": 1, "a": [1.0, -0, 12345678901234567890, 1e2, true, null], "é": {"b": "\u00e9\ud83d\ude00", "z": 3}, "z": 2}`
	v, err := chat.FromJSON([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	got, err := mustParse(t, "{{ x|tojson }}").Render(chat.Input{Kwargs: map[string]chat.Value{"x": v}})
	const want = `{"z": 2, "a": [1.0, 0, 12345678901234567890, 100.0, true, null], "é": {"b": "é😀", "z": 3}}`
	if got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestFromJSON_RefusesWhatIsNotStrict(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, in := range []string{
		"", " ", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "01", "1.", ".5", "+1", "NaN", "Infinity", "nul", "\"\\x\"", "\"a", "\"\n\"", "[1] 2", "[1]]",
		"\"\\ud800\"", "\"\xff\"", "{1:2}", "// c\n1", "{\"a\" 1}", "[1 2]", deep(chat.MaxJSONDepth + 1), strings.Repeat("[", 1<<20), strings.Repeat("9", 5000),
	} {
		if v, err := chat.FromJSON([]byte(in)); err == nil {
			t.Errorf("FromJSON(%.40q) = %v, want an error", in, v)
		}
	}
	if _, err := chat.FromJSON([]byte(deep(chat.MaxJSONDepth))); err != nil {
		t.Errorf("FromJSON of %d levels: %v, want none", chat.MaxJSONDepth, err)
	}
}

func TestRender_SeesMessagesMadeInGo(t *testing.T) {
	tmpl := mustParse(t, "{{ bos_token }}{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}{{ tools }}{{ eos_token is defined }}{{ extra }}{% if add_generation_prompt %}>{% endif %}")
	got, err := tmpl.Render(chat.Input{
		Messages:            chat.List(chat.Map(chat.Pair{Key: "role", Value: chat.String("user")}, chat.Pair{Key: "content", Value: chat.String("Hi")})),
		AddGenerationPrompt: true,
		BOS:                 "<s>",
		Kwargs:              map[string]chat.Value{"extra": chat.List(chat.Int(1), nil, chat.Bool(true), chat.Float(0.5))},
	})
	if want := "<s>user=Hi;NoneFalse[1, None, True, 0.5]>"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestValue_PartsComeBackInOrder(t *testing.T) {
	v := chat.Map(chat.Pair{Key: "b", Value: chat.List(chat.Int(1), chat.String("x"))}, chat.Pair{Key: "a"}, chat.Pair{Key: "b", Value: chat.Int(2)})
	got := chat.Entries(v)
	if len(got) != 2 || got[0] != (chat.Pair{Key: "b", Value: chat.Int(2)}) || got[1] != (chat.Pair{Key: "a", Value: chat.None{}}) {
		t.Errorf("Entries() = %v, want b: 2, a: None", got)
	}
	items := chat.Items(chat.List(chat.Int(1), nil))
	if len(items) != 2 || items[0] != chat.Int(1) || items[1] != (chat.None{}) {
		t.Errorf("Items() = %v, want 1, None", items)
	}
	if chat.Items(v) != nil || chat.Entries(chat.Int(1)) != nil {
		t.Errorf("Items of a map and Entries of a number are not nil")
	}
}

func TestErrors_SayWhatAndWhere(t *testing.T) {
	_, err := chat.Parse("a\n{{ 1 +")
	if got, want := errText(err), "cannot parse chat template: line 2: TemplateSyntaxError: unexpected 'end of template'"; got != want {
		t.Errorf("Parse error = %q, want %q", got, want)
	}
	_, err = mustParse(t, "\n\n{{ raise_exception('no system role') }}").Render(chat.Input{})
	if got, want := errText(err), "cannot render chat template: line 3: TemplateError: no system role"; got != want {
		t.Errorf("Render error = %q, want %q", got, want)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,null,true,"x\u00e9"]}`, `[[[]]]`, `-0`, `"\ud83d\ude00"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := chat.FromJSON(b); (v == nil) == (err == nil) {
			t.Errorf("FromJSON(%q) = %v, %v: want a value or an error", b, v, err)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	tmpl, err := chat.Parse("{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' + '\n' }}{% endfor %}{% if tools %}{{ tools|tojson }}{% endif %}")
	if err != nil {
		b.Fatal(err)
	}
	var messages []chat.Value
	for range 20 {
		messages = append(messages, chat.Map(chat.Pair{Key: "role", Value: chat.String("user")}, chat.Pair{Key: "content", Value: chat.String("What is the capital of France?")}))
	}
	in := chat.Input{Messages: chat.List(messages...)}
	for b.Loop() {
		if _, err := tmpl.Render(in); err != nil {
			b.Fatal(err)
		}
	}
}
