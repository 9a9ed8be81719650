package tokenizer

// pairTable maps a pair of adjacent symbols to the merge that joins them. Open addressing, built once.
type pairTable struct {
	keys  []uint64 // left<<32 | right, plus 1; 0 is free
	vals  []merge
	shift uint8
	n     int
}

// merge is a rank (lower goes first) and the id of the joined token: rank<<32 | id. noMerge orders behind all.
type merge uint64

const noMerge = merge(1<<64 - 1)

func makeMerge(rank uint32, id int32) merge { return merge(rank)<<32 | merge(uint32(id)) }

func (m merge) id() int32 { return int32(uint32(m)) }

func newPairTable(n int) *pairTable {
	bits := uint8(4)
	for 1<<bits < 2*n {
		bits++
	}
	return &pairTable{keys: make([]uint64, 1<<bits), vals: make([]merge, 1<<bits), shift: 64 - bits}
}

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) + 1 }

// slot is Fibonacci hashing: the high bits of a multiplication by 2^64/φ.
func (t *pairTable) slot(key uint64) int { return int((key * 0x9E3779B97F4A7C15) >> t.shift) }

// set enters a merge. A later merge of the same pair replaces an earlier one, as in the reference.
func (t *pairTable) set(left, right int32, m merge) {
	key := pairKey(left, right)
	for i := t.slot(key); ; i = (i + 1) & (len(t.keys) - 1) {
		if t.keys[i] == 0 {
			t.n++
		} else if t.keys[i] != key {
			continue
		}
		t.keys[i], t.vals[i] = key, m
		return
	}
}

// get returns the merge of a pair, or noMerge.
func (t *pairTable) get(left, right int32) merge {
	key := pairKey(left, right)
	for i := t.slot(key); ; i = (i + 1) & (len(t.keys) - 1) {
		if t.keys[i] == key {
			return t.vals[i]
		}
		if t.keys[i] == 0 {
			return noMerge
		}
	}
}
