// Package kvcache accounts for the KV cache: which slots are free, which hold a prefix that later requests may reuse.
// It handles integers on the host; the tensors lie in the backend. One goroutine uses a Pool and its Tree.
package kvcache

import (
	"errors"
	"fmt"
)

// ErrNoSlots means that fewer slots are free than asked for. The pool is unchanged: evict, wait or pause a request.
var ErrNoSlots = errors.New("kvcache: not enough free slots")

// Pool hands out token slots. A slot is one token's index into every layer's K and V buffer; slot 0 is never handed
// out, padding writes there. Slots given back together come out together and in order, so that runs stay contiguous.
type Pool struct {
	free  []int32 // a stack; its top is the end
	taken []bool  // by slot: guards against giving back twice
}

// NewPool makes a pool of slots 1 to n.
func NewPool(n int) *Pool {
	p := &Pool{free: make([]int32, n), taken: make([]bool, n+1)}
	for i := range p.free {
		p.free[i] = int32(n - i)
	}
	return p
}

// Size returns the number of slots, free or taken.
func (p *Pool) Size() int { return len(p.taken) - 1 }

// Free returns the number of free slots.
func (p *Pool) Free() int { return len(p.free) }

// Take appends n free slots to dst, in ascending runs where it can: O(n), no allocation if dst has room.
// Give them back with Put, exactly once.
func (p *Pool) Take(dst []int32, n int) ([]int32, error) {
	if n > len(p.free) {
		return dst, fmt.Errorf("%w: %d asked, %d free of %d", ErrNoSlots, n, len(p.free), p.Size())
	}
	for range n {
		top := len(p.free) - 1
		s := p.free[top]
		p.free = p.free[:top]
		p.taken[s] = true
		dst = append(dst, s)
	}
	return dst, nil
}

// Put gives slots back. A slot that is not taken is a broken invariant.
func (p *Pool) Put(slots []int32) {
	for i := len(slots) - 1; i >= 0; i-- {
		s := slots[i]
		if s <= 0 || int(s) >= len(p.taken) || !p.taken[s] {
			panic(fmt.Sprintf("BUG: slot %d given back, but it is not taken", s))
		}
		p.taken[s] = false
		p.free = append(p.free, s)
	}
}
