package tokenizer

import (
	"maps"
	"slices"
	"sync"
	"unicode"
)

// scriptSplitter cuts where the script changes, Hiragana and Katakana counting as Han and spaces as any script. As in
// the reference, what stands in front of the first character with a script is dropped.
type scriptSplitter struct{}

func (scriptSplitter) split(e *encoder, step int, piece string, first bool) {
	start, last := -1, uint8(anyScript)
	for i, r := range piece {
		script := scriptTable()[r]
		if script == anyScript || script == last {
			continue
		}
		if start >= 0 {
			e.next(step+1, piece[start:i], first && start == 0)
		}
		start, last = i, script
	}
	if start >= 0 {
		e.next(step+1, piece[start:], first && start == 0)
	}
}

const anyScript = 0

// scriptTable numbers every character's script.
var scriptTable = sync.OnceValue(func() *[0x110000]uint8 {
	var t [0x110000]uint8
	names := slices.Sorted(maps.Keys(unicode.Scripts))
	han := uint8(slices.Index(names, "Han") + 1)
	for i, name := range names {
		n := uint8(i + 1)
		if name == "Hiragana" || name == "Katakana" {
			n = han
		}
		for _, r := range unicode.Scripts[name].R16 {
			for c := uint32(r.Lo); c <= uint32(r.Hi); c += uint32(r.Stride) {
				t[c] = n
			}
		}
		for _, r := range unicode.Scripts[name].R32 {
			for c := r.Lo; c <= r.Hi; c += r.Stride {
				t[c] = n
			}
		}
	}
	for i := 0; i < len(scriptless); i += 2 { // newer than the reference's table
		clear(t[scriptless[i] : scriptless[i+1]+1])
	}
	t[0x30FC], t[' '] = han, anyScript
	return &t
})
