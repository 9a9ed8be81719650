package tokenizer

import "fmt"

// node is one JSON object of a tokenizer file: a normalizer, a pre-tokenizer and so on.
type node map[string]any

// kind returns the node's "type".
func (n node) kind() string { return n.str("type") }

// str returns a string field, or "" when it is missing, null or something else.
func (n node) str(key string) string {
	s, _ := n[key].(string)
	return s
}

// boolean returns a bool field, or def when it is missing or null.
func (n node) boolean(key string, def bool) bool {
	if b, ok := n[key].(bool); ok {
		return b
	}
	return def
}

// integer returns a whole number field, or def when it is missing or null.
func (n node) integer(key string, def int) int {
	if f, ok := n[key].(float64); ok && f >= 0 && f <= 1<<31 {
		return int(f)
	}
	return def
}

// nodes returns an array of objects.
func (n node) nodes(key string) ([]node, error) {
	list, ok := n[key].([]any)
	if !ok {
		return nil, fmt.Errorf("%s has no list %q", n.kind(), key)
	}
	out := make([]node, len(list))
	for i, v := range list {
		if out[i], ok = v.(node); !ok {
			return nil, fmt.Errorf("%s: %s[%d] is not an object", n.kind(), key, i)
		}
	}
	return out, nil
}

// oneRune returns a field that must hold exactly one character.
func (n node) oneRune(key string) (rune, error) {
	runes := []rune(n.str(key))
	if len(runes) != 1 {
		return 0, fmt.Errorf("%s: %s is %q, want one character", n.kind(), key, n.str(key))
	}
	return runes[0], nil
}

// tokenText returns a field that is a token's text, or an AddedToken object that holds it.
func (n node) tokenText(key string) string {
	if inner, ok := n[key].(node); ok {
		return inner.str("content")
	}
	return n.str(key)
}
