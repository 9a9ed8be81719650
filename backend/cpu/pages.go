package cpu

import (
	"unsafe"

	"github.com/weft-llm/weft/backend"
)

// largePages hands out memory for weights. A decode step reads each weight once, so that with small pages every few
// kilobytes cost a walk of the page tables; the memory here comes in large pages where the system has them.
type largePages struct {
	rest  []byte               // of the newest chunk
	chunk func(n int64) []byte // takes n bytes that live until Close; nil when that many are not to be had
}

const (
	chunkBytes = 64 << 20
	largePage  = 2 << 20
	cacheLine  = 64
	copyGrain  = 256 << 10 // bytes that a worker copies at a time
)

// take returns n bytes that begin a cache line; nil when memory is short.
func (p *largePages) take(n int64) []byte {
	if n > chunkBytes {
		return p.chunk(n)
	}
	if n > int64(len(p.rest)) {
		if p.rest = p.chunk(chunkBytes); p.rest == nil {
			return nil
		}
	}
	m := p.rest[:n:n]
	p.rest = p.rest[min((n+cacheLine-1)&^(cacheLine-1), int64(len(p.rest))):]
	return m
}

// chunk maps n bytes that start a large page. It refuses when a quarter of the host's memory would not stay free: what
// is read from files wants room too.
func (b *Backend) chunk(n int64) []byte {
	if free, total := hostMemory(); total > 0 && free-n < total/4 {
		return nil
	}
	m, err := b.reserveBytes(n + largePage)
	if err != nil {
		return nil
	}
	at := -uintptr(unsafe.Pointer(&m[0])) % largePage
	m = m[at:][:n:n]
	preferLargePages(m)
	return m
}

// keep returns a copy of s.Data in large pages, or s.Data itself when memory is short or the system has none.
func (b *Backend) keep(s backend.Source) []byte {
	if !hasLargePages {
		return s.Data
	}
	m := b.weights.take(int64(len(s.Data)))
	if m == nil {
		return s.Data
	}
	for lo := 0; lo < len(m); lo += chunkBytes { // so much is in memory twice at most
		hi := min(lo+chunkBytes, len(m))
		t := copyTask{m[lo:hi], s.Data[lo:hi]}
		b.pool.do(&t, hi-lo, copyGrain)
		if s.Drop != nil {
			s.Drop(t.from)
		}
	}
	return m
}

// copyTask copies bytes; a unit is one.
type copyTask struct{ to, from []byte }

func (t *copyTask) run(_, lo, hi int) { copy(t.to[lo:hi], t.from[lo:hi]) }
