package tokenizer

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// charsMap is SentencePiece's precompiled_charsmap: a double-array trie from text to its replacement.
// Layout: size of the trie in bytes (uint32), the trie (uint32 each, little endian), replacements, each ended by a zero.
type charsMap struct {
	trie []uint32
	text []byte
}

// maxMapped is the longest cluster, in bytes, that is looked up as a whole. Longer ones go character by character.
const maxMapped = 5

// newCharsMap decodes base64, as tokenizer.json has it.
func newCharsMap(encoded string) (*charsMap, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("precompiled_charsmap: %w", err)
	}
	return parseCharsMap(data)
}

func parseCharsMap(data []byte) (*charsMap, error) {
	if len(data) == 0 {
		return &charsMap{}, nil
	}
	if len(data) < 4 {
		return nil, errors.New("precompiled_charsmap: cut off")
	}
	size := binary.LittleEndian.Uint32(data)
	data = data[4:]
	if size%4 != 0 || uint64(size) > uint64(len(data)) {
		return nil, fmt.Errorf("precompiled_charsmap: a trie of %d bytes in %d", size, len(data))
	}
	c := &charsMap{trie: make([]uint32, size/4), text: bytes.Clone(data[size:])}
	for i := range c.trie {
		c.trie[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return c, nil
}

// lookup returns the replacement for the shortest beginning of key that has one. The reference replaces all of key by
// it; so do we.
func (c *charsMap) lookup(key string) ([]byte, bool) {
	if len(c.trie) == 0 {
		return nil, false
	}
	pos := trieOffset(c.trie[0])
	for i := range len(key) {
		pos ^= uint32(key[i])
		if key[i] == 0 || pos >= uint32(len(c.trie)) || c.trie[pos]&(1<<31|0xFF) != uint32(key[i]) {
			return nil, false
		}
		unit := c.trie[pos]
		pos ^= trieOffset(unit)
		if unit>>8&1 == 0 || pos >= uint32(len(c.trie)) {
			continue
		}
		at := c.trie[pos] & (1<<31 - 1)
		if at > uint32(len(c.text)) {
			return nil, false
		}
		out, _, _ := bytes.Cut(c.text[at:], []byte{0})
		return out, true
	}
	return nil, false
}

// trieOffset is where a unit's children lie, relative to it. Source: darts-clone.
func trieOffset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

func (c *charsMap) normalize(s string) string {
	out := make([]byte, 0, len(s)+len(s)/8)
	state := -1
	for len(s) > 0 {
		var cluster string
		if asciiCluster(s) {
			cluster, s, state = s[:1], s[1:], -1
		} else {
			cluster, s, _, state = uniseg.FirstGraphemeClusterInString(s, state)
		}
		if len(cluster) <= maxMapped {
			if to, ok := c.lookup(cluster); ok {
				out = append(out, to...)
				continue
			}
		}
		out = c.characters(out, cluster)
	}
	return string(out)
}

// asciiCluster reports that the first byte of s is a grapheme cluster: a printable ASCII character before another.
func asciiCluster(s string) bool {
	return s[0] >= ' ' && s[0] < 0x7F && (len(s) == 1 || s[1] < 0x7F)
}

func (c *charsMap) characters(out []byte, cluster string) []byte {
	for len(cluster) > 0 {
		_, n := utf8.DecodeRuneInString(cluster)
		if to, ok := c.lookup(cluster[:n]); ok {
			out = append(out, to...)
		} else {
			out = append(out, cluster[:n]...)
		}
		cluster = cluster[n:]
	}
	return out
}
