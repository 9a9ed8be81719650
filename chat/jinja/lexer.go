package jinja

import (
	"strings"
	"unicode/utf8"
)

// lexer splits a template into tokens by the rules of jinja2.lexer with trim_blocks and lstrip_blocks on.
type lexer struct {
	src       string
	pos       int
	line      int
	lineStart bool // the last match ended with a newline, or nothing was matched yet
	stack     []byte
	out       []token
}

// lex gives the tokens of source, ended by one of kind tEOF or tError.
func lex(source string) []token {
	source = strings.ReplaceAll(strings.ReplaceAll(source, "\r\n", "\n"), "\r", "\n")
	l := &lexer{src: strings.TrimSuffix(source, "\n"), line: 1, lineStart: true}
	for l.pos < len(l.src) && l.root() {
	}
	if n := len(l.out); n == 0 || l.out[n-1].kind != tError {
		l.emit(tEOF, "")
	}
	return l.out
}

func (l *lexer) emit(k tokenKind, s string) {
	l.out = append(l.out, token{kind: k, text: s, line: l.line})
}

func (l *lexer) fail(cause string) bool {
	l.emit(tError, cause)
	return false
}

// skip moves on by n bytes, counting lines.
func (l *lexer) skip(n int) {
	s := l.src[l.pos : l.pos+n]
	l.line += strings.Count(s, "\n")
	l.pos += n
	if n > 0 {
		l.lineStart = s[n-1] == '\n'
	}
}

// root emits the text up to the next tag and then the tag. False: the lexer is done.
func (l *lexer) root() bool {
	rest := l.src[l.pos:]
	at, open := nextTag(rest)
	if at < 0 {
		l.emit(tData, rest)
		l.skip(len(rest))
		return true
	}
	sign, body := signAfter(rest, at+2)
	if raw := rawBegin(rest[at:]); raw > 0 {
		return l.raw(rest[:at], sign, raw)
	}
	l.data(rest[:at], sign, open != '{')
	l.skip(body - at)
	l.lineStart = false
	switch open {
	case '#':
		return l.comment()
	case '{':
		l.emit(tVariableBegin, "")
		return l.code(tVariableEnd)
	}
	l.emit(tBlockBegin, "")
	return l.code(tBlockEnd)
}

// nextTag finds the first "{{", "{%" or "{#" and tells its second byte.
func nextTag(s string) (int, byte) {
	for i := 0; i+1 < len(s); i++ {
		j := strings.IndexByte(s[i:], '{')
		if j < 0 || i+j+1 >= len(s) {
			break
		}
		i += j
		if c := s[i+1]; c == '{' || c == '%' || c == '#' {
			return i, c
		}
	}
	return -1, 0
}

// signAfter tells the whitespace control sign at s[i:], if any, and where what follows it begins.
func signAfter(s string, i int) (byte, int) {
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		return s[i], i + 1
	}
	return 0, i
}

// data emits the text before a tag, stripped as the tag's sign and lstrip_blocks ask for, and moves past it.
func (l *lexer) data(s string, sign byte, block bool) {
	kept := s
	switch {
	case sign == '-':
		kept = strings.TrimRightFunc(s, isSpace)
	case sign == 0 && block:
		from := strings.LastIndexByte(s, '\n') + 1
		if (from > 0 || l.lineStart) && strings.TrimLeftFunc(s[from:], isSpace) == "" {
			kept = s[:from]
		}
	}
	if kept != "" {
		l.emit(tData, kept)
	}
	l.skip(len(s))
}

// rawBegin gives the length of "{% raw %}" at the start of s, or 0.
func rawBegin(s string) int {
	if s[1] != '%' {
		return 0
	}
	_, i := signAfter(s, 2)
	i += spaces(s[i:])
	if !strings.HasPrefix(s[i:], "raw") {
		return 0
	}
	i += 3
	i += spaces(s[i:])
	if strings.HasPrefix(s[i:], "-%}") {
		return i + 3 + spaces(s[i+3:])
	}
	if strings.HasPrefix(s[i:], "%}") {
		return i + 2
	}
	return 0
}

func (l *lexer) raw(before string, sign byte, begin int) bool {
	l.data(before, sign, true)
	l.skip(begin)
	rest := l.src[l.pos:]
	if rest == "" {
		return true // nor a raw block
	}
	for i := 0; ; i += 2 {
		j := strings.Index(rest[i:], "{%")
		if j < 0 {
			return l.fail("Missing end of raw directive")
		}
		i += j
		sign, k := signAfter(rest, i+2)
		k += spaces(rest[k:])
		if !strings.HasPrefix(rest[k:], "endraw") {
			continue
		}
		k += len("endraw")
		k += spaces(rest[k:])
		if n := blockEnd(rest[k:]); n > 0 {
			l.data(rest[:i], sign, true)
			l.skip(k + n - i)
			return true
		}
	}
}

// blockEnd gives the length of the end of a block tag at the start of s with the whitespace that it eats, or 0.
func blockEnd(s string) int {
	switch {
	case strings.HasPrefix(s, "+%}"):
		return 3
	case strings.HasPrefix(s, "-%}"):
		return 3 + spaces(s[3:])
	case strings.HasPrefix(s, "%}\n"):
		return 3
	case strings.HasPrefix(s, "%}"):
		return 2
	}
	return 0
}

func (l *lexer) comment() bool {
	rest := l.src[l.pos:]
	end := strings.Index(rest, "#}")
	if end < 0 {
		if rest == "" {
			return true // Jinja2 does not mind a comment that opens at the very end
		}
		return l.fail("Missing end of comment tag")
	}
	n := end + 2
	switch {
	case end > 0 && rest[end-1] == '-':
		n += spaces(rest[n:])
	case end > 0 && rest[end-1] == '+':
	case strings.HasPrefix(rest[n:], "\n"):
		n++
	}
	l.skip(n)
	return true
}

// code emits the tokens of a tag up to its end.
func (l *lexer) code(end tokenKind) bool {
	l.stack = l.stack[:0]
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		if len(l.stack) == 0 {
			if n := tagEnd(rest, end); n > 0 {
				l.emit(end, "")
				l.skip(n)
				return true
			}
		}
		if n := spaces(rest); n > 0 {
			l.skip(n)
			continue
		}
		if !l.token(rest) {
			return false
		}
	}
	return true
}

func tagEnd(s string, end tokenKind) int {
	if end == tBlockEnd {
		return blockEnd(s)
	}
	switch {
	case strings.HasPrefix(s, "-}}"):
		return 3 + spaces(s[3:])
	case strings.HasPrefix(s, "}}"):
		return 2
	}
	return 0
}

// token emits one name, literal or operator.
func (l *lexer) token(s string) bool {
	if isDigit(s[0]) {
		return l.number(s)
	}
	if s[0] == '\'' || s[0] == '"' {
		return l.str(s)
	}
	if n := nameLen(s); n > 0 {
		if !isIdentifier(s[:n]) {
			return l.fail("Invalid character in identifier")
		}
		l.emit(tName, s[:n])
		l.skip(n)
		return true
	}
	for _, o := range operators {
		if strings.HasPrefix(s, o.text) {
			if !l.balance(o.text[0]) {
				return false
			}
			l.emit(o.kind, o.text)
			l.skip(len(o.text))
			return true
		}
	}
	return l.unexpected(s)
}

func (l *lexer) unexpected(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	at := utf8.RuneCountInString(l.src[:l.pos])
	return l.fail("unexpected char " + quote(string(r)) + " at " + itoa(at))
}

// balance keeps track of brackets, because a tag cannot end inside of them.
func (l *lexer) balance(c byte) bool {
	switch c {
	case '{':
		l.stack = append(l.stack, '}')
	case '(':
		l.stack = append(l.stack, ')')
	case '[':
		l.stack = append(l.stack, ']')
	case '}', ')', ']':
		n := len(l.stack)
		if n == 0 {
			return l.fail("unexpected '" + string(c) + "'")
		}
		want := l.stack[n-1]
		l.stack = l.stack[:n-1]
		if want != c {
			return l.fail("unexpected '" + string(c) + "', expected '" + string(want) + "'")
		}
	}
	return true
}
