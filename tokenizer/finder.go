package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// regexTimeout bounds one search with a pattern that only a backtracking engine can run.
const regexTimeout = 10 * time.Second

// newFinder builds a pattern: {"String": …} or {"Regex": …}.
func newFinder(v any) (finder, error) {
	n, ok := v.(node)
	if !ok {
		return nil, errors.New("no pattern")
	}
	if s, ok := n["String"].(string); ok {
		if s == "" {
			return nil, errors.New("empty pattern")
		}
		return literal(s), nil
	}
	src, ok := n["Regex"].(string)
	if !ok {
		return nil, errors.New("a pattern is neither String nor Regex")
	}
	return newRegex(src)
}

func newRegex(src string) (finder, error) {
	if p, err := compilePattern(src); err == nil {
		return p, nil
	}
	re, err := regexp2.Compile(src)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", src, err)
	}
	re.MatchTimeout = regexTimeout
	return &backtracker{re: re}, nil
}

// literal finds a string.
type literal string

func (l literal) find(s string, i int) (start, end int) {
	k := strings.Index(s[i:], string(l))
	if k < 0 {
		return -1, -1
	}
	return i + k, i + k + len(l)
}

// runeFinder finds single characters.
type runeFinder func(r rune) bool

func (f runeFinder) find(s string, i int) (start, end int) {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if f(r) {
			return i, i + n
		}
		i += n
	}
	return -1, -1
}

// backtracker runs patterns that need a full regular expression engine. Its matches are found all at once.
type backtracker struct {
	finder // nil: splitter asks for all
	re     *regexp2.Regexp
}

// all returns a finder of the matches in s, for one pass over it.
func (b *backtracker) all(s string) (finder, error) {
	matches, err := b.re.FindAllStringIndex(s, -1)
	return &found{matches}, err
}

// found hands out matches in order.
type found struct{ left [][]int }

func (f *found) find(string, int) (start, end int) {
	if len(f.left) == 0 {
		return -1, -1
	}
	m := f.left[0]
	f.left = f.left[1:]
	return m[0], m[1]
}
