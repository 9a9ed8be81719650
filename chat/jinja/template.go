// Package jinja renders Jinja templates as Python's Jinja2 does in the set-up that Hugging Face transformers uses for
// chat templates: an immutable sandbox with trim_blocks, lstrip_blocks, loop controls and {% generation %}.
//
// A template can read what the caller gave it and nothing else. Rendering is bounded in steps, output, depth and
// memory. Semantics follow Jinja2 3.1; where a template could see addresses or random numbers, this engine gives a
// fixed text or refuses.
package jinja

import (
	"strconv"
	"time"
)

// Template is a parsed template. It never changes and may render in many goroutines at once.
type Template struct {
	body   []stmt
	root   *frameInfo
	self   bool // the body asks for self, in slot 0
	blocks map[string]*block
}

// Parse reads a template of at most 1 MiB. The error is an *Error.
func Parse(source string) (t *Template, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *syntaxError:
			err = &Error{e.line, e.kind, e.msg}
		default:
			panic(e)
		}
	}()
	if len(source) > maxSource {
		failAt(1, "template has "+strconv.Itoa(len(source))+" bytes, at most "+strconv.Itoa(maxSource)+" are allowed")
	}
	p := &parser{toks: lex(source)}
	body := p.template()
	r := &resolver{blocks: map[string]*block{}}
	root, self := r.template(body)
	return &Template{body, root, self, r.blocks}, nil
}

// Render gives the text of the template with vars, which it does not change. now is what strftime_now tells.
// The error is an *Error.
func (t *Template) Render(vars map[string]Value, now time.Time) (text string, err error) {
	st := &state{now: now, line: 1, blocks: t.blocks, filters: builtinFilters, tests: builtinTests, methods: stringMethods}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *raised:
			err = &Error{st.line, e.kind, e.msg}
		default:
			panic(e)
		}
	}()
	st.ctx = &context{make(map[string]Value, len(vars)), newGlobals()}
	for k, v := range vars {
		if v == nil {
			v = None{}
		}
		st.ctx.vars[k] = v
	}
	f := st.enter(t.root, nil)
	if t.self {
		f.slots[0] = selfRef{}
	}
	st.run(t.body, f)
	return string(st.buf), nil
}
