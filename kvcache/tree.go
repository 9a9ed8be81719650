package kvcache

// Tree remembers which token sequences have their keys and values in the cache: a radix tree over token ids, at token
// granularity (Zheng et al. 2024, arXiv:2312.07104). It owns the slots in it. Requests lock the node that their
// prefix ends in; unlocked leaves are evicted, least recently used first.
//
// Salts separate tenants: a sequence is found only under the salt that it was inserted with. Matching compares token
// ids, never hashes.
type Tree struct {
	pool   *Pool
	roots  map[string]*Node
	clock  uint64 // of uses; a node's stamp is its last
	size   int    // tokens held
	locked int    // tokens held by nodes with locks
	lru    lru    // unlocked leaves
}

// Node is the end of a path from the root. Hold it locked while its slots are in use.
type Node struct {
	parent   *Node
	children map[int32]*Node // by first token
	tokens   []int32         // the edge from parent
	slots    []int32         // one a token
	locks    int
	used     uint64
	index    int // in the lru heap, -1 when not in it
	salt     string
}

// NewTree makes an empty tree that returns evicted slots to pool.
func NewTree(pool *Pool) *Tree { return &Tree{pool: pool, roots: map[string]*Node{}} }

// Size returns the tokens in the tree.
func (t *Tree) Size() int { return t.size }

// Evictable returns the tokens that Evict could free now.
func (t *Tree) Evictable() int { return t.size - t.locked }

// Locked returns the tokens on paths that requests hold.
func (t *Tree) Locked() int { return t.locked }

// Match finds the longest prefix of tokens in the tree, appends its slots to dst and returns the node that it ends in,
// nil when nothing matches. The node is not locked: Lock it before anything else is done to the tree.
func (t *Tree) Match(dst []int32, salt string, tokens []int32) ([]int32, *Node) {
	n := t.roots[salt]
	if n == nil {
		return dst, nil
	}
	t.clock++
	for len(tokens) > 0 {
		child := n.children[tokens[0]]
		if child == nil {
			break
		}
		k := common(child.tokens, tokens)
		if k < len(child.tokens) {
			child = t.split(child, k)
		}
		t.touch(child)
		dst = append(dst, child.slots...)
		tokens = tokens[k:]
		n = child
	}
	if n.parent == nil {
		return dst, nil
	}
	return dst, n
}

// Peek returns how many tokens Match would find, and changes nothing.
func (t *Tree) Peek(salt string, tokens []int32) int {
	n, found := t.roots[salt], 0
	for n != nil && found < len(tokens) {
		n = n.children[tokens[found]]
		if n == nil {
			break
		}
		k := common(n.tokens, tokens[found:])
		found += k
		if k < len(n.tokens) {
			break
		}
	}
	return found
}

// Insert adds tokens with their slots and returns how many leading tokens the tree had already, and the node that
// the sequence ends in. The tree takes over slots[had:]; the caller keeps slots[:had], of which those that are not the
// tree's own are copies to give back.
func (t *Tree) Insert(salt string, tokens, slots []int32) (had int, end *Node) {
	n := t.roots[salt]
	if n == nil {
		n = &Node{index: -1, salt: salt}
		t.roots[salt] = n
	}
	t.clock++
	for had < len(tokens) {
		child := n.children[tokens[had]]
		if child == nil {
			child = t.attach(n, tokens[had:], slots[had:])
			return had, child
		}
		k := common(child.tokens, tokens[had:])
		if k < len(child.tokens) {
			child = t.split(child, k)
		}
		t.touch(child)
		had += k
		n = child
	}
	if n.parent == nil {
		t.dropRoot(n)
		return had, nil
	}
	return had, n
}

// Slots appends the slots of the path from the root to n.
func (t *Tree) Slots(dst []int32, n *Node) []int32 {
	if n == nil || n.parent == nil {
		return dst
	}
	return append(t.Slots(dst, n.parent), n.slots...)
}

// Lock keeps n and the path to it from being evicted, until Unlock. A nil node is the root: nothing to do.
func (t *Tree) Lock(n *Node) {
	for ; n != nil && n.parent != nil; n = n.parent {
		if n.locks == 0 {
			t.locked += len(n.tokens)
			t.lru.remove(n)
		}
		n.locks++
	}
}

// Unlock undoes one Lock of n.
func (t *Tree) Unlock(n *Node) {
	for ; n != nil && n.parent != nil; n = n.parent {
		if n.locks == 0 {
			panic("BUG: a tree node is unlocked more often than locked")
		}
		n.locks--
		if n.locks == 0 {
			t.locked -= len(n.tokens)
			t.leaf(n)
		}
	}
}

// Evict frees at least want tokens of unlocked leaves, least recently used first, or all there are, and returns how
// many. Only the tail of a leaf that is needed goes.
func (t *Tree) Evict(want int) int {
	freed := 0
	for freed < want && len(t.lru) > 0 {
		n := t.lru[0]
		if keep := len(n.tokens) - (want - freed); keep > 0 {
			t.pool.Put(n.slots[keep:])
			freed += len(n.tokens) - keep
			n.tokens, n.slots = n.tokens[:keep], n.slots[:keep]
			break
		}
		freed += len(n.tokens)
		t.detach(n)
	}
	t.size -= freed
	return freed
}

// attach adds a leaf below n. It copies: tokens and slots are the caller's.
func (t *Tree) attach(n *Node, tokens, slots []int32) *Node {
	leaf := &Node{
		parent: n, index: -1, used: t.clock, salt: n.salt,
		tokens: append([]int32(nil), tokens...), slots: append([]int32(nil), slots...),
	}
	if n.children == nil {
		n.children = map[int32]*Node{}
	}
	n.children[tokens[0]] = leaf
	t.lru.remove(n)
	t.size += len(tokens)
	t.leaf(leaf)
	return leaf
}

// detach removes an unlocked leaf and frees its slots.
func (t *Tree) detach(n *Node) {
	t.pool.Put(n.slots)
	t.lru.remove(n)
	delete(n.parent.children, n.tokens[0])
	p := n.parent
	n.parent = nil
	if p.parent == nil {
		t.dropRoot(p)
		return
	}
	t.leaf(p)
}

// dropRoot forgets a salt that holds nothing any more.
func (t *Tree) dropRoot(root *Node) {
	if len(root.children) == 0 {
		delete(t.roots, root.salt)
	}
}

// split cuts the edge to n after k tokens and returns the new upper node, which has n's locks.
func (t *Tree) split(n *Node, k int) *Node {
	upper := &Node{
		parent: n.parent, children: map[int32]*Node{n.tokens[k]: n}, index: -1, salt: n.salt,
		tokens: n.tokens[:k:k], slots: n.slots[:k:k], locks: n.locks, used: n.used,
	}
	n.parent.children[n.tokens[0]] = upper
	n.parent, n.tokens, n.slots = upper, n.tokens[k:], n.slots[k:]
	return upper
}

// touch marks n as used now.
func (t *Tree) touch(n *Node) {
	n.used = t.clock
	t.lru.fix(n)
}

// leaf puts n on the eviction list if it is an unlocked leaf.
func (t *Tree) leaf(n *Node) {
	if n.locks == 0 && len(n.children) == 0 && n.parent != nil {
		t.lru.add(n)
	}
}

func common(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
