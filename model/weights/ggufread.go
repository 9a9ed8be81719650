package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Metadata value types of GGUF.
const (
	ggufU8 = iota
	ggufI8
	ggufU16
	ggufI16
	ggufU32
	ggufI32
	ggufF32
	ggufBool
	ggufString
	ggufArray
	ggufU64
	ggufI64
	ggufF64
)

// ggufSizes gives each value type's least bytes in the file.
var ggufSizes = [...]int{1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8}

// maxArrayDepth bounds arrays of arrays; no writer nests them at all.
const maxArrayDepth = 4

// ggufReader walks a mapped file. The first failure sticks: later reads return zeros.
type ggufReader struct {
	path string
	b    []byte
	off  int
	err  error
}

func (r *ggufReader) fail(field, why string, args ...any) {
	if r.err == nil {
		r.err = &FormatError{r.path, int64(r.off), field, fmt.Sprintf(why, args...)}
	}
}

func (r *ggufReader) take(n int, field string) []byte {
	if r.err == nil && n > len(r.b)-r.off {
		r.fail(field, "the file ends: %d bytes wanted, %d left", n, len(r.b)-r.off)
	}
	if r.err != nil {
		return nil
	}
	r.off += n
	return r.b[r.off-n : r.off]
}

func (r *ggufReader) u32(field string) uint32 {
	if b := r.take(4, field); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *ggufReader) u64(field string) uint64 {
	if b := r.take(8, field); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads a u64 that counts things of at least size bytes each, so it is bounded by what is left of the file.
func (r *ggufReader) count(size int, field string) int {
	at := r.off
	n := r.u64(field)
	if left := uint64(len(r.b) - r.off); r.err == nil && n > left/uint64(size) {
		r.off = at
		r.fail(field, "%d, but only %d bytes are left in the file", n, left)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *ggufReader) str(field string) string { return string(r.take(r.count(1, field), field)) }

// value reads one metadata value of type t: an integer as its Go type, a string, bool, float32, float64, or a slice
// of one of these ([]any for an array of arrays).
func (r *ggufReader) value(t uint32, field string, depth int) any {
	switch t {
	case ggufU8:
		return one(r, field, func(b []byte) uint8 { return b[0] }, 1)
	case ggufI8:
		return one(r, field, func(b []byte) int8 { return int8(b[0]) }, 1)
	case ggufU16:
		return one(r, field, binary.LittleEndian.Uint16, 2)
	case ggufI16:
		return one(r, field, func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }, 2)
	case ggufU32:
		return r.u32(field)
	case ggufI32:
		return int32(r.u32(field))
	case ggufF32:
		return math.Float32frombits(r.u32(field))
	case ggufBool:
		return r.boolean(field)
	case ggufString:
		return r.str(field)
	case ggufArray:
		return r.array(field, depth)
	case ggufU64:
		return r.u64(field)
	case ggufI64:
		return int64(r.u64(field))
	case ggufF64:
		return math.Float64frombits(r.u64(field))
	}
	r.fail(field, "value type %d is unknown", t)
	return nil
}

func one[T any](r *ggufReader, field string, decode func([]byte) T, size int) (v T) {
	if b := r.take(size, field); b != nil {
		return decode(b)
	}
	return v
}

func (r *ggufReader) boolean(field string) bool {
	b := r.take(1, field)
	if b != nil && b[0] > 1 {
		r.fail(field, "a bool is %d, want 0 or 1", b[0])
	}
	return b != nil && b[0] == 1
}

// key reads a metadata key or tensor name.
func (r *ggufReader) key(field string) string {
	s := r.str(field)
	if r.err == nil && (s == "" || len(s) > math.MaxUint16 || !utf8.ValidString(s)) {
		r.fail(field, "a name of %d bytes: want 1 to 65535 bytes of UTF-8", len(s))
	}
	return s
}

func (r *ggufReader) array(field string, depth int) any {
	if depth >= maxArrayDepth {
		r.fail(field, "arrays nest deeper than %d", maxArrayDepth)
		return nil
	}
	t := r.u32(field + " element type")
	if r.err == nil && int(t) >= len(ggufSizes) {
		r.fail(field, "element type %d is unknown", t)
	}
	if r.err != nil {
		return nil
	}
	n := r.count(ggufSizes[t], field+" length")
	switch t {
	case ggufU8:
		return many[uint8](r, t, n, field, depth)
	case ggufI8:
		return many[int8](r, t, n, field, depth)
	case ggufU16:
		return many[uint16](r, t, n, field, depth)
	case ggufI16:
		return many[int16](r, t, n, field, depth)
	case ggufU32:
		return many[uint32](r, t, n, field, depth)
	case ggufI32:
		return many[int32](r, t, n, field, depth)
	case ggufF32:
		return many[float32](r, t, n, field, depth)
	case ggufBool:
		return many[bool](r, t, n, field, depth)
	case ggufString:
		return many[string](r, t, n, field, depth)
	case ggufU64:
		return many[uint64](r, t, n, field, depth)
	case ggufI64:
		return many[int64](r, t, n, field, depth)
	case ggufF64:
		return many[float64](r, t, n, field, depth)
	}
	return many[any](r, t, n, field, depth)
}

// many reads n values. The slice grows as they are read: a length that lies costs no memory.
func many[T any](r *ggufReader, t uint32, n int, field string, depth int) []T {
	out := make([]T, 0, min(n, 1<<16))
	for i := 0; i < n && r.err == nil; i++ {
		v, _ := r.value(t, field, depth+1).(T)
		out = append(out, v)
	}
	return out
}
