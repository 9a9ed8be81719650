package tokenizer

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// streamed joins what a Stream makes of ids, and checks that no piece is part of a character.
func streamed(t *testing.T, tok *Tokenizer, ids []int32, keep bool) string {
	t.Helper()
	s := tok.NewStream(keep)
	out := ""
	add := func(piece string) {
		if !utf8.ValidString(piece) {
			t.Errorf("a piece of %v is %q, not UTF-8", ids, piece)
		}
		out += piece
	}
	for _, id := range ids {
		add(s.Push(id))
	}
	add(s.Flush())
	return out
}

func TestStream_JoinedPiecesAreDecode(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, dir := range tinyDirs(t) {
		tok := tiny(t, filepath.Base(dir))
		for range 300 {
			ids := make([]int32, rng.IntN(30))
			for i := range ids {
				ids[i] = int32(rng.IntN(tok.Size()+2)) - 1 // and ids without a token
			}
			keep := rng.IntN(2) == 0
			if got, want := streamed(t, tok, ids, keep), tok.Decode(ids, keep); got != want {
				t.Fatalf("%s: pieces of %v join to %q, Decode gives %q", dir, ids, got, want)
			}
		}
	}
}

func TestStream_HoldsBackOnlyTheUnfinishedCharacter(t *testing.T) {
	tok := tiny(t, "gpt2")
	s := tok.NewStream(false)
	var got []string
	for _, b := range []byte("aé😀!") {
		id, ok := tok.ID(string(byteAlphabet[b]))
		if !ok {
			t.Fatalf("no token for byte %#x", b)
		}
		got = append(got, s.Push(id))
	}
	want := []string{"a", "", "é", "", "", "", "😀", "!"}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("Push() = %q, want %q", got, want)
		}
	}
	id, _ := tok.ID(string(byteAlphabet[0xF0]))
	if piece := s.Push(id) + s.Flush(); piece != "\uFFFD" {
		t.Errorf("an unfinished character ends as %q, want U+FFFD", piece)
	}
}

func TestValidPrefix_ReplacesMaximalPieces(t *testing.T) {
	for in, want := range map[string]string{ // Unicode 15.0, tables 3-8 to 3-11
		"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41": "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA",
		"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41": "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA",
		"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42": "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB",
		"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41": "\uFFFD\uFFFD\uFFFD\uFFFDA",
		"a\uFFFDb":                             "a\uFFFDb",
	} {
		if got, n := validPrefix([]byte(in)); got != want || n != len(in) {
			t.Errorf("validPrefix(%x) = %q, %d, want %q, %d", in, got, n, want, len(in))
		}
	}
	for _, in := range []string{"a\xE1\x80", "a\xF0\x9F\x98", "a\xC3", "a\xF0"} {
		if got, n := validPrefix([]byte(in)); got != "a" || n != 1 {
			t.Errorf("validPrefix(%x) = %q, %d, want the unfinished character left over", in, got, n)
		}
	}
}

func TestTokenBytes_JoinToTheText(t *testing.T) {
	for _, name := range []string{"gpt2", "llama3", "gemma", "spm-gemma"} {
		tok := tiny(t, name)
		text := "the Straße 日本 😀\n 12"
		var joined []byte
		for _, id := range encode(t, tok, text, EncodeOptions{}) {
			joined = append(joined, tok.TokenBytes(id)...)
		}
		if string(joined) != text {
			t.Errorf("%s: bytes of the tokens join to %q, want %q", name, joined, text)
		}
		if got := tok.TokenBytes(int32(tok.Size())); got != nil {
			t.Errorf("%s: TokenBytes of no token = %q", name, got)
		}
	}
}
