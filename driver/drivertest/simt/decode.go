package simt

import (
	"fmt"
	"strings"
)

// program is a decoded body.
type program struct {
	kernel       *kernel
	ops          []op
	counts       [4]int // slots by class
	constants    []constant
	static       int // end of the variables in shared memory, an address
	dynamicAlign int
	spare        spareBlocks
}

// control says what an instruction needs of the scheduler.
type control byte

const (
	plain   control = iota
	branch          // goes to op.target
	exit            // ends its lanes
	aligned         // for all live lanes of the warp at once
	masked          // for the lanes in slot op.e at once
	waits           // may block or yield
	syncing         // aligned, and may block
)

// exec does an instruction for the lanes in m.
type exec func(w *warp, o *op, m uint32)

// op is a decoded instruction. What its fields hold is the matter of do.
type op struct {
	do            exec
	control       control
	space         space
	fixed         bool   // the address is the same in all lanes
	writes        bool   // memory
	gives         bool   // a result that may be left out
	wide          bool   // the address in slot a has 64 bits
	guard         int32  // predicate; alwaysSlot without one
	flip          uint32 // all ones: unless the predicate
	d, a, b, c, e int32
	id            int32
	target        int32
	line          int32
	imm           int64
	list          []int32 // members of vectors, in order
	uses          []int32 // 32-bit registers that it reads or writes
	extra         any
	text          string
}

// Predicates that never change.
const (
	alwaysSlot = 0
	neverSlot  = 1
)

// spec says how an instruction is decoded: by shape alone, or by build. A letter of shape is an operand: r 32 bits, x 64, p
// predicate, capital where it is written; they go to d, a, b, c and e in order.
type spec struct {
	shape   string
	do      exec
	control control
	build   func(d *decoder, in *inst, o *op) error
}

// inst is an instruction as text.
type inst struct {
	name     string
	operands []string
}

type decoder struct {
	kernel    *kernel
	out       *program
	scope     *scope
	locals    []*variable
	places    map[*variable]int
	constants map[constKey]int32
	dynamics  []constant
	uses      []int32
	pending   []jump
}

// jump is a branch whose label may come later.
type jump struct {
	op    int
	label string
	scope *scope
}

// program decodes the body once.
func (k *kernel) program() (*program, error) {
	k.once.Do(func() { k.code, k.err = k.decode() })
	return k.code, k.err
}

func (k *kernel) decode() (*program, error) {
	d := &decoder{kernel: k, out: &program{kernel: k, static: sharedBase, dynamicAlign: 16}, places: map[*variable]int{}, constants: map[constKey]int32{}}
	d.scope = newScope(nil)
	d.out.counts[pred] = 2
	s := &scanner{text: k.body, line: k.line}
	for s.skip(); s.text != ""; s.skip() {
		line := s.line
		if err := d.statement(s); err != nil {
			return nil, fmt.Errorf("kernel %s, PTX line %d: %w", k.name, line, err)
		}
	}
	d.emit(op{do: doNothing, control: exit, text: "end of the body"}, s.line)
	for _, j := range d.pending {
		if err := d.resolve(j); err != nil {
			return nil, fmt.Errorf("kernel %s, PTX line %d: %w", k.name, d.out.ops[j.op].line, err)
		}
	}
	base := uint64(roundUp(d.out.static, d.out.dynamicAlign))
	for _, c := range d.dynamics {
		c.value += base
		d.out.constants = append(d.out.constants, c)
	}
	return d.out, nil
}

func (d *decoder) statement(s *scanner) error {
	switch s.text[0] {
	case '{':
		s.advance(1)
		d.scope = newScope(d.scope)
		return nil
	case '}':
		s.advance(1)
		d.scope = d.scope.parent
		return nil
	case ';':
		s.advance(1)
		return nil
	}
	if label, ok := s.label(); ok {
		d.scope.labels[label] = int32(len(d.out.ops))
		return nil
	}
	line := s.line
	text, _ := s.until(";")
	if text[0] == '.' {
		return d.directive(text)
	}
	return d.instruction(text, line)
}

// label passes "name:" if that comes next.
func (s *scanner) label() (string, bool) {
	n := 0
	for n < len(s.text) && (s.text[n] == '_' || s.text[n] == '$' || s.text[n] >= '0' && s.text[n] <= '9' || s.text[n]|32 >= 'a' && s.text[n]|32 <= 'z') {
		n++
	}
	if n == 0 || n == len(s.text) || s.text[n] != ':' {
		return "", false
	}
	name := s.text[:n]
	s.advance(n + 1)
	return name, true
}

func (d *decoder) directive(text string) error {
	switch word, rest, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " "); word {
	case ".reg":
		return d.scope.declare(rest)
	case ".shared":
		v, err := parseVariable(text)
		d.locals = append(d.locals, v)
		return err
	case ".pragma", ".loc":
		return nil
	}
	return fmt.Errorf("the directive %q is not played", text)
}

func (d *decoder) instruction(text string, line int) error {
	o := op{text: text}
	d.uses = nil
	if text[0] == '@' {
		var guard string
		guard, text, _ = strings.Cut(strings.ReplaceAll(text[1:], "\t", " "), " ")
		if strings.HasPrefix(guard, "!") {
			guard, o.flip = guard[1:], all
		}
		var err error
		if o.guard, err = d.source(guard, pred); err != nil {
			return err
		}
		text = strings.TrimSpace(text)
	}
	in := split(text)
	s, ok := lookup(in.name)
	if !ok {
		return fmt.Errorf("instruction %s is not played: add it to driver/drivertest/simt", in.name)
	}
	o.do, o.control = s.do, s.control
	if s.build == nil {
		s.build = shaped(s.shape)
	}
	if err := s.build(d, &in, &o); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	o.uses = d.uses
	d.emit(o, line)
	return nil
}

func (d *decoder) emit(o op, line int) {
	o.line, o.id = int32(line), int32(len(d.out.ops))
	d.out.ops = append(d.out.ops, o)
}

// split takes an instruction apart at its commas outside of braces and brackets.
func split(text string) inst {
	at := strings.IndexAny(text, " \t\n")
	if at < 0 {
		return inst{name: text}
	}
	in := inst{name: text[:at]}
	depth, from := 0, at
	for i := at; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				in.operands = append(in.operands, strings.TrimSpace(text[from:i]))
				from = i + 1
			}
		}
	}
	if last := strings.TrimSpace(text[from:]); last != "" {
		in.operands = append(in.operands, last)
	}
	return in
}

// shaped decodes operands by their letters.
func shaped(shape string) func(*decoder, *inst, *op) error {
	return func(d *decoder, in *inst, o *op) error {
		if len(in.operands) != len(shape) {
			return fmt.Errorf("has %d operands, want %d", len(in.operands), len(shape))
		}
		to := [...]*int32{&o.d, &o.a, &o.b, &o.c, &o.e}
		if shape != "" && shape[0] >= 'a' {
			copy(to[:], to[1:])
		}
		for i, text := range in.operands {
			at, err := d.operand(text, shape[i])
			if err != nil {
				return err
			}
			*to[i] = at
		}
		return nil
	}
}

var letters = map[byte]class{'r': word, 'x': dword, 'p': pred}

func (d *decoder) operand(text string, letter byte) (int32, error) {
	if c, ok := letters[letter]; ok {
		return d.source(text, c)
	}
	return d.target(text, letters[letter|32])
}

// resolve finds the label of a branch, in its scope or one round it.
func (d *decoder) resolve(j jump) error {
	for s := j.scope; s != nil; s = s.parent {
		if at, ok := s.labels[j.label]; ok {
			d.out.ops[j.op].target = at
			return nil
		}
	}
	return fmt.Errorf("label %s is not there", j.label)
}

func doNothing(*warp, *op, uint32) {}

func lookup(name string) (spec, bool) {
	for _, family := range families {
		if s, ok := family[name]; ok {
			return s, true
		}
	}
	return patterned(name)
}
