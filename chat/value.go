package chat

import "github.com/weft-llm/weft/chat/jinja"

// Entries gives the entries of a map in order, and nil for any other Value.
func Entries(v Value) []Pair { return jinja.Entries(v) }

// Items gives the items of a list, which must not be changed, and nil for any other Value.
func Items(v Value) []Value { return jinja.Items(v) }

// Text gives the text of a String, and "" for any other Value.
func Text(v Value) string {
	s, _ := v.(String)
	return string(s)
}

// Truth reports whether v is the Bool true.
func Truth(v Value) bool {
	b, _ := v.(Bool)
	return bool(b)
}
