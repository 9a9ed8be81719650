package jinja

import (
	"strings"
)

// expression parses any expression; without cond, no inline if at its top.
func (p *parser) expression(cond bool) expr {
	p.enter()
	defer p.leave()
	if cond {
		return p.conditional()
	}
	return p.or()
}

func (p *parser) conditional() expr {
	line := p.cur().line
	x := p.or()
	for n := 0; p.skipName("if"); n = p.chain(n) {
		c := &cond{pos: pos(line), test: p.or(), yes: x}
		if p.skipName("else") {
			p.enter()
			c.no = p.conditional()
			p.leave()
		}
		x = c
		line = p.cur().line
	}
	return x
}

func (p *parser) or() expr {
	line := p.cur().line
	x := p.and()
	for n := 0; p.skipName("or"); n = p.chain(n) {
		x = &logical{pos(line), false, x, p.and()}
		line = p.cur().line
	}
	return x
}

func (p *parser) and() expr {
	line := p.cur().line
	x := p.not()
	for n := 0; p.skipName("and"); n = p.chain(n) {
		x = &logical{pos(line), true, x, p.not()}
		line = p.cur().line
	}
	return x
}

func (p *parser) not() expr {
	if p.cur().isName("not") {
		p.enter()
		defer p.leave()
		line := p.next().line
		return &unary{pos(line), "not", p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	line := p.cur().line
	c := &compare{first: p.sum()}
	for n := 0; ; n = p.chain(n) {
		op := p.cur().kind
		switch {
		case op == "eq" || op == "ne" || op == "lt" || op == "lteq" || op == "gt" || op == "gteq":
			p.next()
		case p.skipName("in"):
			op = "in"
		case p.cur().isName("not") && p.look().isName("in"):
			p.next()
			p.next()
			op = "notin"
		default:
			if c.ops == nil {
				return c.first
			}
			c.pos = pos(line)
			return c
		}
		c.ops = append(c.ops, op)
		c.rest = append(c.rest, p.sum())
		line = p.cur().line
	}
}

func (p *parser) sum() expr { return p.leftAssoc(p.concat, "add", "sub") }

func (p *parser) concat() expr {
	line := p.cur().line
	x := p.product()
	if !p.cur().is("tilde") {
		return x
	}
	c := &concat{pos(line), []expr{x}}
	for n := 0; p.skipIf("tilde"); n = p.chain(n) {
		c.parts = append(c.parts, p.product())
	}
	return c
}

func (p *parser) product() expr { return p.leftAssoc(p.power, "mul", "div", "floordiv", "mod") }

// power is left-associative in Jinja2, other than in Python.
func (p *parser) power() expr {
	return p.leftAssoc(func() expr { return p.unary(true) }, "pow")
}

func (p *parser) leftAssoc(operand func() expr, ops ...tokenKind) expr {
	line := p.cur().line
	x := operand()
	for n := 0; ; n = p.chain(n) {
		op := p.cur().kind
		found := false
		for _, o := range ops {
			found = found || o == op
		}
		if !found {
			return x
		}
		p.next()
		x = &binary{pos(line), op, x, operand()}
		line = p.cur().line
	}
}

func (p *parser) unary(filters bool) expr {
	t := *p.cur()
	var x expr
	if t.kind == "sub" || t.kind == "add" {
		p.next()
		p.enter()
		x = &unary{pos(t.line), t.kind, p.unary(false)}
		p.leave()
	} else {
		x = p.primary(false)
	}
	x = p.postfix(x)
	if !filters {
		return x
	}
	for n := 0; ; n = p.chain(n) {
		switch {
		case p.cur().is("pipe"):
			x = p.filters(x, false)
		case p.cur().isName("is"):
			x = p.test(x)
		case p.cur().is("lparen"):
			x = p.call(x)
		default:
			return x
		}
	}
}

func (p *parser) primary(namespace bool) expr {
	t := *p.cur()
	at := pos(t.line)
	switch t.kind {
	case tName:
		p.next()
		switch t.text {
		case "true", "True", "false", "False":
			return &constant{at, Bool(t.text == "true" || t.text == "True")}
		case "none", "None":
			return &constant{at, None{}}
		}
		if namespace && p.skipIf("dot") {
			return &nsRef{pos: at, id: t.text, attr: p.expect(tName).text}
		}
		return &name{pos: at, id: t.text}
	case tString:
		var b strings.Builder
		for p.cur().is(tString) {
			b.WriteString(p.next().text)
		}
		return &constant{at, String(b.String())}
	case tInteger, tFloat:
		p.next()
		return &constant{at, t.num}
	case "lparen":
		p.next()
		x := p.tuple(tupleOpts{cond: true, parens: true})
		p.expect("rparen")
		return x
	case "lbracket":
		return p.list()
	case "lbrace":
		return p.dict()
	}
	failAt(t.line, "unexpected "+quote(t.describe()))
	return nil
}

type tupleOpts struct {
	simple    bool // names and literals only
	namespace bool // with simple: ns.attr too
	cond      bool // inline if allowed
	parens    bool // inside parentheses, so it may be empty
}

// tuple parses expressions with commas between them; without a comma, just the expression.
func (p *parser) tuple(o tupleOpts) expr {
	p.enter()
	defer p.leave()
	line := p.cur().line
	var items []expr
	isTuple := false
	for {
		if items != nil {
			p.expect("comma")
		}
		if k := p.cur(); k.is(tVariableEnd) || k.is(tBlockEnd) || k.is("rparen") {
			break
		}
		if o.simple {
			items = append(items, p.primary(o.namespace))
		} else {
			items = append(items, p.expression(o.cond))
		}
		if !p.cur().is("comma") {
			break
		}
		isTuple = true
		line = p.cur().line
	}
	if !isTuple {
		if items != nil {
			return items[0]
		}
		if !o.parens {
			p.fail("Expected an expression, got " + quote(p.cur().describe()))
		}
	}
	return &listExpr{pos(line), items, true}
}

func (p *parser) list() expr {
	l := &listExpr{pos: pos(p.next().line)}
	for !p.cur().is("rbracket") {
		if l.items != nil {
			p.expect("comma")
		}
		if p.cur().is("rbracket") {
			break
		}
		l.items = append(l.items, p.expression(true))
	}
	p.next()
	return l
}

func (p *parser) dict() expr {
	d := &dictExpr{pos: pos(p.next().line)}
	for !p.cur().is("rbrace") {
		if d.keys != nil {
			p.expect("comma")
		}
		if p.cur().is("rbrace") {
			break
		}
		d.keys = append(d.keys, p.expression(true))
		p.expect("colon")
		d.vals = append(d.vals, p.expression(true))
	}
	p.next()
	return d
}

func (p *parser) postfix(x expr) expr {
	for n := 0; ; n = p.chain(n) {
		switch p.cur().kind {
		case "dot":
			x = p.attribute(x)
		case "lbracket":
			x = p.subscript(x)
		case "lparen":
			x = p.call(x)
		default:
			return x
		}
	}
}

func (p *parser) attribute(x expr) expr {
	at := pos(p.next().line)
	t := p.next()
	switch t.kind {
	case tName:
		return &getAttr{at, x, t.text}
	case tInteger:
		return &getItem{at, x, &constant{pos(t.line), t.num}}
	}
	failAt(t.line, "expected name or number")
	return nil
}

func (p *parser) subscript(x expr) expr {
	at := pos(p.next().line)
	var items []expr
	for !p.cur().is("rbracket") {
		if items != nil {
			p.expect("comma")
		}
		items = append(items, p.subscribed())
	}
	p.next()
	if len(items) == 1 {
		return &getItem{at, x, items[0]}
	}
	for _, i := range items {
		if _, ok := i.(*sliceExpr); ok {
			pythonAt(int(at), "invalid syntax")
		}
	}
	return &getItem{at, x, &listExpr{at, items, true}}
}

func (p *parser) subscribed() expr {
	s := &sliceExpr{pos: pos(p.cur().line)}
	if !p.cur().is("colon") {
		s.start = p.expression(true)
		if !p.cur().is("colon") {
			return s.start
		}
	}
	p.next()
	end := func() bool { return p.cur().is("rbracket") || p.cur().is("comma") }
	if !p.cur().is("colon") && !end() {
		s.stop = p.expression(true)
	}
	if p.skipIf("colon") && !end() {
		s.step = p.expression(true)
	}
	return s
}

func (p *parser) call(fn expr) expr {
	return &call{pos: pos(p.cur().line), fn: fn, callArgs: p.arguments()}
}

func (p *parser) arguments() (a callArgs) {
	line := p.expect("lparen").line
	ensure := func(ok bool) {
		if !ok {
			failAt(line, "invalid syntax for function call expression")
		}
	}
	for comma := false; !p.cur().is("rparen"); comma = true {
		if comma {
			p.expect("comma")
			if p.cur().is("rparen") {
				break
			}
		}
		switch {
		case p.cur().is("mul"):
			ensure(a.dynArgs == nil && a.dynNamed == nil)
			p.next()
			a.dynArgs = p.expression(true)
		case p.cur().is("pow"):
			ensure(a.dynNamed == nil)
			p.next()
			a.dynNamed = p.expression(true)
		case p.cur().is(tName) && p.look().is("assign"):
			ensure(a.dynNamed == nil)
			key := p.next().text
			p.next()
			a.names = append(a.names, key)
			a.vals = append(a.vals, p.expression(true))
		default:
			ensure(a.dynArgs == nil && a.dynNamed == nil && a.names == nil)
			a.args = append(a.args, p.expression(true))
		}
	}
	p.next()
	return a
}

// filters parses "|name(args)" as often as it comes; with inline, the first has no bar.
func (p *parser) filters(x expr, inline bool) expr {
	for n := 0; p.cur().is("pipe") || inline; n = p.chain(n) {
		if !inline {
			p.next()
		}
		inline = false
		t := p.expect(tName)
		f := &filter{pos: pos(t.line), x: x, name: p.dotted(t.text)}
		if p.cur().is("lparen") {
			f.callArgs = p.arguments()
		}
		x = f
	}
	return x
}

func (p *parser) dotted(name string) string {
	for n := 0; p.skipIf("dot"); n = p.chain(n) {
		name += "." + p.expect(tName).text
	}
	return name
}

func (p *parser) test(x expr) expr {
	at := pos(p.next().line)
	negated := p.skipName("not")
	t := &test{pos: at, x: x, name: p.dotted(p.expect(tName).text)}
	switch k := p.cur(); k.kind {
	case "lparen":
		t.callArgs = p.arguments()
	case tName, tString, tInteger, tFloat, "lbracket", "lbrace":
		if k.isName("else", "or", "and") {
			break
		}
		if k.isName("is") {
			p.fail("You cannot chain multiple tests with is")
		}
		t.args = []expr{p.postfix(p.primary(false))}
	}
	if negated {
		return &unary{at, "not", t}
	}
	return t
}
