package tokenizer

import (
	"bytes"
	"slices"
)

// byteTrie finds all tokens that a text begins with. Node 0 is the root; the children of a node stand together, in
// order of their bytes.
type byteTrie struct {
	tokens []int32  // by node: the token that ends there, -1: none
	first  []int32  // by node: its first child
	count  []uint16 // by node: how many children
	bytes  []byte   // by node: the byte that leads to it
	root   [256]int32
}

func newByteTrie(v *vocab) byteTrie {
	ids := make([]int32, 0, len(v.where))
	for id := range int32(len(v.where)) {
		if v.has(id) && len(v.text(id)) > 0 {
			ids = append(ids, id)
		}
	}
	// Where texts are equal the higher id comes last and stays, as in vocab.find.
	slices.SortStableFunc(ids, func(a, b int32) int { return bytes.Compare(v.text(a), v.text(b)) })
	t := byteTrie{}
	t.node(0)
	type job struct {
		node  int32
		ids   []int32
		depth int
	}
	for queue := []job{{0, ids, 0}}; len(queue) > 0; queue = queue[1:] {
		j := queue[0]
		for len(j.ids) > 0 && len(v.text(j.ids[0])) == j.depth {
			t.tokens[j.node] = j.ids[0]
			j.ids = j.ids[1:]
		}
		t.first[j.node] = int32(len(t.tokens))
		for len(j.ids) > 0 {
			b := v.text(j.ids[0])[j.depth]
			n := 1
			for n < len(j.ids) && v.text(j.ids[n])[j.depth] == b {
				n++
			}
			queue = append(queue, job{t.node(b), j.ids[:n], j.depth + 1})
			t.count[j.node]++
			j.ids = j.ids[n:]
		}
	}
	for b := range t.root {
		t.root[b] = t.search(0, byte(b))
	}
	return t
}

func (t *byteTrie) node(b byte) int32 {
	t.tokens = append(t.tokens, -1)
	t.first = append(t.first, 0)
	t.count = append(t.count, 0)
	t.bytes = append(t.bytes, b)
	return int32(len(t.tokens) - 1)
}

// step follows a byte from a node; -1: no token goes on like that.
func (t *byteTrie) step(node int32, b byte) int32 {
	if node == 0 {
		return t.root[b]
	}
	return t.search(node, b)
}

func (t *byteTrie) search(node int32, b byte) int32 {
	first := int(t.first[node])
	children := t.bytes[first : first+int(t.count[node])]
	if len(children) < 16 {
		for i, c := range children {
			if c == b {
				return int32(first + i)
			}
		}
		return -1
	}
	if i, ok := slices.BinarySearch(children, b); ok {
		return int32(first + i)
	}
	return -1
}
