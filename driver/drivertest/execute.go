package drivertest

import (
	"errors"
	"sync"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest/simt"
)

// modules keeps what was read, for all fakes of a process: tests open many with the same kernels.
var modules struct {
	sync.Mutex
	read map[string]*simt.Module
}

// read takes PTX apart: names and parameters, and the code where it is to run.
func (f *Fake) read(text string) (*program, error) {
	p, err := parsePTX(text)
	if err != nil || !f.cfg.Run {
		return p, err
	}
	modules.Lock()
	defer modules.Unlock()
	if p.code = modules.read[text]; p.code != nil {
		return p, nil
	}
	if p.code, err = simt.Parse(text); err != nil {
		return nil, err
	}
	if modules.read == nil {
		modules.read = map[string]*simt.Module{}
	}
	modules.read[text] = p.code
	return p, nil
}

// interpret runs l. What it did wrong is a fault, and the result what a GPU would give.
func (f *Fake) interpret(l *Launch) driver.Result {
	if l.code == nil {
		f.fault("kernel %s cannot run: its module is machine code", l.Kernel)
		return driver.NotSupported
	}
	run := simt.Launch{Kernel: l.Kernel, Grid: sizes(l.Grid), Block: sizes(l.Block), Cluster: sizes(l.Cluster), Shared: l.Shared,
		Args: l.Args, Memory: deviceMemory{f}, Seed: f.cfg.Seed<<32 + uint64(f.n), Overlap: l.Overlap}
	if l.Overlap {
		run.Ahead = f.ahead
	}
	err := l.code.Run(&run)
	f.ahead = aheadOf(&run)
	f.took += run.Took
	if err == nil {
		return driver.Success
	}
	f.fault("%v", err)
	var fault *simt.Fault
	if !errors.As(err, &fault) {
		return driver.InvalidPTX
	}
	switch fault.Kind {
	case simt.Address:
		return driver.IllegalAddress
	case simt.Misaligned:
		return driver.MisalignedAddress
	case simt.Deadlock:
		return driver.LaunchTimeout
	}
	return driver.IllegalInstruction
}

// Took is about how many instructions of warps all launches took that ran.
func (f *Fake) Took() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.took
}

// aheadOf is what the kernel behind l may find unfinished: what l wrote, and what l itself had not waited for when it let the
// next one start.
func aheadOf(l *simt.Launch) []simt.Span {
	switch {
	case !l.Allowed:
		return nil
	case !l.Hasty:
		return l.Wrote
	}
	return simt.Merge(append(l.Ahead[:len(l.Ahead):len(l.Ahead)], l.Wrote...))
}

func sizes(d driver.Dim) [3]int { return [3]int{d.X, d.Y, d.Z} }

// deviceMemory is the fake's memory as kernels see it: of the device, and pinned of the host.
type deviceMemory struct{ f *Fake }

func (m deviceMemory) Find(address uint64) (data []byte, base uint64, why string) {
	if i := m.f.space.find(driver.DevicePtr(address)); i >= 0 {
		b := &m.f.space.blocks[i]
		if b.freed {
			return nil, 0, "was freed"
		}
		return b.data, uint64(b.base), ""
	}
	for base, data := range m.f.host {
		if address >= uint64(base) && address < uint64(base)+uint64(len(data)) {
			return data, uint64(base), ""
		}
	}
	return nil, 0, "was never allocated"
}
