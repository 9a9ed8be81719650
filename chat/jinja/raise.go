package jinja

import (
	"fmt"
)

// Error is a template that cannot be parsed or rendered.
type Error struct {
	Line int    // line of the template, from 1
	Kind string // the Python class that Jinja2 raises: TemplateSyntaxError, UndefinedError, SecurityError, TypeError …
	Msg  string // the cause; of raise_exception, the text that the template gave
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Kind, e.Msg)
}

// raised carries an error from anywhere in the engine to Parse or Render, which turn it into an *Error.
type raised struct{ kind, msg string }

func raise(kind, format string, a ...any) {
	panic(&raised{kind, fmt.Sprintf(format, a...)})
}

// LimitKind is the Kind of an error that comes from a bound on steps, output, depth or size.
const LimitKind = "LimitError"

func limit(format string, a ...any) { raise(LimitKind, format, a...) }
