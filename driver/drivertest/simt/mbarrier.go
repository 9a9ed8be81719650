package simt

import (
	"encoding/binary"
	"fmt"
)

// mbarrier is a barrier in shared memory. Its eight bytes there hold a mark, so that one that was written over is noticed.
type mbarrier struct {
	count   int // arrivals of a phase
	pending int
	bytes   int64 // of copies that the phase still waits for
	turn    uint32
}

const mbarrierMark = 0x6d62_6172_7269_6572

// mbarrierAt is the barrier at an address of the block or its cluster.
func (w *warp) mbarrierAt(o *op, lane int, address uint64) *mbarrier {
	if address%8 != 0 {
		w.fault(o, lane, Misaligned, "a barrier at %#x, which is no multiple of 8", address)
	}
	b := w.block
	if address >= clusterStride {
		b = w.peer(o, lane, address)
	}
	mark := binary.LittleEndian.Uint64(w.shared(o, lane, address, 8))
	m := b.phases[address%clusterStride]
	if m == nil || mark != mbarrierMark {
		w.fault(o, lane, Instruction, "%#x holds no barrier: it was not initialised, or written over", address)
	}
	return m
}

func doInit(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		at, n := w.address(o, i), int(w.r[o.b][i])
		if at%8 != 0 || n < 1 {
			w.fault(o, i, Instruction, "a barrier at %#x for %d arrivals", at, n)
		}
		binary.LittleEndian.PutUint64(w.shared(o, i, at, 8), mbarrierMark)
		w.block.phases[at] = &mbarrier{count: n, pending: n}
	}
}

func doInvalidate(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 != 0 {
			w.mbarrierAt(o, i, w.address(o, i))
			delete(w.block.phases, w.address(o, i))
		}
	}
}

// doMbarrierArrive arrives, once for each lane. The state that it gives is good for nothing here.
func doMbarrierArrive(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		b := w.mbarrierAt(o, i, w.address(o, i))
		if o.extra == expects {
			w.expect(o, i, b)
		}
		if b.pending == 0 {
			w.fault(o, i, Instruction, "more than %d arrive at the barrier in one phase", b.count)
		}
		if o.gives {
			w.x[o.d][i] = uint64(b.turn)
		}
		b.pending--
		b.check(w.block.grid)
	}
}

// expects marks the instructions that add to the bytes of a phase.
const expects = "expect_tx"

func (w *warp) expect(o *op, lane int, b *mbarrier) {
	if b.bytes += int64(w.r[o.b][lane]); b.bytes >= 1<<20 {
		w.fault(o, lane, Instruction, "the barrier waits for %d bytes, and counts to 2^20", b.bytes)
	}
}

func doExpect(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 != 0 {
			w.expect(o, i, w.mbarrierAt(o, i, w.address(o, i)))
		}
	}
}

// check ends the phase when all have arrived and all bytes have come.
func (b *mbarrier) check(g *grid) {
	if b.pending == 0 && b.bytes == 0 {
		b.pending = b.count
		b.turn++
		g.moved()
	}
}

// complete counts bytes that have come.
func (b *mbarrier) complete(g *grid, n int) {
	b.bytes -= int64(n)
	b.check(g)
}

// ended is the lanes of m whose phase is over: the one of the parity in slot b.
func (w *warp) ended(o *op, m uint32) (done uint32) {
	for i := range lanes {
		if m>>i&1 != 0 && w.mbarrierAt(o, i, w.address(o, i)).turn&1 != w.r[o.b][i]&1 {
			done |= 1 << i
		}
	}
	return done
}

// phase says what lane waits for at o.
func (w *warp) phase(o *op, lane int) string {
	b := w.mbarrierAt(o, lane, w.address(o, lane))
	return fmt.Sprintf(": at %#x parity %d is to end; in phase %d, %d of %d arrivals and %d bytes are missing", w.address(o, lane), w.r[o.b][lane]&1, b.turn, b.pending, b.count, b.bytes)
}

func (w *warp) phaseEnded(g *group) bool { return w.ended(g.wait.op, g.mask) != 0 }

// doTryWait sleeps until the phase is over. Now and then it gives up sooner, as it may.
func doTryWait(w *warp, o *op, m uint32) {
	done := w.ended(o, m)
	if done == 0 && w.block.grid.rng.IntN(8) != 0 {
		w.groups[w.now].pc--
		w.waitFor(wait{kind: forMbarrier, op: o})
		return
	}
	w.setBits(o.d, done, m)
}

func doTestWait(w *warp, o *op, m uint32) {
	done := w.ended(o, m)
	w.setBits(o.d, done, m)
	if done == 0 {
		w.waitFor(wait{kind: resting})
	}
}

// arriveBehindCopies arrives, some time later, when the copies of the lanes so far have landed.
func arriveBehindCopies(w *warp, o *op, m uint32) {
	var behind copies
	behind.list = append(behind.list, w.copies.list...)
	w.copies.list = w.copies.list[:0]
	for _, c := range behind.list { // what other lanes started stays
		if c.mask &^= m; c.mask != 0 {
			w.copies.list = append(w.copies.list, c)
		}
	}
	at := *w // the registers are shared, the copies are not
	at.copies = behind
	var address wide
	for i := range lanes {
		address[i] = w.address(o, i)
	}
	w.block.grid.launchFlight(w.block, func() {
		at.landCopies(m, func(int) int32 { return 1<<31 - 1 })
		for i := range lanes {
			if m>>i&1 == 0 {
				continue
			}
			b := w.mbarrierAt(o, i, address[i])
			if b.pending == 0 {
				w.fault(o, i, Instruction, "more than %d arrive at the barrier in one phase", b.count)
			}
			b.pending--
			b.check(w.block.grid)
		}
	})
}

func mbarrierArrive(d *decoder, in *inst, o *op) (err error) {
	n := len(in.operands)
	if n < 2 {
		return fmt.Errorf("wants a state or _, and an address")
	}
	if in.operands[0] != "_" {
		o.gives = true
		if o.d, err = d.target(in.operands[0], dword); err != nil {
			return err
		}
	}
	if err = d.where(in.operands[1], o); err != nil || n == 2 {
		return err
	}
	if o.extra != expects || n > 3 {
		return fmt.Errorf("has %d operands", n)
	}
	o.b, err = d.source(in.operands[2], word)
	return err
}

func mbarrierExpect(d *decoder, in *inst, o *op) error {
	o.extra = expects
	return mbarrierArrive(d, in, o)
}

// mbarrierPlace takes "[address], b".
func mbarrierPlace(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) < 1 || len(in.operands) > 2 {
		return fmt.Errorf("has %d operands", len(in.operands))
	}
	if err = d.where(in.operands[0], o); err != nil || len(in.operands) == 1 {
		return err
	}
	o.b, err = d.source(in.operands[1], word)
	return err
}

// mbarrierWait takes "p, [address], parity".
func mbarrierWait(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 3 {
		return fmt.Errorf("has %d operands, want 3", len(in.operands))
	}
	if o.d, err = d.target(in.operands[0], pred); err != nil {
		return err
	}
	if err = d.where(in.operands[1], o); err != nil {
		return err
	}
	o.b, err = d.source(in.operands[2], word)
	return err
}
