package simt

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// wgmmaOf decodes the products of a warp group. Each of its warps does the 16 rows that are its own.
func wgmmaOf(parts []string) (spec, bool) {
	switch strings.Join(parts[1:], ".") {
	case "fence.sync.aligned":
		return spec{do: doNothing, control: aligned, shape: ""}, true
	case "commit_group.sync.aligned":
		return spec{do: commitProducts, control: aligned, shape: ""}, true
	case "wait_group.sync.aligned":
		return spec{do: waitProducts, control: aligned, build: buildCount}, true
	}
	if len(parts) != 8 || strings.Join(parts[1:4], ".") != "mma_async.sync.aligned" || parts[5] != "f32" || parts[6] != parts[7] {
		return spec{}, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(parts[4], "m64n"), "k16"))
	if parts[6] != "bf16" && parts[6] != "f16" || err != nil || n < 8 || n > 256 || n%8 != 0 {
		return spec{}, false
	}
	shape := &wgmmaShape{n: n, f16: parts[6] == "f16"}
	return spec{control: aligned, do: startProduct, build: func(d *decoder, in *inst, o *op) error { return buildWgmma(d, in, o, *shape) }}, true
}

// wgmmaShape is what an instruction multiplies.
type wgmmaShape struct {
	n              int
	f16            bool
	fromRegisters  bool // A
	turnA, turnB   bool
	minusA, minusB bool
}

// buildWgmma takes "{sums}, a, b, scale-d, scale-a, scale-b" and whether the operands in shared memory are turned. The
// list holds the sums, and behind them the registers of A; slots a and b the descriptors, c whether to add.
func buildWgmma(d *decoder, in *inst, o *op, s wgmmaShape) (err error) {
	s.fromRegisters = strings.HasPrefix(in.operands[1], "{")
	want := 8
	if s.fromRegisters {
		want = 7
	}
	if len(in.operands) != want {
		return fmt.Errorf("has %d operands, want %d", len(in.operands), want)
	}
	if o.list, err = d.members(in.operands[0], word, true); err != nil {
		return err
	}
	if len(o.list) != s.n/2 {
		return fmt.Errorf("has %d sums, want %d", len(o.list), s.n/2)
	}
	if s.fromRegisters {
		a, err := d.members(in.operands[1], word, false)
		if err != nil || len(a) != 4 {
			return fmt.Errorf("wants four registers of A: %v", err)
		}
		o.list = append(o.list, a...)
	} else if o.a, err = d.source(in.operands[1], dword); err != nil {
		return err
	}
	if o.b, err = d.source(in.operands[2], dword); err != nil {
		return err
	}
	if o.c, err = d.source(in.operands[3], pred); err != nil {
		return err
	}
	flags := make([]bool, 0, 4)
	for _, text := range in.operands[4:] {
		flags = append(flags, text != "0" && text != "1")
		if n := len(flags); n > 2 {
			flags[n-1] = text == "1"
		}
	}
	s.minusA, s.minusB, s.turnB = flags[0], flags[1], flags[len(flags)-1]
	s.turnA = !s.fromRegisters && flags[2]
	o.extra, o.space = &s, shared
	return nil
}

// products are those of a warp that have not been waited for.
type products struct {
	open   []started
	groups [][]started
	busy   int     // registers that they work on
	of     []uint8 // by slot: how many do
	spare  [256]row
}

type started struct {
	op   *op
	a, b uint64
	add  bool
}

func (p *products) clear(w *warp) {
	p.open, p.groups = p.open[:0], p.groups[:0]
	if p.busy > 0 {
		clear(p.of)
	}
	p.busy = 0
}

// check refuses to touch a register that a product works on.
func (p *products) check(w *warp, o *op) {
	if _, is := o.extra.(*wgmmaShape); is {
		return
	}
	for _, r := range o.uses {
		if p.of[r] > 0 {
			w.fault(o, 0, Instruction, "uses a register that a wgmma works on: wgmma.wait_group is missing")
		}
	}
}

func startProduct(w *warp, o *op, m uint32) {
	w.wantWhole(o, m)
	p := &w.products
	if p.of == nil {
		p.of = make([]uint8, len(w.r))
	}
	for _, r := range o.list {
		p.of[r]++
	}
	p.busy += len(o.list)
	if add := w.p[o.c]; add != 0 && add != all {
		w.fault(o, 0, Instruction, "only lanes %#x add to what is there", add)
	}
	s := started{op: o, b: w.x[o.b][0], add: w.p[o.c] != 0}
	if !o.extra.(*wgmmaShape).fromRegisters {
		s.a = w.x[o.a][0]
	}
	p.open = append(p.open, s)
}

func commitProducts(w *warp, _ *op, _ uint32) {
	p := &w.products
	p.groups = append(p.groups, append([]started(nil), p.open...))
	p.open = p.open[:0]
}

// waitProducts does all groups but the last imm.
func waitProducts(w *warp, o *op, _ uint32) {
	p := &w.products
	for len(p.groups) > int(o.imm) {
		for _, s := range p.groups[0] {
			w.multiply(s)
			for _, r := range s.op.list {
				p.of[r]--
			}
			p.busy -= len(s.op.list)
		}
		p.groups = p.groups[:copy(p.groups, p.groups[1:])]
	}
}

func (w *warp) multiply(s started) {
	o, shape := s.op, s.op.extra.(*wgmmaShape)
	var a [16]row
	if shape.fromRegisters {
		a = w.aRows(o.list[shape.n/2:], shape.f16)
	} else {
		w.operand(o, s.a, shape.turnA, shape.f16, a[:], w.index%4*16)
	}
	b := w.products.spare[:shape.n]
	w.operand(o, s.b, shape.turnB, shape.f16, b, 0)
	if shape.minusA != shape.minusB {
		for i := range a {
			for j := range a[i].v {
				a[i].v[j] = -a[i].v[j]
			}
		}
	}
	judge(a[:], b)
	judge(b, a[:])
	for e, r := range o.list[:shape.n/2] {
		d := &w.r[r]
		for i := range lanes {
			sum := d[i]
			if !s.add {
				sum = 0
			}
			d[i] = dot(&a[i/4+e/2%2*8], &b[e/4*8+i%4*2+e%2], sum)
		}
	}
}

// operand reads rows of 16 columns of K from where a descriptor says, from row first on.
func (w *warp) operand(o *op, desc uint64, turned, f16 bool, out []row, first int) {
	start, lead, stride := desc&0x3fff<<4, desc>>16&0x3fff<<4, desc>>32&0x3fff<<4
	mode := [4]uint8{0, 3, 2, 1}[desc>>62] // as in tensor maps
	if desc>>49&7 != 0 || desc>>61&1 != 0 {
		w.fault(o, 0, Instruction, "descriptor %#x has a base offset, which is not played", desc)
	}
	span := uint64(16) << mode
	if turned {
		w.turnedOperand(o, f16, out, first, start, lead, stride, mode)
		return
	}
	for i := range out {
		out[i].bits = 0
		r := uint64(first + i)
		for half := range uint64(2) {
			at := start + r/8*stride + r%8*span
			if mode == 0 {
				at += half * lead
			} else {
				at += half * 16
			}
			cell := w.shared(o, 0, swizzled(at, mode), 16)
			for k := 0; k < 8; k += 2 {
				out[i].pair(int(half)*8+k, binary.LittleEndian.Uint32(cell[2*k:]), f16)
			}
		}
	}
}

// turnedOperand reads an operand whose rows lie side by side: cells of 8 rows of one column of K.
func (w *warp) turnedOperand(o *op, f16 bool, out []row, first int, start, lead, stride uint64, mode uint8) {
	across := 8 << mode // rows of the operand that lie in a line
	for i := 0; i < len(out); i += 8 {
		r := first + i
		for j := range 8 {
			out[i+j].bits = 0
		}
		for k := range 16 {
			var at uint64
			if mode == 0 {
				at = start + uint64(r/8)*stride + uint64(k/8)*lead + uint64(k%8)*16
			} else {
				at = start + uint64(r/across)*lead + uint64(k/8)*stride + uint64(k%8)*(16<<mode) + uint64(r%across)*2
			}
			cell := w.shared(o, 0, swizzled(at, mode), 16)
			for j := range 8 {
				v := uint32(binary.LittleEndian.Uint16(cell[2*j:]))
				out[i+j].bits |= v & 0x7fff
				if f16 {
					out[i+j].v[k] = float64(fromF16(v))
				} else {
					out[i+j].v[k] = float64(float(v << 16))
				}
			}
		}
	}
}
