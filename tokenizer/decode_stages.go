package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// byteLevelStage translates tokens to bytes and lets through what is complete UTF-8.
type byteLevelStage struct {
	next stage
	tail []byte // the beginning of a character
	tmp  []byte
}

func (s *byteLevelStage) push(tok string) {
	raw, ok := appendAlphabetBytes(s.tmp[:0], []byte(tok))
	if !ok {
		raw = append(raw, tok...)
	}
	s.tmp = raw
	s.bytes(raw)
}

// bytes takes a token that is translated already.
func (s *byteLevelStage) bytes(raw []byte) {
	s.tail = append(s.tail, raw...)
	out, n := validPrefix(s.tail)
	s.tail = append(s.tail[:0], s.tail[n:]...)
	if out != "" {
		s.next.push(out)
	}
}

func (s *byteLevelStage) end() {
	if len(s.tail) > 0 {
		s.next.push("\uFFFD") // what is held is the valid beginning of one character
	}
	s.tail = s.tail[:0]
	s.next.end()
}

// fallbackStage joins byte tokens (<0x0A>). A run of them that is not UTF-8 becomes one U+FFFD for each.
type fallbackStage struct {
	next stage
	run  []byte
}

func (s *fallbackStage) push(tok string) {
	if b, ok := byteToken(tok); ok {
		s.run = append(s.run, b)
		return
	}
	s.flush()
	s.next.push(tok)
}

func (s *fallbackStage) flush() {
	if len(s.run) == 0 {
		return
	}
	if utf8.Valid(s.run) {
		s.next.push(string(s.run))
	} else {
		for range s.run {
			s.next.push("\uFFFD")
		}
	}
	s.run = s.run[:0]
}

func (s *fallbackStage) end() {
	s.flush()
	s.next.end()
}

// byteToken returns the byte that <0xNN> stands for.
func byteToken(tok string) (byte, bool) {
	if len(tok) != 6 || tok[:3] != "<0x" || tok[5] != '>' {
		return 0, false
	}
	digits := strings.TrimPrefix(tok[3:5], "+") // as the reference's number parser
	b, err := strconv.ParseUint(digits, 16, 8)
	return byte(b), err == nil
}

// fuseStage makes one token of all.
type fuseStage struct {
	next stage
	buf  []byte
}

func (s *fuseStage) push(tok string) { s.buf = append(s.buf, tok...) }

func (s *fuseStage) end() {
	s.next.push(string(s.buf))
	s.buf = nil
	s.next.end()
}

// replaceStage applies a replacer to each token.
type replaceStage struct {
	r    *replacer
	next stage
}

func (s *replaceStage) push(tok string) { s.next.push(s.r.normalize(tok)) }
func (s *replaceStage) end()            { s.next.end() }

// stripStage cuts up to start and stop times content off the ends of each token.
type stripStage struct {
	next        stage
	content     rune
	start, stop int
}

func (s *stripStage) push(tok string) {
	c := string(s.content)
	for range s.start {
		tok = strings.TrimPrefix(tok, c)
	}
	for range s.stop {
		tok = strings.TrimSuffix(tok, c)
	}
	s.next.push(tok)
}

func (s *stripStage) end() { s.next.end() }

// stripStream is stripStage for one token that comes in pieces.
type stripStream struct {
	stripStage
	left int // how many may still be cut off the beginning
	held int // contents at the end that may have to go
}

func (s *stripStream) push(tok string) {
	c := string(s.content)
	for s.left > 0 && tok != "" {
		if !strings.HasPrefix(tok, c) {
			s.left = 0
			break
		}
		tok = tok[len(c):]
		s.left--
	}
	if s.stop == 0 {
		s.next.push(tok)
		return
	}
	body := strings.TrimRight(tok, c)
	trailing := (len(tok) - len(body)) / len(c)
	if body != "" {
		s.next.push(strings.Repeat(c, s.held) + body)
		s.held = 0
	}
	s.held += trailing
	if extra := s.held - s.stop; extra > 0 {
		s.next.push(strings.Repeat(c, extra))
		s.held = s.stop
	}
}

// metaspaceStage writes ▁ as spaces, and as nothing in the first token.
type metaspaceStage struct {
	next stage
	mark string
	drop bool
	seen bool
}

func (s *metaspaceStage) push(tok string) {
	space := " "
	if !s.seen && s.drop {
		space = ""
	}
	s.seen = true
	s.next.push(strings.ReplaceAll(tok, s.mark, space))
}

func (s *metaspaceStage) end() { s.next.end() }

// wordPieceStage joins pieces to words and puts spaces between words.
type wordPieceStage struct {
	next    stage
	prefix  string
	cleanup bool
	seen    bool
}

func (s *wordPieceStage) push(tok string) {
	if s.seen {
		if rest, ok := strings.CutPrefix(tok, s.prefix); ok {
			tok = rest
		} else {
			tok = " " + tok
		}
	}
	s.seen = true
	if s.cleanup {
		tok = cleanUp(tok)
	}
	s.next.push(tok)
}

func (s *wordPieceStage) end() { s.next.end() }

var cleanUps = []string{" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m",
	" do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re"}

// cleanUp takes the spaces out that English spelling does not have. The order of the rules matters.
func cleanUp(s string) string {
	for i := 0; i < len(cleanUps); i += 2 {
		s = strings.ReplaceAll(s, cleanUps[i], cleanUps[i+1])
	}
	return s
}

// suffixStage writes an end-of-word suffix as a space, at the very end as nothing.
type suffixStage struct {
	next   stage
	suffix string
	last   string
	held   bool
}

func (s *suffixStage) push(tok string) {
	if s.held {
		s.next.push(strings.ReplaceAll(s.last, s.suffix, " "))
	}
	s.last, s.held = tok, true
}

func (s *suffixStage) end() {
	if s.held {
		s.next.push(strings.ReplaceAll(s.last, s.suffix, ""))
	}
	s.held = false
	s.next.end()
}

// ctcStage drops repetitions and padding.
type ctcStage struct {
	next           stage
	pad, delimiter string
	cleanup        bool
	last           string
	seen           bool
}

func (s *ctcStage) push(tok string) {
	if s.seen && tok == s.last {
		return
	}
	s.last, s.seen = tok, true
	out := strings.ReplaceAll(tok, s.pad, "")
	if s.cleanup {
		out = strings.ReplaceAll(cleanUp(out), s.delimiter, " ")
	}
	if out != "" {
		s.next.push(out)
	}
}

func (s *ctcStage) end() { s.next.end() }

// spaceStage is what stands in for a missing decoder: spaces between tokens.
type spaceStage struct {
	next stage
	seen bool
}

func (s *spaceStage) push(tok string) {
	if s.seen {
		tok = " " + tok
	}
	s.seen = true
	s.next.push(tok)
}

func (s *spaceStage) end() { s.next.end() }
