package simt

// The copy engine and wgmma reach shared memory as another proxy than threads do. What a thread stored is theirs to read
// only once that thread has executed fence.proxy.async.

// cellBytes is how finely stores are kept: of two threads' in one cell the last counts.
const cellBytes = 16

// threadBits hold a thread's number plus one in a mark; above them are its fences so far.
const threadBits = 11

// stored marks n bytes of the block's own shared memory as written by lane, in the proxy of threads.
func (w *warp) stored(lane int, address uint64, n int) {
	at := address - sharedBase
	if at >= uint64(len(w.block.shared)) { // another block's
		return
	}
	mark := w.fences[lane]<<threadBits | uint32(w.index*lanes+lane+1)
	for c := at / cellBytes; c <= (at+uint64(n)-1)/cellBytes; c++ {
		w.block.stores[c] = mark
	}
}

// proxied is a cell of the block's own shared memory as the asynchronous proxy reads it.
func (w *warp) proxied(o *op, lane int, address uint64) []byte {
	b := w.block
	cell := w.shared(o, lane, address, cellBytes)
	if mark := b.stores[(address-sharedBase)/cellBytes]; mark != 0 {
		thread := int(mark&(1<<threadBits-1)) - 1
		if by := b.warps[thread/lanes]; by.fences[thread%lanes]&(1<<(32-threadBits)-1) == mark>>threadBits {
			w.fault(o, lane, Instruction, "reads %#x of shared memory, where thread %d stored and executed no fence.proxy.async since", address, thread)
		}
	}
	return cell
}

// replaced forgets who stored in a cell that the copy engine wrote.
func (b *block) replaced(address uint64) { b.stores[(address%clusterStride-sharedBase)/cellBytes] = 0 }

func doProxyFence(w *warp, _ *op, m uint32) {
	for i := range lanes {
		w.fences[i] += m >> i & 1
	}
}
