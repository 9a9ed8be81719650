package drivertest

import (
	"encoding/binary"

	"github.com/weft-llm/weft/driver"
)

// op is one piece of device work.
type op struct {
	kind     opKind
	dst, src driver.DevicePtr
	n        int64  // bytes
	host     []byte // the host's side of a copy
	value    uint32
	width    int
	launch   Launch
}

type opKind string

const (
	opCopyIn  opKind = "copy to device"
	opCopyOut opKind = "copy to host"
	opCopy    opKind = "copy"
	opSet     opKind = "memset"
	opLaunch  opKind = "kernel"
)

// run carries out o, now.
func (f *Fake) run(o *op) driver.Result {
	if o.kind != opLaunch {
		f.ahead = nil // copies and memsets wait for what is ahead of them
	}
	switch o.kind {
	case opCopyIn:
		return f.move(o, f.memory("copy to", o.dst, o.n), o.host)
	case opCopyOut:
		return f.move(o, o.host, f.memory("copy from", o.src, o.n))
	case opCopy:
		return f.move(o, f.memory("copy to", o.dst, o.n), f.memory("copy from", o.src, o.n))
	case opSet:
		return f.set(o)
	case opLaunch:
		return f.runKernel(&o.launch)
	}
	return driver.Success
}

// move copies; a side that is missing was noted as a fault.
func (f *Fake) move(o *op, dst, src []byte) driver.Result {
	if dst == nil || src == nil {
		return driver.InvalidValue // libcuda checks the ranges of its own copies before it starts them
	}
	copy(dst, src)
	return driver.Success
}

func (f *Fake) set(o *op) driver.Result {
	dst := f.memory("memset", o.dst, o.n)
	if dst == nil {
		return driver.InvalidValue
	}
	var word [4]byte
	binary.LittleEndian.PutUint32(word[:], o.value)
	for i := range dst {
		dst[i] = word[i%o.width]
	}
	return driver.Success
}
