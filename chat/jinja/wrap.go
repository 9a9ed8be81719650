package jinja

import (
	"strings"
	"unicode"
)

func filterWordWrap(st *state, v Value, a *args) Value {
	b := a.bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens")
	w := wrapper{width: 79, long: b[1] == nil || truth(b[1]), hyphens: b[3] == nil || truth(b[3])}
	if b[0] != nil {
		w.width = needInt(b[0])
	}
	sep := "\n"
	if !isNone(b[2]) {
		sep = needText("wordwrap", b[2])
	}
	s, ok := text(v)
	if !ok {
		checkDefined(v)
		raise("AttributeError", "%s object has no attribute 'splitlines'", quote(v.typeName()))
	}
	var out strings.Builder
	st.bytes(64 * len(s)) // a word takes much more room while lines are put together
	for i, line := range splitLines(s, false) {
		if i > 0 {
			st.grow(out.Len(), len(sep))
			out.WriteString(sep)
		}
		for j, part := range w.wrap(line) {
			if j > 0 {
				st.grow(out.Len(), len(sep))
				out.WriteString(sep)
			}
			st.grow(out.Len(), len(part))
			out.WriteString(part)
		}
	}
	return sameMarkup(v, out.String())
}

// wrapper breaks a line into lines of at most width runes, as Python's textwrap does with expand_tabs and
// replace_whitespace off.
type wrapper struct {
	width         int
	long, hyphens bool
}

func (w *wrapper) wrap(s string) []string {
	if w.width <= 0 {
		raise("ValueError", "invalid width %d (must be > 0)", w.width)
	}
	chunks := w.chunks([]rune(s))
	var lines []string
	for len(chunks) > 0 {
		if blankRunes(chunks[0]) && lines != nil {
			chunks = chunks[1:]
		}
		var line [][]rune
		n := 0
		for len(chunks) > 0 && n+len(chunks[0]) <= w.width {
			n += len(chunks[0])
			line = append(line, chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > w.width {
			switch end := w.breakAt(chunks[0], w.width-n); {
			case w.long:
				line = append(line, chunks[0][:end])
				chunks[0] = chunks[0][end:]
			case line == nil:
				line = append(line, chunks[0])
				chunks = chunks[1:]
			}
		}
		if k := len(line); k > 0 && blankRunes(line[k-1]) {
			line = line[:k-1]
		}
		if len(line) > 0 {
			var b strings.Builder
			for _, c := range line {
				b.WriteString(string(c))
			}
			lines = append(lines, b.String())
		}
	}
	return lines
}

// breakAt tells where to cut a chunk that does not fit a line of its own.
func (w *wrapper) breakAt(c []rune, room int) int {
	if !w.hyphens || len(c) <= room {
		return room
	}
	for i := room - 1; i > 0; i-- {
		if c[i] == '-' {
			if strings.Trim(string(c[:i]), "-") != "" {
				return i + 1
			}
			break
		}
	}
	return room
}

func blankRunes(c []rune) bool { return strings.TrimFunc(string(c), isSpace) == "" }

func wrapSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }
func wordRune(r rune) bool  { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
func wordPunct(r rune) bool { return wordRune(r) || strings.ContainsRune(`!"'&.,?`, r) }
func letterRune(r rune) bool {
	return wordRune(r) && !unicode.Is(unicode.Nd, r)
}

// chunks splits where a line may break: around spaces, after hyphens in words, around dashes.
func (w *wrapper) chunks(s []rune) (out [][]rune) {
	for i := 0; i < len(s); {
		j := i + 1
		if wrapSpace(s[i]) {
			for j < len(s) && wrapSpace(s[j]) {
				j++
			}
		} else if n := dash(s, i); w.hyphens && n > 0 && i > 0 && wordPunct(s[i-1]) {
			j = i + n
		} else {
			for j < len(s) && !wrapSpace(s[j]) {
				if w.hyphens && hyphenated(s, j) {
					j++
					break
				}
				if w.hyphens && wordPunct(s[j-1]) && dash(s, j) > 0 {
					break
				}
				j++
			}
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

// dash gives the length of a run of two or more hyphens at i before a word, or 0.
func dash(s []rune, i int) int {
	n := 0
	for i+n < len(s) && s[i+n] == '-' {
		n++
	}
	if n < 2 || i+n >= len(s) || !wordRune(s[i+n]) {
		return 0
	}
	return n
}

// hyphenated tells whether a line may break after the hyphen at j.
func hyphenated(s []rune, j int) bool {
	if s[j] != '-' || j < 2 {
		return false
	}
	before := letterRune(s[j-2]) && letterRune(s[j-1]) || j > 2 && letterRune(s[j-3]) && s[j-2] == '-' && wordPunct(s[j-1])
	if !before || j+1 >= len(s) || !letterRune(s[j+1]) {
		return false
	}
	k := j + 2
	if k < len(s) && s[k] == '-' {
		k++
	}
	return k < len(s) && letterRune(s[k])
}
