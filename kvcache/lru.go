package kvcache

import "container/heap"

// lru is a heap of unlocked leaves, the least recently used on top. Nodes know their place, so removal is O(log n).
type lru []*Node

func (l *lru) add(n *Node) {
	if n.index < 0 {
		heap.Push(l, n)
	}
}

func (l *lru) remove(n *Node) {
	if n.index >= 0 {
		heap.Remove(l, n.index)
	}
}

func (l *lru) fix(n *Node) {
	if n.index >= 0 {
		heap.Fix(l, n.index)
	}
}

// Len, Less, Swap, Push and Pop are container/heap's.
func (l lru) Len() int           { return len(l) }
func (l lru) Less(i, j int) bool { return l[i].used < l[j].used }

func (l lru) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].index, l[j].index = i, j
}

func (l *lru) Push(x any) {
	n := x.(*Node)
	n.index = len(*l)
	*l = append(*l, n)
}

func (l *lru) Pop() any {
	last := len(*l) - 1
	n := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	n.index = -1
	return n
}
