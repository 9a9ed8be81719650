package simt

import (
	"encoding/binary"
	"fmt"
	"strings"
)

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
	o.extra, o.space, o.writes = a, a.space, !load
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
	if o.d = o.list[0]; load {
		o.do = a.loader(c)
	} else {
		o.do = a.storer(c)
	}
	if o.do == nil {
		return fmt.Errorf("this width is not played")
	}
	if err = d.where(at, o); err == nil && o.fixed && load && (c == word) == (a.size == 4) && a.size >= 4 {
		o.do = loadUniform
	}
	return err
}

// loader is what loads into registers of class c, nil where nothing does; storer likewise.
func (a *access) loader(c class) exec {
	switch {
	case c == word && a.size == 4 && a.count == 1:
		return loadWord
	case c == word && a.size == 4:
		return loadWords
	case c == dword && a.size == 8:
		return loadWides
	case a.count == 1 && c == dword:
		return loadNarrowWide
	case a.count == 1:
		return loadNarrow
	}
	return nil
}

func (a *access) storer(c class) exec {
	switch {
	case c == word && a.size == 4:
		return storeWords
	case c == dword && a.size == 8:
		return storeWides
	case c == word && a.count == 1:
		return storeNarrow
	}
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
