package jinja

// Nodes of the syntax tree. They are made by the parser, get their variable references from the resolver, and never
// change after that.

type expr interface{ at() int }

type pos int // line

func (p pos) at() int { return int(p) }

type (
	constant struct {
		pos
		v Value
	}
	name struct {
		pos
		id  string
		ref ref
	}
	nsRef struct { // target of {% set ns.attr = … %}
		pos
		id, attr string
		ref      ref
	}
	listExpr struct {
		pos
		items []expr
		tuple bool
	}
	dictExpr struct {
		pos
		keys, vals []expr
	}
	getAttr struct {
		pos
		x    expr
		attr string
	}
	getItem struct {
		pos
		x, key expr
	}
	sliceExpr struct {
		pos
		start, stop, step expr // nil: left out
	}
	call struct {
		pos
		fn expr
		callArgs
	}
	filter struct {
		pos
		x    expr // nil: the captured text of a block
		name string
		callArgs
		fn builtin
	}
	test struct {
		pos
		x    expr
		name string
		callArgs
		fn builtin
	}
	cond struct {
		pos
		test, yes, no expr // no may be nil
	}
	logical struct { // and, or
		pos
		and         bool
		left, right expr
	}
	unary struct { // not, -, +
		pos
		op tokenKind
		x  expr
	}
	binary struct {
		pos
		op          tokenKind
		left, right expr
	}
	concat struct {
		pos
		parts []expr
	}
	compare struct {
		pos
		first expr
		ops   []tokenKind // eq, ne, lt, lteq, gt, gteq, in, notin
		rest  []expr
	}
)

type callArgs struct {
	args     []expr
	names    []string // keyword arguments
	vals     []expr
	dynArgs  expr // *x
	dynNamed expr // **x
}

type stmt interface{ at() int }

type (
	data struct {
		pos
		text string
	}
	output struct {
		pos
		x expr
	}
	ifStmt struct {
		pos
		test expr
		body []stmt
		elif []*ifStmt
		els  []stmt
	}
	forStmt struct {
		pos
		target, testTarget expr // the second is a copy for the frame of the test
		iter, test         expr
		body, els          []stmt
		recursive          bool
		extended           bool // the body looks at loop
		loopRef            ref
		inner, testInfo    *frameInfo
		elseInfo           *frameInfo
	}
	setStmt struct {
		pos
		target expr
		x      expr
		export []export // set when blocks have to see it
	}
	setBlock struct {
		pos
		target expr
		filter expr // innermost node has no operand; nil: none
		body   []stmt
		inner  *frameInfo
		export []export
	}
	withStmt struct {
		pos
		targets []expr
		vals    []expr
		body    []stmt
		inner   *frameInfo
	}
	filterBlock struct {
		pos
		filter expr
		body   []stmt
		inner  *frameInfo
	}
	macroStmt struct {
		pos
		name   string
		ref    ref
		export bool
		def    *macroDef
	}
	callBlock struct {
		pos
		call *call // nil: {% generation %}, which runs the body as it is
		def  *macroDef
	}
	autoescape struct {
		pos
		on    expr
		body  []stmt
		inner *frameInfo
	}
	block struct {
		pos
		name     string
		scoped   bool
		required bool
		body     []stmt
		inner    *frameInfo
		self     int // slots, -1: the body does not ask for it
		super    int
		outer    []export // what a scoped block sees of the frames around it
	}
	loopControl struct { // break, continue
		pos
		brk bool
	}
	load struct { // include, import, extends: there is no loader, so rendering fails
		pos
		template expr
		targets  []string
	}
)

// macroDef is the body of a macro or call block with its parameters.
type macroDef struct {
	line     int
	name     string // "" for a call block
	params   []string
	defaults []expr // of the last parameters
	body     []stmt

	inner                   *frameInfo
	slots                   []int // of the parameters
	caller, kwargs, varargs int   // slots, -1: the body does not ask for it
}
