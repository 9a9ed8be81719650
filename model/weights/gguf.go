package weights

import (
	"fmt"
	"math"
)

// ggufFile is one parsed GGUF file (ggml-org/ggml, docs/gguf.md), version 2 or 3, little-endian.
type ggufFile struct {
	meta map[string]any
	at   map[string]int64 // where each value begins, for errors
	info []Info           // under the file's own names
}

// ggufDims is the most dimensions of a GGUF tensor.
const ggufDims = 4

func parseGGUF(path string, b []byte) (*ggufFile, error) {
	r := &ggufReader{path: path, b: b}
	if m := r.take(4, "magic"); m != nil && string(m) != "GGUF" {
		r.off = 0
		r.fail("magic", "%q, want \"GGUF\"", m)
	}
	switch v := r.u32("version"); {
	case r.err != nil:
	case v == 0x02000000 || v == 0x03000000:
		r.fail("version", "the file is big-endian; convert it to little-endian")
	case v != 2 && v != 3:
		r.fail("version", "%d, want 2 or 3", v)
	}
	tensors := r.count(8+1+4+8+4+8, "tensor count") // least bytes of a tensor's description: name, rank, one dim, type, offset
	pairs := r.count(8+1+4+1, "metadata count")
	f := &ggufFile{meta: map[string]any{}, at: map[string]int64{}}
	f.readMeta(r, pairs)
	align := f.alignment(r)
	f.readInfos(r, tensors)
	if r.err != nil {
		return nil, r.err
	}
	if tensors > 0 {
		f.place(r, align)
	}
	return f, r.err
}

func (f *ggufFile) readMeta(r *ggufReader, pairs int) {
	for i := 0; i < pairs && r.err == nil; i++ {
		field := fmt.Sprintf("metadata %d key", i)
		at := r.off
		key := r.key(field)
		if _, twice := f.meta[key]; twice {
			r.off = at
			r.fail(field, "%q occurs twice", key)
		}
		t := r.u32(key + " type")
		f.at[key] = int64(r.off)
		f.meta[key] = r.value(t, key, 0)
	}
}

func (f *ggufFile) alignment(r *ggufReader) int64 {
	v, ok := f.meta["general.alignment"]
	if !ok || r.err != nil {
		return 32
	}
	a, _ := v.(uint32)
	if a == 0 || a&(a-1) != 0 || a > 1<<20 {
		r.off = int(f.at["general.alignment"])
		r.fail("general.alignment", "%v (%T), want a uint32 power of two up to 2^20", v, v)
		return 32
	}
	return int64(a)
}

func (f *ggufFile) readInfos(r *ggufReader, n int) {
	seen := map[string]bool{}
	for i := 0; i < n && r.err == nil; i++ {
		at := r.off
		name := r.key(fmt.Sprintf("tensor %d name", i))
		if seen[name] {
			r.off = at
			r.fail(fmt.Sprintf("tensor %d name", i), "%q occurs twice", name)
		}
		seen[name] = true
		f.readInfo(r, name)
	}
}

func (f *ggufFile) readInfo(r *ggufReader, name string) {
	rank := r.u32(name + " rank")
	if r.err == nil && (rank < 1 || rank > ggufDims) {
		r.off -= 4
		r.fail(name+" rank", "%d, want 1 to %d", rank, ggufDims)
	}
	if r.err != nil {
		return
	}
	dim := make([]int, rank) // row-major, so the file's order reversed
	for d := range dim {
		v := r.u64(name + " dimension")
		if r.err == nil && (v == 0 || v > math.MaxInt) {
			r.off -= 8
			r.fail(name+" dimension", "%d, want 1 to 2^63-1", v)
		}
		dim[len(dim)-1-d] = int(v)
	}
	id := r.u32(name + " type")
	t, known := ggmlTypes[id]
	if r.err == nil && !known {
		r.off -= 4
		r.fail(name+" type", "%d is unknown", id)
	}
	offset := r.u64(name + " offset")
	if r.err != nil {
		return
	}
	cols := dim[len(dim)-1]
	n, ok := product(dim)
	if nBytes, fits := product([]int{int(n) / t.block, t.size}); !ok || !fits || cols%t.block != 0 {
		r.fail(name+" dimension", "%v of %s: want rows of whole %d-element blocks and fewer than 2^62 bytes", dim, t.name, t.block)
	} else if offset > math.MaxInt64/2 {
		r.off -= 8
		r.fail(name+" offset", "%d is beyond any file", offset)
	} else {
		f.info = append(f.info, Info{FileName: name, Type: t.t, TypeName: t.name, Dim: dim, Offset: int64(offset), Bytes: nBytes})
	}
}

// place turns offsets in the data section into offsets in the file. As in the reference, tensors follow each other
// in the order described, each padded to the alignment; only the last one's padding may be missing.
func (f *ggufFile) place(r *ggufReader, align int64) {
	base := (int64(r.off) + align - 1) / align * align
	want := int64(0)
	for i := range f.info {
		t := &f.info[i]
		if t.Offset != want {
			r.fail(t.FileName+" offset", "%d, want %d: tensors follow each other, aligned to %d", t.Offset, want, align)
			return
		}
		size := int64(len(r.b))
		if base > size || t.Bytes > size-base-t.Offset {
			r.fail(t.FileName+" data", "ends at %d, the file at %d: it is cut", base+t.Offset+t.Bytes, size)
			return
		}
		t.Offset += base
		t.data = r.b[t.Offset : t.Offset+t.Bytes : t.Offset+t.Bytes]
		want += (t.Bytes + align - 1) / align * align
	}
}
