package simt

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Memory is what the addresses of a launch outside of its blocks stand for.
type Memory interface {
	// Find returns the allocation that holds address, and where it begins; without one, why says what the address is.
	Find(address uint64) (data []byte, base uint64, why string)
}

// Addresses. Shared memory does not begin at zero, so that an address nobody set is seen; another block's begins at its
// rank plus one times clusterStride. Parameters and generic addresses of shared memory are far from everything.
const (
	sharedBase    = 1024
	clusterStride = 1 << 24
	genericShared = 0x1000_0000_0000_0000
	paramBase     = 0x2000_0000_0000_0000
)

type space byte

const (
	global space = iota
	shared
	param
	generic
)

// region is the allocation that an instruction used last.
type region struct {
	data []byte
	base uint64
}

// access is how an instruction reaches memory.
type access struct {
	space  space
	size   int // bytes of an element
	count  int
	signed bool
	atomic string
}

var caches = map[string]bool{"ca": true, "cg": true, "cs": true, "cv": true, "lu": true, "wb": true, "wt": true, "nc": true, "volatile": true, "weak": true, "relaxed": true,
	"acquire": true, "release": true, "gpu": true, "cta": true, "sys": true, "cluster": true, "acq_rel": true,
	"L1::no_allocate": true, "L1::evict_last": true, "L1::evict_first": true, "L2::128B": true, "L2::64B": true, "L2::256B": true}

var spaces = map[string]space{"global": global, "shared": shared, "shared::cta": shared, "shared::cluster": shared, "param": param}

// accessOf reads the modifiers between ld and the type.
func accessOf(words []string) (*access, bool) {
	a := &access{space: generic, count: 1}
	for _, word := range words[:len(words)-1] {
		s, isSpace := spaces[word]
		switch {
		case isSpace:
			a.space = s
		case word == "v2":
			a.count = 2
		case word == "v4":
			a.count = 4
		case !caches[word]:
			return nil, false
		}
	}
	typ := words[len(words)-1]
	a.size, a.signed = typeBytes(typ), typ[0] == 's'
	return a, a.size > 0
}

func loadOf(parts []string) (spec, bool) {
	a, ok := accessOf(parts[1:])
	if !ok {
		return spec{}, false
	}
	return spec{build: func(d *decoder, in *inst, o *op) error { return buildAccess(d, in, o, a, true) }}, true
}

func storeOf(parts []string) (spec, bool) {
	a, ok := accessOf(parts[1:])
	if !ok || a.space == param {
		return spec{}, false
	}
	return spec{build: func(d *decoder, in *inst, o *op) error { return buildAccess(d, in, o, a, false) }}, true
}

func buildAccess(d *decoder, in *inst, o *op, a *access, load bool) error {
	if len(in.operands) != 2 {
		return fmt.Errorf("has %d operands, want 2", len(in.operands))
	}
	data, at := in.operands[0], in.operands[1]
	if !load {
		data, at = at, data
	}
	o.extra, o.space = a, a.space
	c := word
	if a.size == 8 {
		c = dword
	}
	if name := strings.Trim(data, "{} "); !strings.Contains(name, ",") { // a register may be wider than what it gets
		if r, ok := d.register(name); ok && r.class == dword {
			c = dword
		}
		data = "{" + name + "}"
	}
	var err error
	if o.list, err = d.members(data, c, load); err != nil {
		return err
	}
	if len(o.list) != a.count {
		return fmt.Errorf("%s has %d members, want %d", data, len(o.list), a.count)
	}
	switch {
	case load && c == word && a.size == 4 && a.count == 1:
		o.do = loadWord
	case load && c == word && a.size == 4:
		o.do = loadWords
	case load && c == dword && a.size == 8:
		o.do = loadWides
	case load && a.count == 1:
		o.do = loadNarrow
		o.d = o.list[0]
		if c == dword {
			o.do = loadNarrowWide
		}
	case !load && c == word && a.size == 4:
		o.do = storeWords
	case !load && c == dword && a.size == 8:
		o.do = storeWides
	case !load && c == word && a.count == 1:
		o.do = storeNarrow
	default:
		return fmt.Errorf("this width is not played")
	}
	if err = d.place1(at, o); err == nil && o.fixed && load && (c == word) == (a.size == 4) && a.size >= 4 {
		o.do = loadUniform
	}
	return err
}

// place1 decodes "[base+offset]" into slot a and imm.
func (d *decoder) place1(text string, o *op) error {
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") {
		return fmt.Errorf("%s is no address", text)
	}
	text = strings.TrimSpace(text[1 : len(text)-1])
	base, offset, _ := strings.Cut(text, "+")
	if offset != "" {
		v, ok := parseNumber(strings.TrimSpace(offset))
		if !ok {
			return fmt.Errorf("%s is no address", text)
		}
		o.imm = int64(v)
	}
	base = strings.TrimSpace(base)
	if r, ok := d.register(base); ok {
		if r.class == pred {
			return fmt.Errorf("%s is no address", text)
		}
		d.use(r)
		o.a, o.wide = r.at, r.class == dword
		return nil
	}
	var err error
	o.wide, o.fixed = true, true
	o.a, err = d.source(base, dword)
	return err
}

// address is where lane's access of o begins.
func (w *warp) address(o *op, lane int) uint64 {
	if o.wide {
		return w.x[o.a][lane] + uint64(o.imm)
	}
	return uint64(w.r[o.a][lane]) + uint64(o.imm)
}

// bytes is n bytes at address, which is a multiple of n.
func (w *warp) bytes(o *op, lane int, address uint64, n int) []byte {
	if address&uint64(n-1) != 0 {
		w.fault(o, lane, Misaligned, "%d bytes at %#x, which is no multiple of that", n, address)
	}
	switch o.space {
	case global:
		return w.global(o, lane, address, n)
	case shared:
		return w.shared(o, lane, address, n)
	case param:
		return w.param(o, lane, address, n)
	}
	switch address >> 60 {
	case genericShared >> 60:
		return w.shared(o, lane, address-genericShared, n)
	case paramBase >> 60:
		return w.param(o, lane, address, n)
	}
	return w.global(o, lane, address, n)
}

func (w *warp) global(o *op, lane int, address uint64, n int) []byte {
	r := &w.block.grid.regions[o.id]
	if at := address - r.base; at < uint64(len(r.data)) && at+uint64(n) <= uint64(len(r.data)) {
		return r.data[at : at+uint64(n)]
	}
	data, base, why := w.block.grid.launch.Memory.Find(address)
	if at := address - base; why == "" && at+uint64(n) > uint64(len(data)) {
		why = "goes past the end of its allocation"
	}
	if why != "" {
		w.fault(o, lane, Address, "%d bytes at %#x of global memory, which %s", n, address, why)
	}
	r.data, r.base = data, base
	return data[address-base:][:n]
}

func (w *warp) shared(o *op, lane int, address uint64, n int) []byte {
	b := w.block
	if address >= clusterStride {
		b = w.peer(o, lane, address)
		address &= clusterStride - 1
	}
	if at := address - sharedBase; at < uint64(len(b.shared)) && at+uint64(n) <= uint64(len(b.shared)) {
		return b.shared[at : at+uint64(n)]
	}
	w.fault(o, lane, Address, "%d bytes at %#x of shared memory, which begins at %#x and has %d", n, address, sharedBase, len(b.shared))
	return nil
}

// peer is the block of the cluster that an address lies in.
func (w *warp) peer(o *op, lane int, address uint64) *block {
	rank := int(address/clusterStride) - 1
	if rank >= len(w.block.cluster.blocks) {
		w.fault(o, lane, Address, "%#x of shared memory lies in block %d of a cluster of %d", address, rank, len(w.block.cluster.blocks))
	}
	b := w.block.cluster.blocks[rank]
	if b.ended {
		w.fault(o, lane, Address, "%#x of shared memory lies in block %d of the cluster, which has ended", address, rank)
	}
	return b
}

func (w *warp) param(o *op, lane int, address uint64, n int) []byte {
	args := w.block.grid.launch.Args
	if at := address - paramBase; at < uint64(len(args)) && at+uint64(n) <= uint64(len(args)) {
		return args[at:][:n]
	}
	w.fault(o, lane, Address, "%d bytes at %#x, which are no parameters", n, address)
	return nil
}

// loadUniform is for an address that is the same in all lanes.
func loadUniform(w *warp, o *op, m uint32) {
	n := o.extra.(*access).size
	p := w.bytes(o, first(m), w.address(o, first(m)), n*len(o.list))
	for j, r := range o.list {
		if n == 8 {
			v := binary.LittleEndian.Uint64(p[8*j:])
			wides1(&w.x[r], &w.x[r], m, func(uint64) uint64 { return v })
			continue
		}
		v := binary.LittleEndian.Uint32(p[4*j:])
		words1(&w.r[r], &w.r[r], m, func(uint32) uint32 { return v })
	}
}

func loadWords(w *warp, o *op, m uint32) {
	n := 4 * len(o.list)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), n)
		for j, r := range o.list {
			w.r[r][i] = binary.LittleEndian.Uint32(p[4*j:])
		}
	}
}

// loadWord is loadWords of one.
func loadWord(w *warp, o *op, m uint32) {
	d := &w.r[o.list[0]]
	for i := range lanes {
		if m>>i&1 != 0 {
			d[i] = binary.LittleEndian.Uint32(w.bytes(o, i, w.address(o, i), 4))
		}
	}
}

func loadWides(w *warp, o *op, m uint32) {
	n := 8 * len(o.list)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), n)
		for j, r := range o.list {
			w.x[r][i] = binary.LittleEndian.Uint64(p[8*j:])
		}
	}
}

// narrow reads the single element of up to 32 bits and extends it to 64.
func (w *warp) narrow(o *op, lane int) uint64 {
	a := o.extra.(*access)
	p := w.bytes(o, lane, w.address(o, lane), a.size)
	switch {
	case a.size == 1 && a.signed:
		return uint64(int8(p[0]))
	case a.size == 1:
		return uint64(p[0])
	case a.size == 2 && a.signed:
		return uint64(int16(binary.LittleEndian.Uint16(p)))
	case a.size == 2:
		return uint64(binary.LittleEndian.Uint16(p))
	case a.signed:
		return uint64(int32(binary.LittleEndian.Uint32(p)))
	}
	return uint64(binary.LittleEndian.Uint32(p))
}

// loadNarrow extends to 32 bits; a register of 16 holds no more, which its readers see to.
func loadNarrow(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 != 0 {
			w.r[o.d][i] = uint32(w.narrow(o, i))
		}
	}
}

func loadNarrowWide(w *warp, o *op, m uint32) {
	for i := range lanes {
		if m>>i&1 != 0 {
			w.x[o.d][i] = w.narrow(o, i)
		}
	}
}

func storeWords(w *warp, o *op, m uint32) {
	n := 4 * len(o.list)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), n)
		for j, r := range o.list {
			binary.LittleEndian.PutUint32(p[4*j:], w.r[r][i])
		}
	}
}

func storeWides(w *warp, o *op, m uint32) {
	n := 8 * len(o.list)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), n)
		for j, r := range o.list {
			binary.LittleEndian.PutUint64(p[8*j:], w.x[r][i])
		}
	}
}

func storeNarrow(w *warp, o *op, m uint32) {
	size := o.extra.(*access).size
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), size)
		v := w.r[o.list[0]][i]
		if p[0] = byte(v); size == 2 {
			p[1] = byte(v >> 8)
		}
	}
}
