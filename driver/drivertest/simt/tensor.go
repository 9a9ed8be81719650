package simt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// TensorMap says how the copy engine sees a matrix: what cuTensorMapEncodeTiled gets, by the numbers of cuda.h.
type TensorMap struct {
	Type, Rank                uint8
	Interleave, Swizzle, Fill uint8
	Address                   uint64
	Dims                      [5]uint64 // elements, the fastest first
	Strides                   [4]uint64 // bytes, of the dimensions from the second on
	Box                       [5]uint16 // elements
	Steps                     [5]uint8  // between elements of a box
}

const tensorMark = 0x5a

// Encode gives the 128 bytes that kernels get.
func (t TensorMap) Encode() (out [128]byte) {
	b := append(out[:0], tensorMark, t.Type, t.Rank, t.Interleave, t.Swizzle, t.Fill, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, t.Address)
	for _, v := range t.Dims {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, v := range t.Strides {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, v := range t.Box {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	copy(out[:], append(b, t.Steps[:]...))
	return out
}

// decodeTensorMap reads what Encode wrote; ok is false for anything else.
func decodeTensorMap(b []byte) (t TensorMap, ok bool) {
	t.Type, t.Rank, t.Interleave, t.Swizzle, t.Fill = b[1], b[2], b[3], b[4], b[5]
	next := func() uint64 {
		b = b[8:]
		return binary.LittleEndian.Uint64(b)
	}
	mark := b[0]
	t.Address = next()
	for i := range t.Dims {
		t.Dims[i] = next()
	}
	for i := range t.Strides {
		t.Strides[i] = next()
	}
	b = b[8:]
	for i := range t.Box {
		t.Box[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	copy(t.Steps[:], b[10:])
	return t, mark == tensorMark
}

// elementBytes is the size of an element, by CUtensorMapDataType.
var elementBytes = [...]int{1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4}

// box is one rectangle of a matrix on its way, or one of each of some matrices, and where in shared memory it lies.
type box struct {
	t                TensorMap
	at               uint64 // in shared memory
	col, row, matrix int64
	size             int // bytes of an element
	pitch            int // bytes of a row of the box
}

// rows are those of all matrices of the box.
func (b *box) rows() int {
	if b.t.Rank == 3 {
		return int(b.t.Box[1]) * int(b.t.Box[2])
	}
	return int(b.t.Box[1])
}

// bytes is what the copy of the whole box counts.
func (b *box) bytes() int { return b.pitch * b.rows() }

// newBox reads the map in generic slot mapSlot and the coordinates, as many as it has dimensions, and checks what the manual
// demands.
func (w *warp) newBox(o *op, lane int, mapSlot int32, at uint64) *box {
	address := w.x[mapSlot][lane]
	saved := *o
	saved.space = generic
	raw := append(append([]byte{}, w.bytes(&saved, lane, address, 64)...), w.bytes(&saved, lane, address+64, 64)...)
	t, ok := decodeTensorMap(raw)
	if !ok || int(t.Rank) != len(o.list) || t.Interleave != 0 || int(t.Type) >= len(elementBytes) || bytes.Count(t.Steps[:t.Rank], []byte{1}) != int(t.Rank) || t.Fill != 0 {
		w.fault(o, lane, Instruction, "there is no map of a plain tensor of %d dimensions at %#x", len(o.list), address)
	}
	var from [3]int64
	for i, r := range o.list {
		from[i] = int64(int32(w.r[r][lane]))
	}
	b := &box{t: t, at: at, col: from[0], row: from[1], matrix: from[2], size: elementBytes[t.Type]}
	b.pitch = b.size * int(t.Box[0])
	span := 16 << t.Swizzle // bytes of a row that swizzling works on
	switch {
	case at%128 != 0:
		w.fault(o, lane, Misaligned, "a box at %#x of shared memory, which is no multiple of 128", at)
	case b.pitch%16 != 0 || t.Swizzle > 3 || t.Swizzle != 0 && b.pitch != span:
		w.fault(o, lane, Instruction, "a box with rows of %d bytes, with swizzle %d", b.pitch, t.Swizzle)
	}
	return b
}

// swizzled exchanges the 16-byte cells of a row of 32, 64 or 128 bytes by the row's number.
func swizzled(address uint64, mode uint8) uint64 {
	return address ^ address>>3&((1<<mode-1)<<4)
}

// inside finds what lies inside of the tensor of row r of the box: n bytes at from, which go to offset to in the row.
func (b *box) inside(r int) (from uint64, to, n int) {
	matrix, row := b.matrix, b.row+int64(r)
	if b.t.Rank == 3 {
		matrix, row = b.matrix+int64(r)/int64(b.t.Box[1]), b.row+int64(r)%int64(b.t.Box[1])
		if matrix < 0 || matrix >= int64(b.t.Dims[2]) {
			return 0, 0, 0
		}
	}
	if row < 0 || row >= int64(b.t.Dims[1]) {
		return 0, 0, 0
	}
	low, high := max(b.col, 0), min(b.col+int64(b.t.Box[0]), int64(b.t.Dims[0]))
	if low >= high {
		return 0, 0, 0
	}
	return b.t.Address + uint64(matrix)*b.t.Strides[1] + uint64(row)*b.t.Strides[0] + uint64(low)*uint64(b.size), int(low-b.col) * b.size, int(high-low) * b.size
}

// load writes the box into shared memory, zero where it is outside of the matrix. rank is the block of the cluster.
func (b *box) load(w *warp, o *op, lane int, at uint64) {
	target, line := w.block, make([]byte, b.pitch)
	if at >= clusterStride {
		target = w.peer(o, lane, at)
	}
	for r := range b.rows() {
		clear(line)
		if from, to, n := b.inside(r); n > 0 {
			copy(line[to:], w.global(o, lane, from, n))
		}
		for c := 0; c < b.pitch; c += 16 {
			cell := swizzled(at+uint64(r*b.pitch+c), b.t.Swizzle)
			copy(w.shared(o, lane, cell, cellBytes), line[c:])
			target.replaced(cell)
		}
	}
}

// store writes what is inside of the matrix from shared memory.
func (b *box) store(w *warp, o *op, lane int) {
	line := make([]byte, b.pitch)
	for r := range b.rows() {
		to, from, n := b.inside(r)
		if n == 0 {
			continue
		}
		for c := 0; c < b.pitch; c += 16 {
			copy(line[c:], w.proxied(o, lane, swizzled(b.at+uint64(r*b.pitch+c), b.t.Swizzle)))
		}
		copy(w.global(o, lane, to, n), line[from:])
	}
}

// coordinatesOf takes "[map, {column, row}]", or a third coordinate.
func (d *decoder) coordinatesOf(in *inst, text string, o *op) (mapSlot int32, err error) {
	address, list, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), ",")
	if !ok {
		return 0, fmt.Errorf("%s is no map with coordinates", text)
	}
	if o.list, err = d.members(strings.TrimSpace(list), word, false); err != nil {
		return 0, err
	}
	if want := 2 + strings.Count(in.name, ".3d."); len(o.list) != want {
		return 0, fmt.Errorf("%s has %d coordinates, want %d", text, len(o.list), want)
	}
	return d.source(strings.TrimSpace(address), dword)
}

// buildTensorLoad takes "[to], [map, {column, row}], [barrier]", the mask of a multicast and a hint.
func buildTensorLoad(multicast, hint bool) func(*decoder, *inst, *op) error {
	want := 3
	if multicast {
		want++
	}
	if hint {
		want++
	}
	return func(d *decoder, in *inst, o *op) (err error) {
		if len(in.operands) != want {
			return fmt.Errorf("has %d operands, want %d", len(in.operands), want)
		}
		bar := op{}
		if err = d.where(in.operands[0], o); err != nil {
			return err
		}
		if o.b, err = d.coordinatesOf(in, in.operands[1], o); err != nil {
			return err
		}
		if err = d.where(in.operands[2], &bar); err != nil {
			return err
		}
		if o.wide || bar.wide || o.imm != 0 || bar.imm != 0 {
			return fmt.Errorf("wants 32-bit addresses")
		}
		o.c = bar.a
		if o.e = -1; multicast {
			o.e, err = d.source(in.operands[3], word)
		}
		return err
	}
}

func doTensorLoad(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		at, bar := uint64(w.r[o.a][i]), uint64(w.r[o.c][i])
		b := w.newBox(o, i, o.b, at)
		if o.e < 0 {
			target := w.block
			if at >= clusterStride {
				target = w.peer(o, i, at)
			}
			w.fly(o, i, b, target, at, bar)
			continue
		}
		mask := w.r[o.e][i]
		if mask&0xffff>>len(w.block.cluster.blocks) != 0 || mask == 0 {
			w.fault(o, i, Instruction, "a copy to blocks %#x of a cluster of %d", mask, len(w.block.cluster.blocks))
		}
		for rank, target := range w.block.cluster.blocks {
			if mask>>rank&1 != 0 {
				base := uint64(rank+1) * clusterStride
				w.peer(o, i, base)
				w.fly(o, i, b, target, base+at%clusterStride, base+bar%clusterStride)
			}
		}
	}
}

// fly starts the copy of b to target.
func (w *warp) fly(o *op, lane int, b *box, target *block, at, bar uint64) {
	w.mbarrierAt(o, lane, bar)
	for r := range b.rows() {
		from, _, n := b.inside(r)
		w.early(o, lane, from, n)
	}
	behind := *w // its lanes were judged above
	behind.waited = all
	w.block.grid.launchFlight(target, func() {
		b.load(&behind, o, lane, at)
		w.mbarrierAt(o, lane, bar).complete(w.block.grid, b.bytes())
	})
}

// stores are the bulk copies of a warp to global memory that have not been waited for. They read when they are.
type stores struct {
	list      []bulkStore
	committed [lanes]int32
}

type bulkStore struct {
	op    *op
	lane  int
	group int32
	box   *box
}

func (s *stores) clear() {
	s.list = s.list[:0]
	s.committed = [lanes]int32{}
}

func (s *stores) pending() bool { return len(s.list) > 0 }

// buildTensorStore takes "[map, {column, row}], [from]".
func buildTensorStore(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 2 {
		return fmt.Errorf("has %d operands, want 2", len(in.operands))
	}
	o.writes = true
	if o.b, err = d.coordinatesOf(in, in.operands[0], o); err != nil {
		return err
	}
	return d.where(in.operands[1], o)
}

func doTensorStore(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 != 0 {
			w.stores.list = append(w.stores.list, bulkStore{o, i, w.stores.committed[i], w.newBox(o, i, o.b, w.address(o, i))})
		}
	}
}

func commitStores(w *warp, _ *op, m uint32) {
	for i := range lanes {
		w.stores.committed[i] += int32(m >> i & 1)
	}
}

func waitStores(w *warp, o *op, m uint32) {
	left := w.stores.list[:0]
	for _, s := range w.stores.list {
		if m>>s.lane&1 != 0 && s.group < w.stores.committed[s.lane]-int32(o.imm) {
			s.box.store(w, s.op, s.lane)
			continue
		}
		left = append(left, s)
	}
	w.stores.list = left
}
