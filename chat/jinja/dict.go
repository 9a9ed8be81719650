package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// dict is an ordered map with any hashable keys. Only the code that makes a dict may call set; only a namespace's dict
// changes later.
type dict struct {
	keys, vals []Value
	index      map[any]int // nil while the dict is small
}

const (
	smallDict = 8       // up to so many keys, comparing them is faster than a map
	maxHash   = 1 << 16 // bytes of the text that stands for a tuple as a key
)

func newDict(n int) *dict { return &dict{keys: make([]Value, 0, n), vals: make([]Value, 0, n)} }

func (d *dict) len() int { return len(d.keys) }

// find gives the position of the key whose hash is h, or -1.
func (d *dict) find(h any) int {
	if d.index != nil {
		if i, ok := d.index[h]; ok {
			return i
		}
		return -1
	}
	for i, k := range d.keys {
		if hash(k) == h {
			return i
		}
	}
	return -1
}

func (d *dict) set(k, v Value) {
	h := hash(k)
	if i := d.find(h); i >= 0 {
		d.vals[i] = v
		return
	}
	d.keys, d.vals = append(d.keys, k), append(d.vals, v)
	if d.index != nil {
		d.index[h] = len(d.keys) - 1
	} else if len(d.keys) > smallDict {
		d.index = make(map[any]int, 2*len(d.keys))
		for i, k := range d.keys {
			d.index[hash(k)] = i
		}
	}
}

func (d *dict) get(k Value) (Value, bool) {
	if i := d.find(hash(k)); i >= 0 {
		return d.vals[i], true
	}
	return nil, false
}

func (d *dict) str(name string) (Value, bool) {
	if d.index == nil {
		for i, k := range d.keys {
			if s, ok := k.(String); ok && string(s) == name {
				return d.vals[i], true
			}
		}
		return nil, false
	}
	return d.get(String(name))
}

type (
	noneKey  struct{}
	undefKey struct{}
	bigKey   struct{ digits string }
	tupleKey struct{ text string }
	nanKey   struct{ p *Float }
)

// hash gives a comparable Go value that is equal for equal Python values. It raises a TypeError for what Python cannot
// hash.
func hash(v Value) any {
	switch v := v.(type) {
	case String:
		return string(v)
	case markup:
		return string(v)
	case None:
		return noneKey{}
	case *undefined:
		return undefKey{}
	case Bool, Int:
		n, _ := integer(v)
		return n
	case bigInt:
		return bigKey{v.String()}
	case Float:
		return hashFloat(v)
	case *list:
		if !v.tuple {
			break
		}
		var b strings.Builder
		for _, x := range v.items {
			hashText(&b, hash(x))
		}
		return tupleKey{b.String()}
	case *dict:
		break
	default:
		return v
	}
	raise("TypeError", "unhashable type: '%s'", v.typeName())
	return nil
}

func hashFloat(f Float) any {
	x := float64(f)
	switch {
	case x != x:
		return nanKey{&f}
	case x == math.Trunc(x) && math.Abs(x) < 1<<63:
		return int64(x)
	case x == math.Trunc(x) && !math.IsInf(x, 0):
		return bigKey{bigFromFloat(x).String()}
	}
	return x
}

// hashText writes a hash of an item so that two tuples get one text only if they are equal.
func hashText(b *strings.Builder, h any) {
	switch h := h.(type) {
	case string:
		b.WriteString(strconv.Quote(h))
	case int64, float64, bigKey, tupleKey, noneKey, undefKey:
		fmt.Fprintf(b, "%T:%v", h, h)
	default:
		fmt.Fprintf(b, "%p", h)
	}
	b.WriteByte(';')
	if b.Len() > maxHash {
		limit("dictionary key is larger than %d bytes", maxHash)
	}
}
