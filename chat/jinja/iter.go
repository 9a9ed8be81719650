package jinja

import "unicode/utf8"

// tryIter gives a function that yields v's items one by one, or nil if v cannot be iterated.
func (st *state) tryIter(v Value) func() (Value, bool) {
	switch v := v.(type) {
	case *list:
		return st.counted(sliceIter(v.items))
	case *dict:
		return st.counted(sliceIter(v.keys))
	case *dictView:
		return st.counted(v.iter())
	case *rangeValue:
		i := int64(0)
		return st.counted(func() (Value, bool) {
			if i >= v.n {
				return nil, false
			}
			i++
			return Int(v.start + (i-1)*v.step), true
		})
	case String:
		return st.counted(stringIter(string(v)))
	case markup:
		return st.counted(stringIter(string(v)))
	case *iterator:
		return v.next
	case *undefined:
		return sliceIter(nil)
	case *loop:
		return func() (Value, bool) {
			if !v.advance() {
				return nil, false
			}
			return tuple(v.current, v), true
		}
	}
	return nil
}

// iter is tryIter that raises Python's error.
func (st *state) iter(v Value) func() (Value, bool) {
	next := st.tryIter(v)
	if next == nil {
		raise("TypeError", "%s object is not iterable", quote(v.typeName()))
	}
	return next
}

func (st *state) counted(next func() (Value, bool)) func() (Value, bool) {
	n := 0
	return func() (Value, bool) {
		if n++; n%itemsPerStep == 0 {
			st.step(1)
		}
		return next()
	}
}

func sliceIter(items []Value) func() (Value, bool) {
	i := 0
	return func() (Value, bool) {
		if i >= len(items) {
			return nil, false
		}
		i++
		return items[i-1], true
	}
}

func stringIter(s string) func() (Value, bool) {
	return func() (Value, bool) {
		if s == "" {
			return nil, false
		}
		_, n := utf8.DecodeRuneInString(s)
		c := s[:n]
		s = s[n:]
		return String(c), true
	}
}

// drain collects what next yields.
func (st *state) drain(next func() (Value, bool)) []Value {
	var out []Value
	for {
		v, ok := next()
		if !ok {
			return out
		}
		out = append(out, v)
		if len(out)%itemsPerStep == 0 {
			st.step(1)
		}
	}
}

// all gives v's items as a slice that must not be changed.
func (st *state) all(v Value) []Value {
	if l, ok := v.(*list); ok {
		return l.items
	}
	return st.drain(st.iter(v))
}

// generator makes a Python generator.
func generator(next func() (Value, bool)) Value { return &iterator{"generator", next} }

// iter yields what a view shows.
func (v *dictView) iter() func() (Value, bool) {
	i := -1
	return func() (Value, bool) {
		i++
		if i >= v.d.len() {
			return nil, false
		}
		switch v.what {
		case viewKeys:
			return v.d.keys[i], true
		case viewValues:
			return v.d.vals[i], true
		}
		return tuple(v.d.keys[i], v.d.vals[i]), true
	}
}

// length is Python's len; ok is false for what has none.
func length(v Value) (int, bool) {
	switch v := v.(type) {
	case String:
		return utf8.RuneCountInString(string(v)), true
	case markup:
		return utf8.RuneCountInString(string(v)), true
	case *list:
		return len(v.items), true
	case *dict:
		return v.len(), true
	case *dictView:
		return v.d.len(), true
	case *rangeValue:
		return int(v.n), true
	case *undefined:
		return 0, true
	case *loop:
		return v.length(), true
	}
	return 0, false
}
