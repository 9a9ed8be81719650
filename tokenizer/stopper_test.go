package tokenizer

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestStopper_HoldsBackOnlyWhatMayBeAStop(t *testing.T) {
	for _, c := range []struct {
		name  string
		stops string // separated by |
		push  string // pieces separated by |
		want  string // what each piece lets through, then what flush does
		found bool
	}{
		{"nothing to find", "", "ab|c", "ab|c|", false},
		{"whole in a piece", "STOP", "aSTOPb", "a", true},
		{"across pieces", "STOP", "aS|TO|Pb", "a||", true},
		{"a start that was none", "STOP", "aST|x", "a|STx|", false},
		{"a start at the end", "STOP", "aST", "a|ST", false},
		{"the start repeats", "aab", "a|a|a|b", "||a|", true},
		{"the first to end wins", "abcd|bc", "xabcd", "xa", true},
		{"the longest that ends there", "bc|abc", "xabc", "x", true},
		{"one inside another's start", "abcd|c", "abce", "ab", true},
	} {
		var stops []string
		if c.stops != "" {
			stops = strings.Split(c.stops, "|")
		}
		s := NewStopper(stops, false)
		var got []string
		found := false
		for piece := range strings.SplitSeq(c.push, "|") {
			var out []byte
			out, found = s.Push(nil, piece)
			got = append(got, string(out))
			if found {
				break
			}
		}
		if !found {
			got = append(got, string(s.Flush(nil)))
		}
		if g := strings.Join(got, "|"); g != c.want || found != c.found {
			t.Errorf("%s: %q %v, want %q %v", c.name, g, found, c.want, c.found)
		}
	}
}

// TestStopper_AgreesWithSearch: whatever the cuts, what is let through is the text up to the stop string that a plain
// search finds to end first, and nothing that was let through could have been held.
func TestStopper_AgreesWithSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 1, 5, -1)
		stops := rapid.SliceOfN(letters, 1, 4).Draw(t, "stops")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 40, -1).Draw(t, "text")
		s := NewStopper(stops, false)
		var got []byte
		found := false
		for rest := text; rest != "" && !found; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			got, found = s.Push(got, rest[:n])
			rest = rest[n:]
		}
		if !found {
			got = s.Flush(got)
		}
		want, wantFound := firstStop(text, stops)
		if string(got) != want || found != wantFound {
			t.Fatalf("%q with stops %q = %q %v, want %q %v", text, stops, got, found, want, wantFound)
		}
	})
}

func firstStop(text string, stops []string) (string, bool) {
	for end := range len(text) + 1 {
		best := -1
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) && (best < 0 || end-len(s) < best) {
				best = end - len(s)
			}
		}
		if best >= 0 {
			return text[:best], true
		}
	}
	return text, false
}
