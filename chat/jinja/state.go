package jinja

import "time"

// Bounds of one rendering. Work on text and lists counts as steps by its size, so that these also bound memory.
const (
	maxSteps     = 1_000_000
	maxOutput    = 4 << 20 // bytes of the result, and of any one string
	maxCalls     = 200     // macros and recursive loops inside each other
	maxValue     = 500     // lists in lists that are printed, compared or written as JSON
	maxIntBits   = 1 << 17
	maxIntDigits = 4300 // that CPython turns into text
	maxRange     = 100_000
	bytesPerStep = 128
	itemsPerStep = 8
)

// state is one rendering in progress.
type state struct {
	steps      int
	line       int
	calls      int // macros and recursive loops now running
	deep       int // nesting of the value now printed or compared
	buf        []byte
	ctx        *context
	autoescape bool
	now        time.Time
	blocks     map[string]*block
	filters    map[string]builtin
	tests      map[string]builtin
	methods    methodTable // of strings
}

// context is where names are looked up that no frame holds.
type context struct {
	vars    map[string]Value // what the caller gave and what the top level assigned
	globals map[string]Value
}

func (c *context) resolve(name string) Value {
	if v, ok := c.vars[name]; ok {
		return v
	}
	return c.globals[name] // nil: missing
}

// frame holds the variables of one scope; nil is one that is missing.
type frame struct {
	slots  []Value
	parent *frame
	ctx    *context
}

// enter makes a frame inside of f.
func (st *state) enter(info *frameInfo, f *frame) *frame {
	st.step(1 + info.n/itemsPerStep)
	in := &frame{make([]Value, info.n), f, st.ctx}
	if f != nil {
		in.ctx = f.ctx
	}
	for _, op := range info.loads {
		if op.kind == loadAlias {
			in.slots[op.slot] = f.get(op.from)
		} else {
			in.slots[op.slot] = in.ctx.resolve(op.name)
		}
	}
	return in
}

func (f *frame) get(r ref) Value {
	for ; r.hops > 0; r.hops-- {
		f = f.parent
	}
	return f.slots[r.slot]
}

func (f *frame) set(r ref, v Value) {
	for ; r.hops > 0; r.hops-- {
		f = f.parent
	}
	f.slots[r.slot] = v
}

// step counts n steps and raises once there were too many.
func (st *state) step(n int) {
	st.steps += n
	if st.steps > maxSteps {
		limit("template takes more than %d steps", maxSteps)
	}
}

// bytes counts the work of making or reading n bytes of text.
func (st *state) bytes(n int) { st.step(n / bytesPerStep) }

// items counts the work of making or reading n values.
func (st *state) items(n int) { st.step(n / itemsPerStep) }

// many is items of a number that the template chose.
func (st *state) many(n int64) {
	if n > maxSteps*itemsPerStep {
		limit("template makes a list of more than %d items", maxSteps*itemsPerStep)
	}
	st.items(int(n))
}

// room raises if a string of n bytes may not be made, and counts the work of making it.
func (st *state) room(n int) {
	if n > maxOutput {
		limit("template makes a string of more than %d bytes", maxOutput)
	}
	st.bytes(n)
}

// grow is room for n more bytes at the end of a string of have bytes.
func (st *state) grow(have, n int) {
	if have+n > maxOutput {
		limit("template makes a string of more than %d bytes", maxOutput)
	}
	st.bytes(n)
}

func (st *state) write(s string) {
	st.bytes(len(s))
	if len(st.buf)+len(s) > maxOutput {
		limit("output is larger than %d bytes", maxOutput)
	}
	st.buf = append(st.buf, s...)
}

// capture runs f and gives what it wrote. ok is false if f was left by break or continue.
func (st *state) capture(f func() control) (string, control) {
	saved := st.buf
	st.buf = nil
	c := f()
	s := string(st.buf)
	st.buf = saved
	return s, c
}

// nest counts one level of depth of a value; undo with st.deep--.
func (st *state) nest() {
	st.deep++
	if st.deep > maxValue {
		raise("RecursionError", "maximum recursion depth exceeded")
	}
}

// call counts one running macro or recursive loop; undo with st.calls--.
func (st *state) enterCall() {
	st.calls++
	if st.calls > maxCalls {
		raise("RecursionError", "maximum recursion depth exceeded")
	}
}
