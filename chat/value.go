package chat

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
