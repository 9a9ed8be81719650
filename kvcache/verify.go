package kvcache

import "fmt"

// Verify checks that every slot is in exactly one of {free, tree, private} and that the tree is well formed.
// private lists the slots that requests hold besides the tree's. It walks everything: for tests, and when idle.
func Verify(p *Pool, t *Tree, private []int32) error {
	owner := make([]string, p.Size()+1)
	claim := func(who string, slots []int32) error {
		for _, s := range slots {
			switch {
			case s <= 0 || int(s) >= len(owner):
				return fmt.Errorf("kvcache: %s holds slot %d, which does not exist", who, s)
			case owner[s] != "":
				return fmt.Errorf("kvcache: slot %d is held by %s and by %s", s, owner[s], who)
			case p.taken[s] == (who == "the free list"):
				return fmt.Errorf("kvcache: slot %d is held by %s but its mark says taken=%v", s, who, p.taken[s])
			}
			owner[s] = who
		}
		return nil
	}
	if err := claim("the free list", p.free); err != nil {
		return err
	}
	if err := claim("a request", private); err != nil {
		return err
	}
	size, locked := 0, 0
	if t != nil {
		for _, root := range t.roots {
			if err := t.walk(root, &size, &locked, claim); err != nil {
				return err
			}
		}
		if size != t.size || locked != t.locked {
			return fmt.Errorf("kvcache: the tree holds %d tokens, %d locked; its counters say %d and %d", size, locked, t.size, t.locked)
		}
	}
	if sum := len(p.free) + len(private) + size; sum != p.Size() {
		return fmt.Errorf("kvcache: %d free + %d private + %d in the tree are %d slots of %d", len(p.free), len(private), size, sum, p.Size())
	}
	return nil
}

func (t *Tree) walk(n *Node, size, locked *int, claim func(string, []int32) error) error {
	if n.parent != nil {
		if err := n.check(); err != nil {
			return err
		}
		if err := claim("the tree", n.slots); err != nil {
			return err
		}
		*size += len(n.slots)
		if n.locks > 0 {
			*locked += len(n.slots)
		}
	}
	for first, c := range n.children {
		if c.parent != n || c.tokens[0] != first {
			return fmt.Errorf("kvcache: a child under token %d begins with %d or has another parent", first, c.tokens[0])
		}
		if n.parent != nil && c.locks > n.locks {
			return fmt.Errorf("kvcache: a node has %d locks, its parent %d", c.locks, n.locks)
		}
		if err := t.walk(c, size, locked, claim); err != nil {
			return err
		}
	}
	return nil
}

// check looks at one node by itself.
func (n *Node) check() error {
	evictable := n.locks == 0 && len(n.children) == 0
	switch {
	case len(n.tokens) == 0:
		return fmt.Errorf("kvcache: an edge is empty")
	case len(n.tokens) != len(n.slots):
		return fmt.Errorf("kvcache: an edge has %d tokens and %d slots", len(n.tokens), len(n.slots))
	case n.locks < 0:
		return fmt.Errorf("kvcache: a node has %d locks", n.locks)
	case evictable != (n.index >= 0):
		return fmt.Errorf("kvcache: a node with %d locks and %d children is on the eviction list: %v", n.locks, len(n.children), n.index >= 0)
	}
	return nil
}
