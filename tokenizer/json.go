package tokenizer

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSONDepth bounds nesting, so that a hostile file cannot exhaust the stack.
const maxJSONDepth = 64

// jsonReader walks a JSON document in place. A tokenizer.json is up to 33 MB of short strings, so strings without
// escapes are returned as slices of the file, and nothing is built that the caller does not ask for.
// The first error sticks: every later call does nothing.
type jsonReader struct {
	buf   []byte
	pos   int
	depth int
	tmp   []byte // holds a string that had escapes, until the next one
	err   error
}

var errJSONEnd = errors.New("unexpected end of file")

func (r *jsonReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("offset %d: "+format, append([]any{r.pos}, args...)...)
	}
}

// peek returns the next byte that is not white space without consuming it, or 0 at the end.
func (r *jsonReader) peek() byte {
	if r.err != nil {
		return 0
	}
	for r.pos < len(r.buf) {
		switch c := r.buf[r.pos]; c {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			return c
		}
	}
	r.fail("%w", errJSONEnd)
	return 0
}

// accept consumes c if it is the next byte that is not white space.
func (r *jsonReader) accept(c byte) bool {
	if r.peek() != c || r.err != nil {
		return false
	}
	r.pos++
	return true
}

func (r *jsonReader) expect(c byte) {
	if r.err == nil && !r.accept(c) {
		r.fail("want %q", c)
	}
}

// object calls field for every key. field must consume the value. The key is valid only until the next read.
func (r *jsonReader) object(field func(key []byte)) {
	r.expect('{')
	if r.enter(); r.err != nil || r.accept('}') {
		r.depth--
		return
	}
	for r.err == nil {
		key := r.str()
		r.expect(':')
		if r.err != nil {
			return
		}
		field(key)
		if r.accept('}') {
			r.depth--
			return
		}
		r.expect(',')
	}
}

// array calls element before every value. element must consume it.
func (r *jsonReader) array(element func()) {
	r.expect('[')
	if r.enter(); r.err != nil || r.accept(']') {
		r.depth--
		return
	}
	for r.err == nil {
		element()
		if r.accept(']') {
			r.depth--
			return
		}
		r.expect(',')
	}
}

func (r *jsonReader) enter() {
	if r.depth++; r.depth > maxJSONDepth {
		r.fail("nested deeper than %d", maxJSONDepth)
	}
}

// str reads a string. The result is a slice of the file or of r.tmp: it is valid until the next string is read.
func (r *jsonReader) str() []byte {
	r.expect('"')
	if r.err != nil {
		return nil
	}
	start := r.pos
	for i := start; i < len(r.buf); i++ {
		switch c := r.buf[i]; {
		case c == '"':
			r.pos = i + 1
			return r.buf[start:i]
		case c == '\\':
			return r.escaped(start, i)
		case c < 0x20:
			r.pos = i
			r.fail("control character in a string")
			return nil
		}
	}
	r.fail("%w", errJSONEnd)
	return nil
}

// escaped finishes a string whose first backslash is at i.
func (r *jsonReader) escaped(start, i int) []byte {
	r.tmp = append(r.tmp[:0], r.buf[start:i]...)
	for i < len(r.buf) {
		c := r.buf[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return r.tmp
		case c < 0x20:
			r.pos = i
			r.fail("control character in a string")
			return nil
		case c != '\\':
			r.tmp = append(r.tmp, c)
			i++
		default:
			r.pos = i
			if i = r.escape(i + 1); r.err != nil {
				return nil
			}
		}
	}
	r.fail("%w", errJSONEnd)
	return nil
}

// escape appends what the escape at i (behind the backslash) stands for and returns the index behind it.
func (r *jsonReader) escape(i int) int {
	if i >= len(r.buf) {
		r.fail("%w", errJSONEnd)
		return i
	}
	switch c := r.buf[i]; c {
	case '"', '\\', '/':
		r.tmp = append(r.tmp, c)
	case 'b':
		r.tmp = append(r.tmp, '\b')
	case 'f':
		r.tmp = append(r.tmp, '\f')
	case 'n':
		r.tmp = append(r.tmp, '\n')
	case 'r':
		r.tmp = append(r.tmp, '\r')
	case 't':
		r.tmp = append(r.tmp, '\t')
	case 'u':
		return r.unicodeEscape(i + 1)
	default:
		r.fail("unknown escape \\%c", c)
	}
	return i + 1
}

func (r *jsonReader) unicodeEscape(i int) int {
	u, ok := r.hex4(i)
	if !ok {
		r.fail("bad \\u escape")
		return i
	}
	i += 4
	if !utf16.IsSurrogate(u) {
		r.tmp = utf8.AppendRune(r.tmp, u)
		return i
	}
	if i+1 < len(r.buf) && r.buf[i] == '\\' && r.buf[i+1] == 'u' {
		if low, ok := r.hex4(i + 2); ok {
			if full := utf16.DecodeRune(u, low); full != utf8.RuneError {
				r.tmp = utf8.AppendRune(r.tmp, full)
				return i + 6
			}
		}
	}
	r.fail("half a surrogate pair")
	return i
}

func (r *jsonReader) hex4(i int) (rune, bool) {
	if i+4 > len(r.buf) {
		return 0, false
	}
	u, err := strconv.ParseUint(string(r.buf[i:i+4]), 16, 32)
	return rune(u), err == nil
}

// number returns the text of the next number.
func (r *jsonReader) number() []byte {
	r.peek()
	start := r.pos
	for r.pos < len(r.buf) && isNumberByte(r.buf[r.pos]) {
		r.pos++
	}
	if r.err == nil && r.pos == start {
		r.fail("want a number")
	}
	return r.buf[start:r.pos]
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// id reads a token id.
func (r *jsonReader) id() int32 {
	text := r.number()
	if r.err != nil {
		return 0
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' || n > maxTokenID {
			r.fail("want a token id of 0 to %d, have %s", maxTokenID, text)
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	if n > maxTokenID {
		r.fail("want a token id of 0 to %d, have %s", maxTokenID, text)
		return 0
	}
	return int32(n)
}

// float reads a number as float64.
func (r *jsonReader) float() float64 {
	text := r.number()
	if r.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		r.fail("bad number %s", text)
	}
	return f
}

// value reads any value: nil, bool, float64, string, []any or node.
func (r *jsonReader) value() any {
	switch r.peek() {
	case '{':
		n := node{}
		r.object(func(key []byte) { k := string(key); n[k] = r.value() })
		return n
	case '[':
		list := []any{}
		r.array(func() { list = append(list, r.value()) })
		return list
	case '"':
		return string(r.str())
	case 't':
		r.word("true")
		return true
	case 'f':
		r.word("false")
		return false
	case 'n':
		r.word("null")
		return nil
	}
	return r.float()
}

func (r *jsonReader) word(w string) {
	if len(r.buf)-r.pos < len(w) || string(r.buf[r.pos:r.pos+len(w)]) != w {
		r.fail("want %s", w)
		return
	}
	r.pos += len(w)
}

// skip passes over any value.
func (r *jsonReader) skip() {
	switch r.peek() {
	case '{':
		r.object(func([]byte) { r.skip() })
	case '[':
		r.array(r.skip)
	case '"':
		r.str()
	default:
		r.value()
	}
}

// end checks that nothing but white space is left.
func (r *jsonReader) end() {
	if r.err != nil {
		return
	}
	for r.pos < len(r.buf) {
		switch r.buf[r.pos] {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			r.fail("text behind the document")
			return
		}
	}
}
