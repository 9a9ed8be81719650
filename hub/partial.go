package hub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// A partial is a file under download. Its parts are filled from several connections at once; how far each has come is
// kept behind the file's data, so that a process that is killed at any point loses at most one buffer a connection:
//
//	data [size] · magic [8] · part size u64 · bytes done of each part u64 …      little endian
//
// The name is not that of Python's partial files, which hold a prefix and nothing else. A count may be on the disk
// before its data after a power cut; the hash finds that.
type partial struct {
	f        *os.File
	size     int64
	partSize int64

	mu    sync.RWMutex   // reset holds it alone; writers of different parts share it
	done  []atomic.Int64 // bytes at the start of each part that are in the file
	epoch int            // counts resets: a connection from before one may not write
}

const partialMagic = "weftpart"

const (
	minPart       = 4 << 20
	maxPart       = 64 << 20
	partsPerFile  = 16
	trailerHeader = 16
)

// partSizeOf returns the same for a size every time, so that a later run finds its parts again.
func partSizeOf(size int64) int64 { return min(max(size/partsPerFile, minPart), maxPart) }

// diskError is a failure of this machine's storage: no other connection helps.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func onDisk(err error) error {
	if err == nil {
		return nil
	}
	return &diskError{err}
}

// errStale tells a connection that the file was begun anew from another one.
var errStale = errors.New("begun anew")

// openPartial opens or creates the partial file for size bytes, and finds what it has.
func openPartial(root *os.Root, name string, size int64) (*partial, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, onDisk(err)
	}
	p := &partial{f: f, size: size, partSize: partSizeOf(size)}
	p.done = make([]atomic.Int64, (size+p.partSize-1)/p.partSize)
	if err := p.load(); err != nil {
		return nil, errors.Join(onDisk(err), f.Close())
	}
	return p, nil
}

// load reads the counts. A file that is not as load expects is begun anew; one that ends where its data ends was cut
// there by finish.
func (p *partial) load() error {
	st, err := p.f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", p.f.Name())
	}
	if st.Size() == p.size {
		for i := range p.done {
			p.done[i].Store(p.length(i))
		}
		return nil
	}
	b := make([]byte, trailerHeader+8*len(p.done))
	if st.Size() == p.size+int64(len(b)) {
		if _, err := p.f.ReadAt(b, p.size); err != nil && err != io.EOF {
			return err
		}
		if p.parse(b) {
			return nil
		}
	}
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	copy(b, partialMagic)
	binary.LittleEndian.PutUint64(b[8:], uint64(p.partSize))
	clear(b[trailerHeader:])
	for i := range p.done {
		p.done[i].Store(0)
	}
	_, err = p.f.WriteAt(b, p.size)
	return err
}

func (p *partial) parse(b []byte) bool {
	if string(b[:8]) != partialMagic || binary.LittleEndian.Uint64(b[8:]) != uint64(p.partSize) {
		return false
	}
	for i := range p.done {
		n := binary.LittleEndian.Uint64(b[trailerHeader+8*i:])
		if n > uint64(p.length(i)) {
			return false
		}
		p.done[i].Store(int64(n))
	}
	return true
}

// length returns the bytes of part i.
func (p *partial) length(i int) int64 { return min(p.partSize, p.size-int64(i)*p.partSize) }

// rest returns what part i lacks, [from, to) in the file, and the epoch to write in.
func (p *partial) rest(i int) (from, to int64, epoch int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	start := int64(i) * p.partSize
	return start + p.done[i].Load(), start + p.length(i), p.epoch
}

// have returns the bytes in the file.
func (p *partial) have() (n int64) {
	for i := range p.done {
		n += p.done[i].Load()
	}
	return n
}

// write puts b, which continues part i, in its place and records it. One goroutine at a time writes a part.
func (p *partial) write(i, epoch int, b []byte) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if epoch != p.epoch {
		return errStale
	}
	done := p.done[i].Load()
	if int64(len(b)) > p.length(i)-done {
		panic("BUG: a write past the end of its part")
	}
	if _, err := p.f.WriteAt(b, int64(i)*p.partSize+done); err != nil {
		return onDisk(err)
	}
	return p.record(i, done+int64(len(b)))
}

func (p *partial) record(i int, done int64) error {
	p.done[i].Store(done)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(done))
	_, err := p.f.WriteAt(b[:], p.size+trailerHeader+8*int64(i))
	return onDisk(err)
}

// reset forgets all data, and returns how much that was and the epoch of what comes next.
func (p *partial) reset() (dropped int64, epoch int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	dropped = p.have()
	p.epoch++
	for i := range p.done {
		if err := p.record(i, 0); err != nil {
			return 0, 0, err
		}
	}
	return dropped, p.epoch, nil
}

// finish leaves the data alone in the file, on the disk.
func (p *partial) finish() error {
	if err := p.f.Truncate(p.size); err != nil {
		return onDisk(err)
	}
	return onDisk(p.f.Sync())
}
