package simt

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Module is PTX, read as far as names and parameters. Bodies are decoded when they first run.
type Module struct {
	kernels map[string]*kernel
	shared  []*variable // of the module: kernels take those that they name
}

// kernel is one entry.
type kernel struct {
	name   string
	module *Module
	params map[string]int // name to offset in the parameter block
	bytes  int            // of the parameter block
	body   string
	line   int // where the body begins

	once sync.Once
	code *program
	err  error
}

// variable is a declaration outside or inside a body. A dynamic one has no size of its own.
type variable struct {
	name        string
	align, size int
	dynamic     bool
}

// Parse reads a module's declarations.
func Parse(text string) (*Module, error) {
	m := &Module{kernels: map[string]*kernel{}}
	s := &scanner{text: text, line: 1}
	for s.skip(); s.text != ""; s.skip() {
		if err := m.declaration(s); err != nil {
			return nil, fmt.Errorf("cannot read PTX, line %d: %w", s.line, err)
		}
	}
	return m, nil
}

func (m *Module) declaration(s *scanner) error {
	for _, word := range []string{".version", ".target", ".address_size"} {
		if strings.HasPrefix(s.text, word) {
			s.until("\n")
			return nil
		}
	}
	head, end := s.until(";{")
	switch {
	case end == '{' && strings.Contains(head, ".entry"):
		return m.entry(head, s)
	case end == '{' && strings.Contains(head, "="):
		s.block()
		s.until(";")
	case end == '{':
		return fmt.Errorf("%q is not an entry: functions are not played", head)
	case strings.Contains(head, ".shared"):
		v, err := parseVariable(head)
		if err != nil {
			return err
		}
		m.shared = append(m.shared, v)
	}
	return nil // variables in global memory are refused where code names them
}

// entry reads "… .entry name(params) directives", the body follows.
func (m *Module) entry(head string, s *scanner) error {
	_, head, _ = strings.Cut(head, ".entry")
	name, list, _ := strings.Cut(head, "(")
	list, _, _ = strings.Cut(list, ")")
	k := &kernel{name: strings.TrimSpace(name), module: m, params: map[string]int{}, line: s.line}
	for _, text := range strings.Split(list, ",") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		v, err := parseVariable(text)
		if err != nil {
			return err
		}
		k.bytes = roundUp(k.bytes, v.align)
		k.params[v.name] = k.bytes
		k.bytes += v.size
	}
	k.body = s.block()
	m.kernels[k.name] = k
	return nil
}

// parseVariable reads ".space [.align N] .type [.ptr …] name[count]".
func parseVariable(text string) (*variable, error) {
	v := &variable{dynamic: strings.Contains(text, ".extern")}
	fields := strings.Fields(text)
	elem := 0
	for i := 0; i+1 < len(fields); i++ {
		if fields[i] == ".align" && v.align == 0 {
			v.align, _ = strconv.Atoi(fields[i+1])
		} else if b := typeBytes(strings.TrimPrefix(fields[i], ".")); b > 0 && elem == 0 {
			elem = b
		}
	}
	name, count, array := strings.Cut(fields[len(fields)-1], "[")
	v.name, v.size = name, elem
	v.align = max(v.align, elem)
	if array && !v.dynamic {
		n, err := strconv.Atoi(strings.TrimSuffix(count, "]"))
		if err != nil {
			return nil, fmt.Errorf("cannot read the size of %q", strings.TrimSpace(text))
		}
		v.size *= n
	}
	if elem == 0 || name == "" {
		return nil, fmt.Errorf("cannot read the declaration %q", strings.TrimSpace(text))
	}
	return v, nil
}

// typeBytes is the size of a type such as u64 or b8; 0 for anything else.
func typeBytes(name string) int {
	if len(name) < 2 || !strings.Contains("bsuf", name[:1]) {
		return 0
	}
	bits, err := strconv.Atoi(name[1:])
	if err != nil {
		return 0
	}
	return bits / 8
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
