package simt

import (
	"fmt"
	"strconv"
	"strings"
)

// class is the file that a register lies in.
type class byte

const (
	none  class = iota
	pred        // a bit a lane
	word        // 16 and 32 bits
	dword       // 64 bits
)

// classOf is the class of registers declared with a type.
func classOf(typ string) class {
	switch typ {
	case "pred":
		return pred
	case "b16", "u16", "s16", "f16", "bf16", "b32", "u32", "s32", "f32", "f16x2", "bf16x2":
		return word
	case "b64", "u64", "s64", "f64":
		return dword
	}
	return none
}

// scope is a pair of braces: what is declared and labelled in it.
type scope struct {
	parent *scope
	ranges map[string]class // of "%r<90>" by "%r", whatever the count
	slots  map[string]slot
	labels map[string]int32
}

type slot struct {
	class class
	at    int32
}

func newScope(parent *scope) *scope {
	return &scope{parent, map[string]class{}, map[string]slot{}, map[string]int32{}}
}

// declare takes ".reg .b32 %r<90>" or ".reg .b32 at, counted" without ".reg".
func (s *scope) declare(text string) error {
	typ, names, _ := strings.Cut(strings.TrimSpace(text), " ")
	c := classOf(strings.TrimPrefix(strings.TrimSpace(typ), "."))
	if c == none {
		return fmt.Errorf("registers of type %s are not played", typ)
	}
	for _, name := range strings.Split(names, ",") {
		name = strings.TrimSpace(name)
		if prefix, _, many := strings.Cut(name, "<"); many {
			s.ranges[prefix] = c
			continue
		}
		s.slots[name] = slot{c, -1}
	}
	return nil
}

// register finds the slot of a name, giving it one at first sight.
func (d *decoder) register(name string) (slot, bool) {
	prefix := strings.TrimRight(name, "0123456789")
	for s := d.scope; s != nil; s = s.parent {
		if r, ok := s.slots[name]; ok {
			if r.at < 0 {
				r.at = d.newSlot(r.class)
				s.slots[name] = r
			}
			return r, true
		}
		if c, ok := s.ranges[prefix]; ok && len(prefix) < len(name) {
			r := slot{c, d.newSlot(c)}
			s.slots[name] = r
			return r, true
		}
	}
	return slot{}, false
}

func (d *decoder) newSlot(c class) int32 {
	n := &d.out.counts[c]
	*n++
	return int32(*n - 1)
}

// parseNumber reads an immediate as the bits of bytes bytes.
func parseNumber(text string) (uint64, bool) {
	if len(text) == 10 && (strings.HasPrefix(text, "0f") || strings.HasPrefix(text, "0F")) ||
		len(text) == 18 && (strings.HasPrefix(text, "0d") || strings.HasPrefix(text, "0D")) {
		v, err := strconv.ParseUint(text[2:], 16, 64)
		return v, err == nil
	}
	text = strings.TrimSuffix(text, "U")
	if v, err := strconv.ParseInt(text, 0, 64); err == nil {
		return uint64(v), true
	}
	v, err := strconv.ParseUint(text, 0, 64)
	return v, err == nil
}

// constant is a slot that always holds v.
func (d *decoder) constant(c class, v uint64) int32 {
	key := constKey{c, v}
	if at, ok := d.constants[key]; ok {
		return at
	}
	at := d.newSlot(c)
	d.constants[key] = at
	d.out.constants = append(d.out.constants, constant{slot{c, at}, v})
	return at
}

type constKey struct {
	class class
	value uint64
}

// constant is the value of a slot.
type constant struct {
	slot  slot
	value uint64
}

// source is the slot of an operand that is read: a register, a number, or the address of a variable or parameter.
func (d *decoder) source(text string, c class) (int32, error) {
	if r, ok := d.register(text); ok {
		if r.class != c {
			return 0, fmt.Errorf("operand %s has another width than the instruction", text)
		}
		d.use(r)
		return r.at, nil
	}
	if v, ok := parseNumber(text); ok {
		switch c {
		case word:
			return d.constant(word, v&0xffffffff), nil
		case pred:
			return d.truth(v != 0), nil
		}
		return d.constant(c, v), nil
	}
	return d.address(text, 0, c)
}

// truth is a predicate that never changes.
func (d *decoder) truth(v bool) int32 {
	if v {
		return alwaysSlot
	}
	return neverSlot
}

// target is the slot of a register that is written.
func (d *decoder) target(text string, c class) (int32, error) {
	r, ok := d.register(text)
	if !ok || r.class != c {
		return 0, fmt.Errorf("%s is no register that the instruction can write", text)
	}
	d.use(r)
	return r.at, nil
}

// use notes a 32-bit register of the instruction, for the check of what wgmma works on.
func (d *decoder) use(r slot) {
	if r.class == word {
		d.uses = append(d.uses, r.at)
	}
}

// address is a constant slot with the address of a variable or parameter.
func (d *decoder) address(name string, offset int64, c class) (int32, error) {
	if at, ok := d.kernel.params[name]; ok {
		return d.constant(c, uint64(paramBase+int64(at)+offset)), nil
	}
	v := d.variable(name)
	if v == nil {
		return 0, fmt.Errorf("%s is not a register, a number, a parameter or a variable in shared memory", name)
	}
	if v.dynamic { // behind all others, whose sizes are not known yet
		at := d.newSlot(c)
		d.dynamics = append(d.dynamics, constant{slot{c, at}, uint64(offset)})
		d.out.dynamicAlign = max(d.out.dynamicAlign, v.align)
		return at, nil
	}
	return d.constant(c, uint64(d.place(v))+uint64(offset)), nil
}

// variable finds a variable in shared memory: of the body, then of the module.
func (d *decoder) variable(name string) *variable {
	for _, list := range [][]*variable{d.locals, d.kernel.module.shared} {
		for _, v := range list {
			if v.name == name {
				return v
			}
		}
	}
	return nil
}

// place gives v its address in shared memory at first sight.
func (d *decoder) place(v *variable) int {
	at, ok := d.places[v]
	if !ok {
		at = roundUp(d.out.static, max(v.align, 1))
		d.places[v] = at
		d.out.static = at + v.size
	}
	return at
}
