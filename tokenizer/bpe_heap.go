package tokenizer

// mergeHeap holds the state of one merge run over a doubly linked list of symbols: a binary heap of candidate merges,
// each rank<<32 | position, so that equal ranks go left to right.
type mergeHeap struct {
	queue      []uint64
	prev, next []int32 // -1: none
	alive      []bool
	lens       []uint32 // symbols that each node, and later each token, covers
	tokens     []int32  // the result
}

func (h *mergeHeap) reset(n int) {
	h.queue, h.prev, h.next = h.queue[:0], h.prev[:0], h.next[:0]
	h.alive, h.lens, h.tokens = h.alive[:0], h.lens[:0], h.tokens[:0]
	for i := range n {
		h.prev = append(h.prev, int32(i)-1)
		h.next = append(h.next, int32(i)+1)
		h.alive = append(h.alive, true)
		h.lens = append(h.lens, 1)
	}
	h.next[n-1] = -1
}

func (h *mergeHeap) push(v uint64) {
	q := append(h.queue, v)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if q[up] <= v {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = v
	h.queue = q
}

func (h *mergeHeap) pop() uint64 {
	q := h.queue
	top, v := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	h.queue = q
	if len(q) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(q) {
			break
		}
		if child+1 < len(q) && q[child+1] < q[child] {
			child++
		}
		if v <= q[child] {
			break
		}
		q[i] = q[child]
		i = child
	}
	q[i] = v
	return top
}

// mergeHeap encodes syms, at least one, into e.heap.tokens and e.heap.lens in O(n log n). syms is left as it was.
func (m *bpe) mergeHeap(e *encoder, syms []int32) {
	h := &e.heap
	h.reset(len(syms))
	e.work = append(e.work[:0], syms...)
	s := e.work
	for i := range len(s) - 1 {
		m.candidate(h, s, int32(i))
	}
	for len(h.queue) > 0 {
		top := h.pop()
		at := int32(uint32(top))
		right := int32(-1)
		if h.alive[at] {
			right = h.next[at]
		}
		if right < 0 {
			continue
		}
		found := m.pairs.get(s[at], s[right])
		if found == noMerge || uint64(found>>32) != top>>32 {
			continue // the pair that this candidate was made for is gone
		}
		h.join(s, at, right, found.id())
		if p := h.prev[at]; p >= 0 {
			m.candidate(h, s, p)
		}
		m.candidate(h, s, at)
	}
	n := 0
	for at := int32(0); at >= 0; at = h.next[at] {
		h.tokens = append(h.tokens, s[at])
		h.lens[n] = h.lens[at]
		n++
	}
	h.lens = h.lens[:n]
}

// join makes one node of at and right.
func (h *mergeHeap) join(s []int32, at, right, id int32) {
	s[at] = id
	h.alive[right] = false
	h.lens[at] += h.lens[right]
	h.next[at] = h.next[right]
	if n := h.next[at]; n >= 0 {
		h.prev[n] = at
	}
}

// candidate queues the merge of the node at with the one behind it, if there is one.
func (m *bpe) candidate(h *mergeHeap, s []int32, at int32) {
	next := h.next[at]
	if next < 0 {
		return
	}
	if found := m.pairs.get(s[at], s[next]); found != noMerge {
		h.push(uint64(found>>32)<<32 | uint64(uint32(at)))
	}
}
