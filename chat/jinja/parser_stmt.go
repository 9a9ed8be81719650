package jinja

import (
	"strings"
)

// statement parses one tag after its opening.
func (p *parser) statement() []stmt {
	t := *p.cur()
	if t.kind != tName {
		p.fail("tag name expected")
	}
	parse := map[string]func(pos) stmt{
		"for": p.forStmt, "if": p.ifStmt, "set": p.setStmt, "with": p.withStmt, "macro": p.macroStmt, "call": p.callStmt,
		"filter": p.filterStmt, "generation": p.generationStmt, "autoescape": p.autoescapeStmt, "block": p.blockStmt,
		"break": p.controlStmt, "continue": p.controlStmt, "include": p.includeStmt, "extends": p.includeStmt,
		"import": p.importStmt, "from": p.fromStmt,
	}[t.text]
	if parse == nil && t.text != "print" {
		p.unclosed(t.text, nil)
	}
	p.tags = append(p.tags, t.text)
	defer func() { p.tags = p.tags[:len(p.tags)-1] }()
	if t.text == "print" {
		return p.printStmt()
	}
	return []stmt{parse(pos(t.line))}
}

func (p *parser) printStmt() (out []stmt) {
	p.next()
	for !p.cur().is(tBlockEnd) {
		if out != nil {
			p.expect("comma")
		}
		line := p.cur().line
		out = append(out, &output{pos(line), p.expression(true)})
	}
	return out
}

func (p *parser) setStmt(at pos) stmt {
	p.next()
	target := p.target(tupleOpts{namespace: true})
	if p.skipIf("assign") {
		return &setStmt{pos: at, target: target, x: p.tuple(tupleOpts{cond: true})}
	}
	s := &setBlock{pos: at, target: target, filter: p.filters(nil, false)}
	s.body = p.block("endset")
	p.next()
	return s
}

func (p *parser) forStmt(at pos) stmt {
	p.next()
	s := &forStmt{pos: at, target: p.target(tupleOpts{})}
	p.expectName("in")
	s.iter = p.tuple(tupleOpts{})
	if p.skipName("if") {
		s.test = p.expression(true)
	}
	s.recursive = p.skipName("recursive")
	s.body = p.block("endfor", "else")
	if p.next().text != "endfor" {
		s.els = p.block("endfor")
		p.next()
	}
	return s
}

func (p *parser) ifStmt(at pos) stmt {
	p.next()
	first := &ifStmt{pos: at}
	node := first
	for {
		node.test = p.tuple(tupleOpts{})
		node.body = p.block("elif", "else", "endif")
		switch p.next().text {
		case "elif":
			node = &ifStmt{pos: pos(p.cur().line)}
			first.elif = append(first.elif, node)
			continue
		case "else":
			first.els = p.block("endif")
			p.next()
		}
		return first
	}
}

func (p *parser) withStmt(at pos) stmt {
	p.next()
	s := &withStmt{pos: at}
	for !p.cur().is(tBlockEnd) {
		if s.targets != nil {
			p.expect("comma")
		}
		s.targets = append(s.targets, p.target(tupleOpts{}))
		p.expect("assign")
		s.vals = append(s.vals, p.expression(true))
	}
	s.body = p.block("endwith")
	p.next()
	return s
}

func (p *parser) autoescapeStmt(at pos) stmt {
	p.next()
	s := &autoescape{pos: at, on: p.expression(true)}
	s.body = p.block("endautoescape")
	p.next()
	return s
}

// signature parses the parameters of a macro or call block.
func (p *parser) signature(def *macroDef) {
	p.expect("lparen")
	for !p.cur().is("rparen") {
		if def.params != nil {
			p.expect("comma")
		}
		def.params = append(def.params, p.targetName())
		if p.skipIf("assign") {
			def.defaults = append(def.defaults, p.expression(true))
		} else if def.defaults != nil {
			p.fail("non-default argument follows default argument")
		}
	}
	p.next()
}

func (p *parser) macroStmt(at pos) stmt {
	p.next()
	s := &macroStmt{pos: at, name: p.targetName(), def: &macroDef{line: int(at)}}
	s.def.name = s.name
	p.signature(s.def)
	s.def.body = p.block("endmacro")
	p.next()
	return s
}

func (p *parser) callStmt(at pos) stmt {
	p.next()
	s := &callBlock{pos: at, def: &macroDef{line: int(at)}}
	if p.cur().is("lparen") {
		p.signature(s.def)
	}
	c, ok := p.expression(true).(*call)
	if !ok {
		failAt(int(at), "expected call")
	}
	s.call = c
	s.def.body = p.block("endcall")
	p.next()
	return s
}

// generationStmt parses transformers' mark around what the assistant says. It is a call block there, so what is set
// inside stays inside.
func (p *parser) generationStmt(at pos) stmt {
	p.next()
	s := &callBlock{pos: at, def: &macroDef{line: int(at)}}
	s.def.body = p.block("endgeneration")
	p.next()
	return s
}

func (p *parser) filterStmt(at pos) stmt {
	p.next()
	s := &filterBlock{pos: at, filter: p.filters(nil, true)}
	s.body = p.block("endfilter")
	p.next()
	return s
}

func (p *parser) blockStmt(at pos) stmt {
	p.next()
	s := &block{pos: at, name: p.expect(tName).text}
	s.scoped = p.skipName("scoped")
	s.required = p.skipName("required")
	if p.cur().is("sub") {
		p.fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")
	}
	s.body = p.block("endblock")
	p.next()
	for _, b := range s.body {
		if d, ok := b.(*data); s.required && (!ok || strings.TrimFunc(d.text, isSpace) != "") {
			p.fail("Required blocks can only contain comments or whitespace")
		}
	}
	p.skipName(s.name)
	return s
}

func (p *parser) controlStmt(at pos) stmt {
	return &loopControl{at, p.next().text == "break"}
}

func (p *parser) includeStmt(at pos) stmt {
	include := p.next().text == "include"
	s := &load{pos: at, template: p.expression(true)}
	if include {
		if p.cur().isName("ignore") && p.look().isName("missing") {
			p.next()
			p.next()
		}
		p.importContext()
	}
	return s
}

func (p *parser) importContext() bool {
	if p.cur().isName("with", "without") && p.look().isName("context") {
		p.next()
		p.next()
		return true
	}
	return false
}

func (p *parser) importStmt(at pos) stmt {
	p.next()
	s := &load{pos: at, template: p.expression(true)}
	p.expectName("as")
	s.targets = []string{p.targetName()}
	p.importContext()
	return s
}

func (p *parser) fromStmt(at pos) stmt {
	p.next()
	s := &load{pos: at, template: p.expression(true)}
	p.expectName("import")
	for {
		if s.targets != nil {
			p.expect("comma")
		}
		if !p.cur().is(tName) {
			p.expect(tName)
		}
		if p.importContext() {
			return s
		}
		line := p.cur().line
		target := p.targetName()
		if strings.HasPrefix(target, "_") {
			assertAt(line, "names starting with an underline can not be imported")
		}
		if p.skipName("as") {
			target = p.targetName()
		}
		s.targets = append(s.targets, target)
		if p.importContext() || !p.cur().is("comma") {
			return s
		}
	}
}

// target parses what can be assigned to: names, namespace attributes and tuples of them.
func (p *parser) target(o tupleOpts) expr {
	o.simple = true
	x := p.tuple(o)
	p.assignable(x)
	return x
}

func (p *parser) targetName() string {
	t := p.expect(tName)
	p.assignable(&name{pos: pos(t.line), id: t.text})
	return t.text
}

func (p *parser) assignable(x expr) {
	switch x := x.(type) {
	case *name:
		switch x.id {
		case "true", "false", "none", "True", "False", "None":
			failAt(x.at(), "can't assign to 'name'")
		}
		return
	case *nsRef:
		return
	case *listExpr:
		if x.tuple {
			for _, item := range x.items {
				if !canAssign(item) {
					failAt(x.at(), "can't assign to 'tuple'")
				}
			}
			return
		}
	}
	failAt(x.at(), "can't assign to "+quote(nodeName(x)))
}

func canAssign(x expr) bool {
	switch x := x.(type) {
	case *name, *nsRef:
		return true
	case *listExpr:
		for _, item := range x.items {
			if !canAssign(item) {
				return false
			}
		}
		return x.tuple
	}
	return false
}

func nodeName(x expr) string {
	switch x := x.(type) {
	case *constant:
		return "const"
	case *listExpr:
		return "list"
	case *dictExpr:
		return "dict"
	case *unary:
		return string(x.op)
	}
	return "expression"
}
