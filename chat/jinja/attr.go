package jinja

import (
	"math"
	"strings"
)

// getattr is x.name: the attribute, or else the item of that name, or else undefined.
func (st *state) getattr(v Value, name string) Value {
	checkDefinedFor(v, name)
	if a := st.attribute(v, name); a != nil {
		return a
	}
	if d, ok := v.(*dict); ok {
		if x, ok := d.str(name); ok {
			return x
		}
	}
	return noAttr(v, name)
}

// getitem is v[key]: the item, or else the attribute of that name, or else undefined.
func (st *state) getitem(v, key Value) Value {
	if u, ok := v.(*undefined); ok {
		raise(u.kind, "%s", u.hint)
	}
	if x := st.item(v, key); x != nil {
		return x
	}
	name, ok := text(key)
	if !ok {
		return &undefined{objectName(v) + " has no element " + st.repr(key), "UndefinedError"}
	}
	if a := st.attribute(v, name); a != nil {
		return a
	}
	return noAttr(v, name)
}

// checkDefinedFor raises for an attribute of something undefined. The sandbox hides what every object has first.
func checkDefinedFor(v Value, name string) {
	if u, ok := v.(*undefined); ok && !dunder[name] {
		raise(u.kind, "%s", u.hint)
	}
}

func noAttr(v Value, name string) Value {
	return &undefined{quote(objectName(v)) + " has no attribute " + quote(name), "UndefinedError"}
}

// objectName is jinja2.utils.object_type_repr.
func objectName(v Value) string {
	switch v.(type) {
	case None:
		return "None"
	case markup:
		return "markupsafe.Markup object"
	case *undefined, *macro, *loop:
		return "jinja2.runtime." + v.typeName() + " object"
	case *namespace, *cycler, *joiner:
		return "jinja2.utils." + v.typeName() + " object"
	}
	return v.typeName() + " object"
}

// unsafe is what the sandbox gives instead of an attribute that it hides.
func unsafe(v Value, name string) Value {
	return &undefined{"access to attribute " + quote(name) + " of " + quote(v.typeName()) + " object is unsafe.", "SecurityError"}
}

// item is v[key], nil if there is no such item.
func (st *state) item(v, key Value) Value {
	switch v := v.(type) {
	case *dict:
		switch key.(type) {
		case *dict:
			return nil // not hashable
		case *list:
			if !hashable(key) {
				return nil
			}
		}
		if x, ok := v.get(key); ok {
			return x
		}
	case *list:
		if i, ok := index(key, len(v.items)); ok {
			return v.items[i]
		}
	case *rangeValue:
		if i, ok := index(key, int(v.n)); ok {
			return Int(v.start + int64(i)*v.step)
		}
	case String:
		return st.charAt(v, string(v), key)
	case markup:
		return st.charAt(v, string(v), key)
	}
	return nil
}

func hashable(v Value) bool {
	switch v := v.(type) {
	case *dict:
		return false
	case *list:
		if !v.tuple {
			return false
		}
		for _, x := range v.items {
			if !hashable(x) {
				return false
			}
		}
	}
	return true
}

// index turns a key into a position below n.
func index(key Value, n int) (int, bool) {
	i, ok := integer(key)
	if !ok {
		return 0, false
	}
	if i < 0 {
		i += int64(n)
	}
	return int(i), i >= 0 && i < int64(n)
}

func (st *state) charAt(v Value, s string, key Value) Value {
	if _, ok := integer(key); !ok {
		return nil
	}
	if isASCII(s) {
		if i, ok := index(key, len(s)); ok {
			st.bytes(len(s))
			return sameMarkup(v, s[i:i+1])
		}
		return nil
	}
	st.bytes(4 * len(s))
	r := []rune(s)
	if i, ok := index(key, len(r)); ok {
		return sameMarkup(v, string(r[i]))
	}
	return nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// slice is v[start:stop:step].
func (st *state) slice(v Value, s *sliceValue) Value {
	switch v := v.(type) {
	case *list:
		var out []Value
		sliceEach(s, len(v.items), func(n int) { st.items(n); out = make([]Value, 0, n) },
			func(i int) { out = append(out, v.items[i]) })
		return &list{items: out, tuple: v.tuple}
	case *rangeValue:
		start, stop, step := sliceBounds(s, int(v.n))
		return newRange(v.start+int64(start)*v.step, v.start+int64(stop)*v.step, v.step*int64(step))
	case String, markup:
		t, _ := text(v)
		return sameMarkup(v, st.sliceText(t, s))
	case *undefined:
		raise(v.kind, "%s", v.hint)
	case *dict:
		raise("TypeError", "unhashable type: 'slice'")
	}
	raise("TypeError", "%s object is not subscriptable", quote(v.typeName()))
	return nil
}

func (st *state) sliceText(t string, s *sliceValue) string {
	st.bytes(len(t))
	if isASCII(t) {
		start, stop, step := sliceBounds(s, len(t))
		if step == 1 {
			return t[start:max(start, stop)]
		}
	}
	var b strings.Builder
	st.bytes(4 * len(t))
	r := []rune(t)
	sliceEach(s, len(r), func(n int) { b.Grow(n) }, func(i int) { b.WriteRune(r[i]) })
	return b.String()
}

// sliceEach calls each for the positions of a slice of n items, after it told size how many.
func sliceEach(s *sliceValue, n int, size func(int), each func(int)) {
	start, stop, step := sliceBounds(s, n)
	count := 0
	if step > 0 && start < stop {
		count = (stop-start-1)/step + 1
	} else if step < 0 && start > stop {
		count = (start-stop-1)/-step + 1
	}
	size(count)
	for i := 0; i < count; i++ {
		each(start + i*step)
	}
}

// sliceBounds is slice.indices(n).
func sliceBounds(s *sliceValue, n int) (start, stop, step int) {
	step = 1
	if _, ok := s.step.(None); !ok {
		step = int(max(min(sliceIndex(s.step), 1<<40), -(1 << 40)))
		if step == 0 {
			raise("ValueError", "slice step cannot be zero")
		}
	}
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	bound := func(v Value, def int) int {
		if _, ok := v.(None); ok {
			return def
		}
		i := sliceIndex(v)
		if i < 0 {
			i += int64(n)
		}
		return int(max(int64(low), min(i, int64(high))))
	}
	if step < 0 {
		return bound(s.start, high), bound(s.stop, low), step
	}
	return bound(s.start, low), bound(s.stop, high), step
}

func sliceIndex(v Value) int64 {
	if b, ok := v.(bigInt); ok {
		return int64(b.Sign()) << 60
	}
	i, ok := integer(v)
	if !ok {
		raise("TypeError", "slice indices must be integers or None or have an __index__ method")
	}
	return max(-(1 << 60), min(i, 1<<60))
}

// attribute is Python's getattr(v, name) as the sandbox lets it through, nil if there is none.
func (st *state) attribute(v Value, name string) Value {
	if strings.HasPrefix(name, "_") {
		if _, ok := v.(*native); dunder[name] || ok && functionDunder[name] {
			return unsafe(v, name)
		}
		if ns, ok := v.(*namespace); ok {
			if _, ok := ns.attrs.str(name); ok {
				return unsafe(v, name)
			}
		}
		return nil
	}
	switch v := v.(type) {
	case String:
		return method(v, name, st.methods)
	case markup:
		return method(v, name, st.methods)
	case *dict:
		switch name {
		case "clear", "pop", "popitem", "setdefault", "update":
			return unsafe(v, name)
		}
		return method(v, name, dictMethods)
	case *list:
		return listAttribute(v, name)
	case *namespace:
		if x, ok := v.attrs.str(name); ok {
			return x
		}
	case *loop:
		return v.attr(name)
	case *cycler:
		return v.attr(name)
	case *macro:
		return macroAttribute(v, name)
	case Int, Bool, bigInt:
		return intAttribute(v, name)
	case Float:
		return floatAttribute(v, name)
	case *rangeValue:
		switch name {
		case "start":
			return Int(v.start)
		case "stop":
			return Int(v.stop)
		case "step":
			return Int(v.step)
		}
	case selfRef:
		if b := st.blocks[name]; b != nil {
			return &native{name, func(st *state, _ *args) Value {
				s, _ := st.capture(func() control { st.runBlock(b); return goOn })
				return st.marked(s)
			}}
		}
	case dictType:
		if name == "fromkeys" {
			return &native{name, fromKeys}
		}
	}
	return nil
}

// dunder names what every Python object has, and what templates reach for to break out.
var dunder = map[string]bool{
	"__class__": true, "__doc__": true, "__init__": true, "__new__": true, "__reduce__": true, "__reduce_ex__": true,
	"__dir__": true, "__delattr__": true, "__setattr__": true, "__getattribute__": true, "__str__": true,
	"__repr__": true, "__hash__": true, "__eq__": true, "__ne__": true, "__lt__": true, "__le__": true, "__gt__": true,
	"__ge__": true, "__format__": true, "__sizeof__": true, "__subclasshook__": true, "__init_subclass__": true,
	"__getstate__": true,
}

// functionDunder names what Python functions have on top.
var functionDunder = map[string]bool{
	"__globals__": true, "__code__": true, "__closure__": true, "__defaults__": true, "__kwdefaults__": true, "__dict__": true,
	"__name__": true, "__qualname__": true, "__module__": true, "__call__": true, "__get__": true, "__annotations__": true,
	"__builtins__": true, "__self__": true,
}

type methodTable map[string]func(st *state, self Value, a *args) Value

func method(self Value, name string, table methodTable) Value {
	m := table[name]
	if m == nil {
		return nil
	}
	return &native{name, func(st *state, a *args) Value { return m(st, self, a) }}
}

func macroAttribute(m *macro, name string) Value {
	switch name {
	case "name":
		if m.def.name == "" {
			return None{}
		}
		return String(m.def.name)
	case "arguments":
		names := make([]Value, len(m.def.params))
		for i, p := range m.def.params {
			names[i] = String(p)
		}
		return tuple(names...)
	case "catch_kwargs":
		return Bool(m.def.kwargs >= 0)
	case "catch_varargs":
		return Bool(m.def.varargs >= 0)
	case "caller":
		return Bool(m.def.caller >= 0)
	}
	return nil
}

func floatAttribute(v Float, name string) Value {
	switch name {
	case "real":
		return v
	case "imag":
		return Float(0)
	case "is_integer":
		return &native{name, func(*state, *args) Value {
			return Bool(float64(v) == math.Trunc(float64(v)) && !math.IsInf(float64(v), 0))
		}}
	}
	return nil
}

func intAttribute(v Value, name string) Value {
	switch name {
	case "real", "numerator":
		return normInt(toBig(v))
	case "imag":
		return Int(0)
	case "denominator":
		return Int(1)
	case "bit_length":
		return &native{name, func(*state, *args) Value { return Int(toBig(v).BitLen()) }}
	}
	return nil
}
