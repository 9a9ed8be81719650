package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/dlclark/regexp2/v2"
)

// knownPatterns are those that pattern must compile: no well-known model may end in the slow engine.
func knownPatterns() map[string]string {
	return map[string]string{
		"gpt2": gpt2Pattern, "llama3": llama3Pattern, "qwen2": qwen2Pattern, "qwen35": qwen35Pattern, "o200k": o200kPattern,
		"tekken": tekkenPattern, "deepseek3": deepseek3Words, "han": hanPattern, "digits": `\p{N}{1,3}`, "seed": seedPattern,
		"kimi": kimiPattern, "bailing": bailingPattern, "deepseek-llm": deepseekLatin,
		"spaces": ` {2,}`, "starcoder": `[0-9][0-9][0-9]`, "clip": `'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
	}
}

// dotNet rewrites what .NET's dialect has no word for: intersections and scripts are blocks there.
func dotNet(src string) string {
	return strings.NewReplacer(`&&[^\p{Han}]]`, `-[`+hanBlocks+`]]`, `\p{Han}`, hanBlocks).Replace(src)
}

const hanBlocks = `\u2E80-\u2FDF\u3005\u3007\u3021-\u3029\u3038-\u303B\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF`

// patternAlphabet has all that patterns tell apart, without characters whose class depends on the Unicode version, and
// without ſ and K, which only Oniguruma takes for s and k.
var patternAlphabet = []rune("   \n\n\r\t\u00a0\u3000\u0085\u2028'''sStTdmMlLrReEvVabzABZéÉßÄǅʰªñ\u0301\u0903\u20dd0179٣ⅧⅣ½²日本一龥かカー가각!?.,-_/\\|~$+<=>^`€😀\u200b\u200d\u0000\u001f\u00ad")

func matches(t *testing.T, f finder, s string) (spans [][2]int) {
	t.Helper()
	if b, ok := f.(*backtracker); ok {
		var err error
		if f, err = b.all(s); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(s); {
		start, end := f.find(s, i)
		if start < 0 {
			break
		}
		spans = append(spans, [2]int{start, end})
		i = end
	}
	return spans
}

func TestPattern_FindsWhatARegularExpressionEngineFinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for name, src := range knownPatterns() {
		p, err := compilePattern(src)
		if err != nil {
			t.Errorf("%s goes to the slow engine", name)
			continue
		}
		re, err := regexp2.Compile(dotNet(src))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 3000 {
			s := randomText(rng, string(patternAlphabet), 1+rng.IntN(24))
			if got, want := matches(t, p, s), matches(t, &backtracker{re: re}, s); !slices.Equal(got, want) {
				t.Fatalf("%s: matches in %q = %v, want %v", name, s, got, want)
			}
		}
	}
}

func TestPattern_RefusesWhatItCannotDo(t *testing.T) {
	for _, src := range []string{
		``, `a*`, `a|b*`, `(?<=a)b`, `\bword`, `a+?`, `a++`, `(a|b)+`, `^a`, `a$`, `.`, `\1`, `[a-`, `[z-a]`, `a{3,2}`, `a{99999}`, `(a`, `a)`,
		`\p{Nonsense}`, `\p{L`, `[[:alpha:]]`, `(?s)a`, `(?:a+b*)c`, `[]a]`, `\`, `[\`, strings.Repeat("(", 20),
	} {
		if _, err := compilePattern(src); err == nil {
			t.Errorf("compilePattern(%q) succeeded", src)
		}
	}
}

func TestPattern_FoldsCaseAsOnigurumaDoes(t *testing.T) {
	p, err := compilePattern(`(?i:'s|'ll)`)
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]bool{"'s": true, "'S": true, "'ſ": true, "'lL": true, "'x": false, "'l": false} {
		if start, _ := p.find(s, 0); start >= 0 != want {
			t.Errorf("(?i:'s|'ll) matches %q: %v, want %v", s, start >= 0, want)
		}
	}
}

func TestCategories_AgreeWithUnicodeForOldCharacters(t *testing.T) {
	for name, set := range map[string]categories{"L": catL, "M": catM, "Nd": catNd, "P": catP, "S": catS, "Zs": catZs, "Lu": catLu, "Ll": catLl} {
		diff := 0
		for r := range rune(0x3000) {
			if set.has(r) != unicode.Is(unicode.Categories[name], r) {
				diff++
			}
		}
		if diff > 80 { // characters added between the two versions
			t.Errorf("%s differs from package unicode for %d of the first 12288 characters", name, diff)
		}
	}
	for r := range rune(0x110000) {
		if isSpace(r) != unicode.IsSpace(r) {
			t.Errorf("isSpace(%U) = %v", r, isSpace(r))
		}
	}
}

func FuzzPattern(f *testing.F) {
	patterns := map[string][2]finder{}
	for name, src := range knownPatterns() {
		p, err := compilePattern(src)
		if err != nil {
			f.Fatal(err)
		}
		re, err := regexp2.Compile(dotNet(src))
		if err != nil {
			f.Fatal(err)
		}
		patterns[name] = [2]finder{p, &backtracker{re: re}}
	}
	f.Add([]byte("It's  12345\r\n x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 256)] // regexp2 goes back over long texts for minutes
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = patternAlphabet[int(b)%len(patternAlphabet)]
		}
		for name, pair := range patterns {
			if got, want := matches(t, pair[0], string(runes)), matches(t, pair[1], string(runes)); !slices.Equal(got, want) {
				t.Fatalf("%s: matches in %q = %v, want %v", name, string(runes), got, want)
			}
		}
	})
}
