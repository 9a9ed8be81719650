package jinja

import (
	"strings"
)

// parser builds the tree by jinja2.parser's grammar.
type parser struct {
	toks  []token
	i     int
	depth int
	tags  []string   // open tags, for error messages
	ends  [][]string // what closes them
}

const (
	maxSource = 1 << 20 // bytes of a template
	maxNested = 100     // brackets, operators in operands and blocks in blocks, together
	maxChain  = 1000    // operators, filters and subscripts in a row
)

// syntaxError is raised with a line of its own.
type syntaxError struct {
	line      int
	kind, msg string
}

func failAt(line int, msg string) { panic(&syntaxError{line, "TemplateSyntaxError", msg}) }

// assertAt fails for what Jinja2 finds when it compiles the tree.
func assertAt(line int, msg string) { panic(&syntaxError{line, "TemplateAssertionError", msg}) }

// pythonAt fails for what the Python compiler does not take.
func pythonAt(line int, msg string) { panic(&syntaxError{line, "SyntaxError", msg}) }

func (p *parser) cur() *token { return &p.toks[p.i] }

func (p *parser) fail(msg string) { failAt(p.cur().line, msg) }

// next moves on and gives the token that was current.
func (p *parser) next() token {
	t := p.toks[p.i]
	if t.kind != tEOF {
		p.i++
		p.check()
	}
	return t
}

// check stops at the place where the lexer did.
func (p *parser) check() {
	if t := p.cur(); t.kind == tError {
		failAt(t.line, t.text)
	}
}

// look gives the token after the current one.
func (p *parser) look() *token {
	if p.cur().kind == tEOF {
		return p.cur()
	}
	t := &p.toks[p.i+1]
	if t.kind == tError {
		failAt(t.line, t.text)
	}
	return t
}

func (t *token) is(k tokenKind) bool { return t.kind == k }
func (t *token) isName(names ...string) bool {
	if t.kind == tName {
		for _, n := range names {
			if t.text == n {
				return true
			}
		}
	}
	return false
}

func (p *parser) skipIf(k tokenKind) bool {
	if p.cur().is(k) {
		p.next()
		return true
	}
	return false
}

func (p *parser) skipName(name string) bool {
	if p.cur().isName(name) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(k tokenKind) token {
	if !p.cur().is(k) {
		p.expected(k.describe())
	}
	return p.next()
}

func (p *parser) expectName(name string) token {
	if !p.cur().isName(name) {
		p.expected(name)
	}
	return p.next()
}

func (p *parser) expected(what string) {
	if p.cur().is(tEOF) {
		p.fail("unexpected end of template, expected " + quote(what) + ".")
	}
	p.fail("expected token " + quote(what) + ", got " + quote(p.cur().describe()))
}

// enter counts one level of nesting; leave it with p.leave.
func (p *parser) enter() {
	p.depth++
	if p.depth > maxNested {
		p.fail("too deeply nested: more than " + itoa(maxNested) + " levels")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) chain(n int) int {
	if n >= maxChain {
		p.fail("expression is too long: more than " + itoa(maxChain) + " operators in a row")
	}
	return n + 1
}

// template parses the whole source.
func (p *parser) template() []stmt {
	p.check()
	return p.body(nil)
}

// body parses up to a tag of ends, which stays current, or to the end of the template.
func (p *parser) body(ends []string) []stmt {
	var out []stmt
	if ends != nil {
		p.ends = append(p.ends, ends)
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	for {
		switch t := p.cur(); t.kind {
		case tEOF:
			return out
		case tData:
			out = append(out, &data{pos(t.line), t.text})
			p.next()
		case tVariableBegin:
			p.next()
			line := p.cur().line
			out = append(out, &output{pos(line), p.tuple(tupleOpts{cond: true})})
			p.expect(tVariableEnd)
		default: // tBlockBegin
			p.next()
			if ends != nil && p.cur().isName(ends...) {
				return out
			}
			out = append(out, p.statement()...)
			p.expect(tBlockEnd)
		}
	}
}

// block parses a body that one of ends must close; the end tag stays current.
func (p *parser) block(ends ...string) []stmt {
	p.enter()
	defer p.leave()
	p.skipIf("colon")
	p.expect(tBlockEnd)
	out := p.body(ends)
	if p.cur().is(tEOF) {
		p.unclosed("", ends)
	}
	return out
}

// unclosed fails because of an unknown tag or, when tag is empty, the end of the template.
func (p *parser) unclosed(tag string, ends []string) {
	stack := p.ends
	if ends != nil {
		stack = append(stack, ends)
	}
	msg := "Unexpected end of template."
	if tag != "" {
		msg = "Encountered unknown tag " + quote(tag) + "."
	}
	if n := len(stack); n > 0 {
		var quoted []string
		nesting := false
		for _, e := range stack[n-1] {
			quoted = append(quoted, quote(e))
		}
		for _, s := range stack {
			for _, e := range s {
				nesting = nesting || tag != "" && e == tag
			}
		}
		looking := strings.Join(quoted, " or ")
		if nesting {
			msg += " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + looking + "."
		} else {
			msg += " Jinja was looking for the following tags: " + looking + "."
		}
	}
	if n := len(p.tags); n > 0 {
		msg += " The innermost block that needs to be closed is " + quote(p.tags[n-1]) + "."
	}
	p.fail(msg)
}
