package hub

import (
	"strings"
	"testing"
)

func TestParseRef_ReadsWhatItPrints(t *testing.T) {
	for s, want := range map[string]Ref{
		"hf://Qwen/Qwen3-0.6B":                        {Owner: "Qwen", Name: "Qwen3-0.6B"},
		"hf://a/b@refs/pr/1":                          {Owner: "a", Name: "b", Revision: "refs/pr/1"},
		"hf://a/b@v1.0:Q4_K_M":                        {Owner: "a", Name: "b", Revision: "v1.0", Select: "Q4_K_M"},
		"hf://a/b:sub/model-00001-of-00002.gguf":      {Owner: "a", Name: "b", Select: "sub/model-00001-of-00002.gguf"},
		"hf://a_b/c.d_e@" + commitA + ":UD-IQ2_XXS":   {Owner: "a_b", Name: "c.d_e", Revision: commitA, Select: "UD-IQ2_XXS"},
		"hf://unsloth/Qwen3-8B-GGUF:Qwen3 8B Q8.gguf": {Owner: "unsloth", Name: "Qwen3-8B-GGUF", Select: "Qwen3 8B Q8.gguf"},
	} {
		got, err := ParseRef(s)
		if err != nil || got != want {
			t.Errorf("ParseRef(%q) = %+v, %v, want %+v", s, got, err, want)
		}
		if got.String() != s {
			t.Errorf("String() = %q, want %q", got.String(), s)
		}
	}
}

func TestParseRef_RefusesWhatIsNoReference(t *testing.T) {
	for _, s := range []string{
		"", "a/b", "hf:/a/b", "HF://a/b", "hf://", "hf://a", "hf://a/", "hf:///b", "hf://a/b/c", "hf://a/b@", "hf://a/b:",
		"hf://../b", "hf://a/..", "hf://a/.b", "hf://a--b/c", "hf://a/b--c", "hf://a/b..c", "hf://a/b.", "hf://a/b-", "hf://a b/c",
		"hf://a/b@../x", "hf://a/b@x/../y", "hf://a/b@/x", "hf://a/b@x/", "hf://a/b@x//y", "hf://a/b@x\\y", "hf://a/b@x?y", "hf://a/b@-x",
		"hf://a/b:../x.gguf", "hf://a/b:/x.gguf", "hf://a/b:x/../../y", "hf://a/b:x\\y", "hf://a/b:x\x00y", "hf://a/b:x:y", "hf://a/b:..",
		"hf://" + strings.Repeat("a", 96) + "/b", "hf://a/b@" + strings.Repeat("x", 600), "hf://a/b:" + strings.Repeat("x", 600),
		"hf://a/b\n", "hf://ä/b", "hf://a/b#c", "hf://a/b%2f",
	} {
		if got, err := ParseRef(s); err == nil {
			t.Errorf("ParseRef(%q) = %+v, want an error", s, got)
		}
	}
}

// FuzzParseRef checks that whatever is accepted stays in its place as a path.
func FuzzParseRef(f *testing.F) {
	f.Add("hf://a/b@c/d:e/f.gguf")
	f.Add("hf://0/0:0..")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			return
		}
		for _, p := range []string{r.folder(), r.Revision, r.Select} {
			if strings.Contains(p, "..") && !validFile(p) || strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\\\x00\n") {
				t.Errorf("ParseRef(%q) lets %q through", s, p)
			}
		}
		if back, ok := refOfFolder(r.folder()); !ok || back.ID() != r.ID() {
			t.Errorf("refOfFolder(%q) = %v", r.folder(), back)
		}
		if again, err := ParseRef(r.String()); err != nil || again != r {
			t.Errorf("ParseRef(%q) = %+v, %v, want %+v", r.String(), again, err, r)
		}
	})
}
