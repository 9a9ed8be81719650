package simt

import "sync"

// block is a thread block.
type block struct {
	grid     *grid
	cluster  *cluster
	at       [3]int
	rank     int // in the cluster
	shared   []byte
	dynamic  int // bytes of shared
	size     int // threads
	warps    []*warp
	alive    int // warps
	ended    bool
	barriers [16]barrier
	phases   map[uint64]*mbarrier
}

// spareBlocks keeps the memory of blocks that ended, for the next of the same kernel.
type spareBlocks struct {
	sync.Mutex
	blocks []*block
}

// take gives a block of so many threads and dynamic bytes, nil where there is none.
func (s *spareBlocks) take(threads, dynamic int) *block {
	s.Lock()
	defer s.Unlock()
	for i := len(s.blocks) - 1; i >= 0; i-- {
		if b := s.blocks[i]; b.size == threads && b.dynamic == dynamic {
			s.blocks = append(s.blocks[:i], s.blocks[i+1:]...)
			return b
		}
	}
	return nil
}

func (s *spareBlocks) give(blocks []*block) {
	const most = 4
	s.Lock()
	defer s.Unlock()
	for _, b := range blocks {
		b.grid, b.cluster = nil, nil
		if len(s.blocks) == most {
			s.blocks = s.blocks[:copy(s.blocks, s.blocks[1:])]
		}
		s.blocks = append(s.blocks, b)
	}
}

// cluster is blocks that run together; without clusters, one.
type cluster struct {
	blocks  []*block
	alive   int // blocks
	arrived int // lanes at its barrier
	turn    uint32
}

// left is called when lanes of w have ended: barriers wait for them no longer.
func (b *block) left(w *warp) {
	if w.alive == 0 {
		b.alive--
		if w.stores.pending() {
			w.block.grid.fail(&Fault{Instruction, "kernel " + b.grid.code.kernel.name + ": a thread ends while its bulk copies still read shared memory: cp.async.bulk.wait_group is missing"})
		}
	}
	for i := range b.barriers {
		if bar := &b.barriers[i]; bar.arrived > 0 {
			bar.check(b)
		}
	}
	if b.alive == 0 {
		b.ended = true
		b.cluster.alive--
	}
	if b.cluster.alive > 0 {
		b.cluster.check()
	}
}

// threads is how many of the block have not ended, in whole warps.
func (b *block) threads() int { return b.alive * lanes }

// lanes is how many threads of the cluster have not ended.
func (c *cluster) lanes() (n int) {
	for _, b := range c.blocks {
		for _, w := range b.warps {
			n += onesCount(w.alive)
		}
	}
	return n
}

// check lets everybody pass once all threads have arrived.
func (c *cluster) check() {
	if c.arrived > 0 && c.arrived >= c.lanes() {
		c.arrived = 0
		c.turn++
		c.blocks[0].grid.moved()
	}
}

// passed is true when the barrier has been passed since each lane of m arrived.
func (c *cluster) passed(w *warp, m uint32) bool {
	for i := range lanes {
		if m>>i&1 != 0 && w.clusterTurn[i] == c.turn {
			return false
		}
	}
	return true
}
