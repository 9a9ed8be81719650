package simt

import (
	"encoding/binary"
	"fmt"
)

// atomicOf decodes atom and red: op[.modifiers].space.operation.type.
func atomicOf(parts []string) (spec, bool) {
	if len(parts) < 4 {
		return spec{}, false
	}
	operation, typ := parts[len(parts)-2], parts[len(parts)-1]
	f := updates[operation+"."+typ]
	a, ok := accessOf(append(append([]string{}, parts[1:len(parts)-2]...), typ))
	if f == nil || !ok {
		return spec{}, false
	}
	gives := parts[0] == "atom"
	return spec{build: func(d *decoder, in *inst, o *op) error { return buildAtomic(d, in, o, a, f, gives) }}, true
}

// update is the new value of memory from the old one and the operands.
type update func(old, v, other uint64) uint64

var updates = map[string]update{
	"add.u32": func(old, v, _ uint64) uint64 { return old + v }, "add.s32": func(old, v, _ uint64) uint64 { return old + v }, "add.u64": func(old, v, _ uint64) uint64 { return old + v },
	"add.f32": func(old, v, _ uint64) uint64 { return uint64(bitsOf(float(uint32(old)) + float(uint32(v)))) },
	"or.b32":  func(old, v, _ uint64) uint64 { return old | v }, "and.b32": func(old, v, _ uint64) uint64 { return old & v }, "xor.b32": func(old, v, _ uint64) uint64 { return old ^ v },
	"max.u32": func(old, v, _ uint64) uint64 { return max(old, v) }, "min.u32": func(old, v, _ uint64) uint64 { return min(old, v) },
	"max.u64": func(old, v, _ uint64) uint64 { return max(old, v) }, "min.u64": func(old, v, _ uint64) uint64 { return min(old, v) },
	"max.s32":  func(old, v, _ uint64) uint64 { return uint64(max(int32(old), int32(v))) },
	"min.s32":  func(old, v, _ uint64) uint64 { return uint64(min(int32(old), int32(v))) },
	"exch.b32": func(_, v, _ uint64) uint64 { return v }, "exch.b64": func(_, v, _ uint64) uint64 { return v },
	"cas.b32": compareAndSwap, "cas.b64": compareAndSwap,
	"inc.u32": func(old, v, _ uint64) uint64 {
		if old >= v {
			return 0
		}
		return old + 1
	},
	"dec.u32": func(old, v, _ uint64) uint64 {
		if old == 0 || old > v {
			return v
		}
		return old - 1
	},
}

func compareAndSwap(old, v, other uint64) uint64 {
	if old == v {
		return other
	}
	return old
}

// atomic is an atomic instruction: how wide, what it does, and whether it gives the old value.
type atomic struct {
	size  int
	f     update
	gives bool
}

func buildAtomic(d *decoder, in *inst, o *op, a *access, f update, gives bool) error {
	rest := in.operands
	c := word
	if a.size == 8 {
		c = dword
	}
	var err error
	if gives && len(rest) > 0 && rest[0] != "_" {
		if o.d, err = d.target(rest[0], c); err != nil {
			return err
		}
	}
	if gives && len(rest) > 0 {
		gives, rest = rest[0] != "_", rest[1:]
	}
	if len(rest) < 2 || len(rest) > 3 {
		return fmt.Errorf("has %d operands", len(in.operands))
	}
	o.extra, o.do, o.space = &atomic{a.size, f, gives}, doAtomic, a.space
	o.writes = true
	if err = d.where(rest[0], o); err != nil {
		return err
	}
	if o.b, err = d.source(rest[1], c); err != nil || len(rest) == 2 {
		return err
	}
	o.c, err = d.source(rest[2], c)
	return err
}

// doAtomic goes through the lanes in order, which is as good as any.
func doAtomic(w *warp, o *op, m uint32) {
	a := o.extra.(*atomic)
	for i := range lanes {
		if m>>i&1 == 0 {
			continue
		}
		p := w.bytes(o, i, w.address(o, i), a.size)
		if a.size == 8 {
			old := binary.LittleEndian.Uint64(p)
			binary.LittleEndian.PutUint64(p, a.f(old, w.x[o.b][i], w.x[o.c][i]))
			if a.gives {
				w.x[o.d][i] = old
			}
			continue
		}
		old := binary.LittleEndian.Uint32(p)
		binary.LittleEndian.PutUint32(p, uint32(a.f(uint64(old), uint64(w.r[o.b][i]), uint64(w.r[o.c][i]))))
		if a.gives {
			w.r[o.d][i] = old
		}
	}
}
