package simt

import "strings"

// scanner walks over PTX and counts lines.
type scanner struct {
	text string // what is left
	line int
}

func (s *scanner) advance(n int) {
	s.line += strings.Count(s.text[:n], "\n")
	s.text = s.text[n:]
}

// skip passes white space and comments.
func (s *scanner) skip() {
	for {
		n := len(s.text) - len(strings.TrimLeft(s.text, " \t\r\n"))
		switch rest := s.text[n:]; {
		case strings.HasPrefix(rest, "//"):
			n += upTo(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			n += upTo(rest, "*/") + 2
		default:
			s.advance(n)
			return
		}
		s.advance(min(n, len(s.text)))
	}
}

// upTo is how far it is to mark, or to the end.
func upTo(text, mark string) int {
	if n := strings.Index(text, mark); n >= 0 {
		return n
	}
	return len(text)
}

// until returns what comes before the first of the ends, without comments, and passes both.
func (s *scanner) until(ends string) (text string, end byte) {
	var out strings.Builder
	for s.text != "" {
		n := strings.IndexAny(s.text, ends+"/")
		if n < 0 {
			n = len(s.text)
		}
		out.WriteString(s.text[:n])
		s.advance(n)
		switch {
		case s.text == "":
		case strings.HasPrefix(s.text, "//") || strings.HasPrefix(s.text, "/*"):
			s.skip()
			out.WriteByte(' ')
		default:
			end = s.text[0]
			s.advance(1)
			if strings.IndexByte(ends, end) >= 0 {
				return strings.TrimSpace(out.String()), end
			}
			out.WriteByte(end)
		}
	}
	return strings.TrimSpace(out.String()), 0
}

// block passes a body whose opening brace has been passed and returns it without the closing one.
func (s *scanner) block() string {
	depth := 1
	for i := 0; i < len(s.text); i++ {
		switch s.text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				body := s.text[:i]
				s.advance(i + 1)
				return body
			}
		case '/':
			if strings.HasPrefix(s.text[i:], "//") {
				i += upTo(s.text[i:], "\n") - 1
			}
		}
	}
	body := s.text
	s.advance(len(s.text))
	return body
}
