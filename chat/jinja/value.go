package jinja

import (
	"math/big"
)

// Value is anything that a template can hold: None, Bool, Int, Float, String, a list, an ordered map, or one of the
// engine's own kinds (tuple, range, iterator, macro, namespace, undefined …). The set is closed: nothing outside this
// package can be a Value, so a template can reach nothing of the host program. Lists and maps never change after they
// were made, so values may be shared between goroutines.
type Value interface {
	typeName() string // the Python name of the type, as error messages give it
}

// None is Python's None and JSON's null.
type None struct{}

// Bool is True or False.
type Bool bool

// Int is an integer that fits 64 bits. Larger ones exist inside the engine only.
type Int int64

// Float is a double.
type Float float64

// String is UTF-8 text. Length and indices count code points, as in Python.
type String string

// markup is a string that was marked safe for HTML; what is joined to it is escaped.
type markup string

// bigInt is an integer outside 64 bits. It is never changed in place.
type bigInt struct{ *big.Int }

// list is a Python list or, when tuple is set, a tuple. A group made by the groupby filter is a tuple whose two items
// can also be read by name.
type list struct {
	items []Value
	tuple bool
	group bool
}

// rangeValue is range(start, stop, step) with n items.
type rangeValue struct{ start, stop, step, n int64 }

// dictView is what dict.keys(), values() and items() give.
type dictView struct {
	d    *dict
	what viewKind
}

type viewKind string

const (
	viewKeys   viewKind = "dict_keys"
	viewValues viewKind = "dict_values"
	viewItems  viewKind = "dict_items"
)

// undefined stands for a variable or attribute that is not there. kind is the class of error that using it raises.
type undefined struct {
	hint string
	kind string
}

// native is a function or bound method of the engine.
type native struct {
	name string
	call func(st *state, a *args) Value
}

// namespace is the one thing a template may change, by {% set ns.x = … %}.
type namespace struct{ attrs *dict }

// iterator yields values once, as a Python generator does.
type iterator struct {
	name string // the type's name in Python
	next func() (Value, bool)
}

func (None) typeName() string         { return "NoneType" }
func (Bool) typeName() string         { return "bool" }
func (Int) typeName() string          { return "int" }
func (bigInt) typeName() string       { return "int" }
func (Float) typeName() string        { return "float" }
func (String) typeName() string       { return "str" }
func (markup) typeName() string       { return "Markup" }
func (*dict) typeName() string        { return "dict" }
func (*rangeValue) typeName() string  { return "range" }
func (v *dictView) typeName() string  { return string(v.what) }
func (*undefined) typeName() string   { return "Undefined" }
func (*native) typeName() string      { return "builtin_function_or_method" }
func (*namespace) typeName() string   { return "Namespace" }
func (it *iterator) typeName() string { return it.name }
func (l *list) typeName() string {
	if l.group {
		return "_GroupTuple"
	}
	if l.tuple {
		return "tuple"
	}
	return "list"
}

// List makes a list. It keeps items: do not change them afterwards. A nil item is None.
func List(items ...Value) Value {
	for i, v := range items {
		if v == nil {
			items[i] = None{}
		}
	}
	return &list{items: items}
}

func tuple(items ...Value) *list { return &list{items: items, tuple: true} }

// Pair is one entry of a map.
type Pair struct {
	Key   string
	Value Value
}

// Map makes an ordered map. A later pair with the same key replaces the value and keeps the first one's place, as in
// Python. A nil value is None.
func Map(pairs ...Pair) Value {
	d := newDict(len(pairs))
	for _, p := range pairs {
		v := p.Value
		if v == nil {
			v = None{}
		}
		d.set(String(p.Key), v)
	}
	return d
}

// text gives the string in v, marked safe or not.
func text(v Value) (string, bool) {
	switch v := v.(type) {
	case String:
		return string(v), true
	case markup:
		return string(v), true
	}
	return "", false
}

// integer gives the integer in v, which True and False are too. ok is false for one that does not fit 64 bits.
func integer(v Value) (n int64, ok bool) {
	switch v := v.(type) {
	case Int:
		return int64(v), true
	case Bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// truth is Python's bool(v).
func truth(v Value) bool {
	switch v := v.(type) {
	case None, *undefined:
		return false
	case Bool:
		return bool(v)
	case Int:
		return v != 0
	case Float:
		return v != 0
	case String:
		return v != ""
	case markup:
		return v != ""
	case *list:
		return len(v.items) > 0
	case *dict:
		return v.len() > 0
	case *rangeValue:
		return v.n > 0
	case *dictView:
		return v.d.len() > 0
	case *loop:
		return v.length() > 0
	}
	return true
}

// Entries gives the entries of a map whose keys are strings, in order, and nil for any other Value.
func Entries(v Value) []Pair {
	d, ok := v.(*dict)
	if !ok {
		return nil
	}
	out := make([]Pair, 0, d.len())
	for i, k := range d.keys {
		if s, ok := text(k); ok {
			out = append(out, Pair{s, d.vals[i]})
		}
	}
	return out
}

// Items gives the items of a list, which must not be changed, and nil for any other Value.
func Items(v Value) []Value {
	if l, ok := v.(*list); ok {
		return l.items
	}
	return nil
}
