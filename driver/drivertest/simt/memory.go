package simt

import (
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
	data  []byte
	base  uint64
	wrote Span
}

// where decodes "[base+offset]" into slot a and imm.
func (d *decoder) where(text string, o *op) error {
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
	if len(w.block.grid.launch.Ahead) > 0 {
		w.early(o, lane, address, n)
	}
	if at := address - r.base; at < uint64(len(r.data)) && at+uint64(n) <= uint64(len(r.data)) {
		if o.writes {
			r.note(address, n)
		}
		return r.data[at : at+uint64(n)]
	}
	data, base, why := w.block.grid.launch.Memory.Find(address)
	if at := address - base; why == "" && at+uint64(n) > uint64(len(data)) {
		why = "goes past the end of its allocation"
	}
	if why != "" {
		w.fault(o, lane, Address, "%d bytes at %#x of global memory, which %s", n, address, why)
	}
	if r.wrote.To > 0 {
		w.block.grid.wrote = append(w.block.grid.wrote, r.wrote)
	}
	*r = region{data: data, base: base}
	if o.writes {
		r.note(address, n)
	}
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
