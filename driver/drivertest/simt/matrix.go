package simt

import (
	"encoding/binary"
	"fmt"
)

// matrices are the loads, stores and products of 8x8 fragments by a whole warp.
var matrices = map[string]spec{
	"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32": {build: buildProduct, do: productBF16, control: aligned},
	"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32":   {build: buildProduct, do: productF16, control: aligned},
	"ldmatrix.sync.aligned.m8n8.x4.shared.b16":            fragments(4, false), "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16": fragments(4, true),
	"ldmatrix.sync.aligned.m8n8.x2.shared.b16": fragments(2, false), "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16": fragments(2, true),
	"ldmatrix.sync.aligned.m8n8.x1.shared.b16": fragments(1, false), "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16": fragments(1, true),
	"stmatrix.sync.aligned.m8n8.x4.shared.b16": {build: buildStoreFragments, do: storeFragments, control: aligned},
	"movmatrix.sync.aligned.m8n8.trans.b16":    {shape: "Rr", do: transpose, control: aligned},
}

func fragments(n int, turned bool) spec {
	return spec{control: aligned, build: func(d *decoder, in *inst, o *op) (err error) {
		if len(in.operands) != 2 {
			return fmt.Errorf("has %d operands, want 2", len(in.operands))
		}
		o.do, o.space = loadFragments, shared
		if turned {
			o.do = loadTurned
		}
		if o.list, err = d.members(in.operands[0], word, true); err != nil {
			return err
		}
		if len(o.list) != n {
			return fmt.Errorf("loads %d fragments, want %d", len(o.list), n)
		}
		return d.where(in.operands[1], o)
	}}
}

// fragment reads the 8 rows of 16 bytes that lanes 8f to 8f+7 point to.
func (w *warp) fragment(o *op, f int) (rows [8][]byte) {
	for i := range rows {
		lane := 8*f + i
		rows[i] = w.bytes(o, lane, w.address(o, lane), 16)
	}
	return rows
}

func (w *warp) wantWhole(o *op, m uint32) {
	if m != all {
		w.fault(o, 0, Instruction, "only lanes %#x of the warp take part", m)
	}
}

func loadFragments(w *warp, o *op, m uint32) {
	w.wantWhole(o, m)
	var loaded [4]vec
	for f := range o.list {
		rows := w.fragment(o, f)
		for i := range lanes {
			loaded[f][i] = binary.LittleEndian.Uint32(rows[i/4][i%4*4:])
		}
	}
	for f, r := range o.list {
		w.r[r] = loaded[f]
	}
}

func loadTurned(w *warp, o *op, m uint32) {
	w.wantWhole(o, m)
	var loaded [4]vec
	for f := range o.list {
		rows := w.fragment(o, f)
		for i := range lanes {
			at := i / 4 * 2
			lo, hi := rows[i%4*2], rows[i%4*2+1]
			loaded[f][i] = uint32(binary.LittleEndian.Uint16(lo[at:])) | uint32(binary.LittleEndian.Uint16(hi[at:]))<<16
		}
	}
	for f, r := range o.list {
		w.r[r] = loaded[f]
	}
}

func buildStoreFragments(d *decoder, in *inst, o *op) (err error) {
	if len(in.operands) != 2 {
		return fmt.Errorf("has %d operands, want 2", len(in.operands))
	}
	o.space = shared
	if o.list, err = d.members(in.operands[1], word, false); err != nil {
		return err
	}
	if len(o.list) != 4 {
		return fmt.Errorf("stores %d fragments, want 4", len(o.list))
	}
	return d.where(in.operands[0], o)
}

func storeFragments(w *warp, o *op, m uint32) {
	w.wantWhole(o, m)
	for f, r := range o.list {
		rows := w.fragment(o, f)
		for i := range lanes {
			binary.LittleEndian.PutUint32(rows[i/4][i%4*4:], w.r[r][i])
		}
	}
}

// transpose turns one fragment, whose row i/4 lane i has two elements of.
func transpose(w *warp, o *op, m uint32) {
	w.wantWhole(o, m)
	from := w.r[o.a]
	half := func(row, col int) uint32 { return from[row*4+col/2] >> (col % 2 * 16) & 0xffff }
	for i := range lanes {
		row, col := i/4, i%4*2
		w.r[o.d][i] = half(col, row) | half(col+1, row)<<16
	}
}

func buildProduct(d *decoder, in *inst, o *op) error {
	if len(in.operands) != 4 {
		return fmt.Errorf("has %d operands, want 4", len(in.operands))
	}
	for i, n := range []int{4, 4, 2, 4} {
		list, err := d.members(in.operands[i], word, i == 0)
		if err != nil {
			return err
		}
		if len(list) != n {
			return fmt.Errorf("%s has %d registers, want %d", in.operands[i], len(list), n)
		}
		o.list = append(o.list, list...)
	}
	return nil
}

func productBF16(w *warp, o *op, m uint32) { w.product(o, m, false) }
func productF16(w *warp, o *op, m uint32)  { w.product(o, m, true) }

// row is 16 columns of K of an operand.
type row struct {
	v      [16]float64
	bits   uint32 // what any of them has set, but for signs: rows of padding cost nothing
	finite bool   // known where the other operand has rows of zeros
}

// pair sets two columns from the halves of a register.
func (r *row) pair(col int, v uint32, f16 bool) {
	r.bits |= v & 0x7fff7fff
	if f16 {
		r.v[col], r.v[col+1] = float64(fromF16(v&0xffff)), float64(fromF16(v>>16))
		return
	}
	r.v[col], r.v[col+1] = float64(float(v<<16)), float64(float(v&0xffff0000))
}

// judge looks for infinities and NaN, which a product with zero does not hide, where the other operand has zeros.
func judge(rows, other []row) {
	for i := range other {
		if other[i].bits == 0 {
			for j := range rows {
				rows[j].finite = rows[j].isFinite()
			}
			return
		}
	}
}

func (r *row) isFinite() bool {
	off := 0.0
	for _, v := range r.v {
		off += v - v
	}
	return off == 0
}

// aRows gathers the 16 rows of A that the registers of a warp hold.
func (w *warp) aRows(list []int32, f16 bool) (a [16]row) {
	for f := range 4 {
		r := &w.r[list[f]]
		for i := range lanes {
			a[i/4+f%2*8].pair(i%4*2+f/2*8, r[i], f16)
		}
	}
	return a
}

// dot adds sum to the product of two rows and rounds once.
func dot(x, y *row, sum uint32) uint32 {
	if x.bits == 0 && y.finite || y.bits == 0 && x.finite {
		return sum
	}
	a, b := &x.v, &y.v
	even := a[0]*b[0] + a[2]*b[2] + a[4]*b[4] + a[6]*b[6] + a[8]*b[8] + a[10]*b[10] + a[12]*b[12] + a[14]*b[14]
	odd := a[1]*b[1] + a[3]*b[3] + a[5]*b[5] + a[7]*b[7] + a[9]*b[9] + a[11]*b[11] + a[13]*b[13] + a[15]*b[15]
	return bitsOf(float32(even + odd + float64(float(sum))))
}

// product is d = a · b^T + c; lane i has of row i/4 of b two elements in each register.
func (w *warp) product(o *op, m uint32, f16 bool) {
	w.wantWhole(o, m)
	a := w.aRows(o.list[4:8], f16)
	var b [8]row
	for f := range 2 {
		r := &w.r[o.list[8+f]]
		for i := range lanes {
			b[i/4].pair(i%4*2+f*8, r[i], f16)
		}
	}
	judge(a[:], b[:])
	judge(b[:], a[:])
	for e := range 4 {
		d, c := &w.r[o.list[e]], &w.r[o.list[10+e]]
		for i := range lanes {
			d[i] = dot(&a[i/4+e/2*8], &b[i%4*2+e%2], c[i])
		}
	}
}
