package engine

import (
	"errors"
	"hash/fnv"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// chain is a backend without arithmetic: the "key and value" of a token is a hash of it and of the entry before it,
// found through the page table. The sampled id is a function of that hash, so a request's output is right only if
// every slot that it reads was written by exactly its own tokens.
type chain struct {
	backend.Kernels // nil: the model does not run
	backend.Loader
	vocab    int
	async    bool
	table    [][]int32 // [row][position] → slot
	ids      [][]int32 // the token pool
	kv       []uint64  // [slot]
	batches  [2]chainBatch
	steps    int
	failAt   int           // Run fails at this step
	hang     chan struct{} // Run waits for it to close
	poison   int32
	poisonAt func(id int32) bool // tokens whose entry is a NaN, and so are all after them
	frees    chan struct{}       // Close waits for it to close
	gate     chan struct{}       // Collect takes one for each step
	closed   int
	prompts  map[[2]int32]struct{} // not nil: the first two tokens of every prompt that came
	maxBatch int
	half     bool // its activations are f16
}

type chainBatch struct {
	ids []int32
}

var errBroken = errors.New("the device fell over")

func (c *chain) Info() backend.Info {
	activation := tensor.F32
	if c.half {
		activation = tensor.F16
	}
	return backend.Info{Name: "chain", Activation: activation, Free: 1 << 20, Total: 1 << 20, Async: c.async}
}

func (c *chain) Plan(l backend.Limits, _ func(*backend.Batch) tensor.View) error {
	for range l.Requests {
		c.table = append(c.table, make([]int32, l.MaxContext))
		c.ids = append(c.ids, make([]int32, l.MaxContext+1))
	}
	return nil
}

func (c *chain) KVBytes(s backend.KVSpec) int64 { return int64(s.Slots) * 64 }
func (c *chain) AllocKV(s backend.KVSpec) error { c.kv = make([]uint64, s.Slots); return nil }
func (c *chain) Close() error {
	if c.frees != nil {
		<-c.frees
	}
	c.closed++
	return nil
}
func (c *chain) Err() error { return nil }
func (c *chain) Begin(s *backend.Step) (*backend.Batch, error) {
	c.steps++
	c.maxBatch = max(c.maxBatch, len(s.Rows))
	for _, e := range s.Cached {
		c.table[e.Row][e.Pos], c.ids[e.Row][e.Pos] = e.Slot, e.ID
	}
	cb := &c.batches[c.steps%2]
	cb.ids = cb.ids[:0]
	for b, row := range s.Rows {
		if i := s.Start[b]; c.prompts != nil && s.Pos[i] == 0 {
			c.prompts[[2]int32(s.IDs[i:])] = struct{}{}
		}
		for i := s.Start[b]; i < s.Start[b+1]; i++ {
			c.compute(row, s.Pos[i], s.Slots[i], s.IDs[i])
		}
	}
	for i := range s.Last {
		row, context := s.Rows[s.Owner[i]], s.Context[s.Owner[i]]
		id := chainNext(c.kv[c.table[row][context-1]], c.vocab)
		c.ids[row][context] = id
		if c.poison > 0 && id == c.poison || c.kv[c.table[row][context-1]] == chainNaN {
			id = -1
		}
		cb.ids = append(cb.ids, id)
	}
	return &backend.Batch{Ticket: uint64(c.steps), State: cb}, nil
}

func (c *chain) compute(row, pos, slot, id int32) {
	if id == backend.FromDevice {
		id = c.ids[row][pos]
	}
	c.table[row][pos], c.ids[row][pos] = slot, id
	before := uint64(0)
	if pos > 0 {
		before = c.kv[c.table[row][pos-1]]
	}
	c.kv[slot] = chainKV(before, id)
	if before == chainNaN || c.poisonAt != nil && c.poisonAt(id) {
		c.kv[slot] = chainNaN
	}
}

// chainNaN is the entry of a token whose computation went wrong.
const chainNaN = ^uint64(0)

func (c *chain) Run(b *backend.Batch, _ func(*backend.Batch) tensor.View) error {
	if c.hang != nil {
		<-c.hang
	}
	if c.failAt > 0 && c.steps >= c.failAt {
		return errBroken
	}
	return nil
}

func (c *chain) Collect(b *backend.Batch, r *backend.Result) error {
	if c.gate != nil {
		<-c.gate
	}
	r.IDs = append(r.IDs[:0], b.State.(*chainBatch).ids...)
	return nil
}

func chainKV(before uint64, id int32) uint64 {
	h := fnv.New64a()
	var buf [12]byte
	for i := range 8 {
		buf[i] = byte(before >> (8 * i))
	}
	for i := range 4 {
		buf[8+i] = byte(id >> (8 * i))
	}
	h.Write(buf[:])
	return h.Sum64()
}

func chainNext(kv uint64, vocab int) int32 { return int32(kv >> 20 % uint64(vocab)) }

// chainOutput is what a request must get.
func chainOutput(prompt []int32, n, vocab int) []int32 {
	kv := uint64(0)
	for _, id := range prompt {
		kv = chainKV(kv, id)
	}
	var out []int32
	for range n {
		id := chainNext(kv, vocab)
		out = append(out, id)
		kv = chainKV(kv, id)
	}
	return out
}

type chainModel struct{ vocab, context int }

func (m chainModel) Forward(backend.Kernels, *backend.Batch) tensor.View { return tensor.View{} }
func (m chainModel) KVSpec(slots int) backend.KVSpec {
	return backend.KVSpec{Layers: 1, KVHeads: 1, HeadDim: 8, Slots: slots}
}
func (m chainModel) Vocab() int      { return m.vocab }
func (m chainModel) MaxContext() int { return m.context }
