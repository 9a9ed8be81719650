package jinja

// tokenKind is the kind of a token by the name that Jinja2 gives it; operators carry the name of the operator.
type tokenKind string

const (
	tData          tokenKind = "data"
	tVariableBegin tokenKind = "variable_begin"
	tVariableEnd   tokenKind = "variable_end"
	tBlockBegin    tokenKind = "block_begin"
	tBlockEnd      tokenKind = "block_end"
	tName          tokenKind = "name"
	tString        tokenKind = "string"
	tInteger       tokenKind = "integer"
	tFloat         tokenKind = "float"
	tEOF           tokenKind = "eof"
	tError         tokenKind = "error" // the lexer stopped here; text is the cause
)

type token struct {
	kind tokenKind
	text string
	num  Value // of tInteger and tFloat
	line int
}

// operators by their text; longer ones are tried first.
var operators = []struct {
	text string
	kind tokenKind
}{
	{"//", "floordiv"}, {"**", "pow"}, {"==", "eq"}, {"!=", "ne"}, {">=", "gteq"}, {"<=", "lteq"},
	{"+", "add"}, {"-", "sub"}, {"/", "div"}, {"*", "mul"}, {"%", "mod"}, {"~", "tilde"},
	{"[", "lbracket"}, {"]", "rbracket"}, {"(", "lparen"}, {")", "rparen"}, {"{", "lbrace"}, {"}", "rbrace"},
	{">", "gt"}, {"<", "lt"}, {"=", "assign"}, {".", "dot"}, {":", "colon"}, {"|", "pipe"}, {",", "comma"}, {";", "semicolon"},
}

// describe gives the token's kind as error messages call it.
func (k tokenKind) describe() string {
	for _, o := range operators {
		if o.kind == k {
			return o.text
		}
	}
	switch k {
	case tBlockBegin:
		return "begin of statement block"
	case tBlockEnd:
		return "end of statement block"
	case tVariableBegin:
		return "begin of print statement"
	case tVariableEnd:
		return "end of print statement"
	case tData:
		return "template data / text"
	case tEOF:
		return "end of template"
	}
	return string(k)
}

func (t token) describe() string {
	if t.kind == tName {
		return t.text
	}
	return t.kind.describe()
}
