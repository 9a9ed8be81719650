package driver

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Device is one GPU as the driver describes it. It is plain data; Open makes it usable.
type Device struct {
	Index int
	Name  string
	UUID  string // "GPU-…" as nvidia-smi prints it; empty where the driver does not tell
	PCI   string // "0000:3b:00.0"; empty where the driver does not tell

	Major, Minor int // compute capability
	SMs          int // streaming multiprocessors

	TotalMemory int64 // bytes
	L2Bytes     int

	SharedPerBlock      int // bytes a block may use without asking
	SharedPerBlockOptin int // bytes a block may use after Function.SetMaxShared
	SharedPerSM         int

	RegistersPerSM  int
	ThreadsPerSM    int
	ThreadsPerBlock int
	WarpSize        int

	ClockKHz       int // peak SM clock
	MemoryClockKHz int
	MemoryBusBits  int
	Integrated     bool // shares memory with the host (Jetson)

	lib    *Library
	handle int32
}

// Arch is the compute capability as one number: 90 for sm_90.
func (d *Device) Arch() int { return 10*d.Major + d.Minor }

func (d *Device) String() string {
	return fmt.Sprintf("GPU %d: %s, sm_%d, %d SMs, %.1f GiB", d.Index, d.Name, d.Arch(), d.SMs, float64(d.TotalMemory)/(1<<30))
}

// Device describes GPU i, 0 <= i < DeviceCount.
func (l *Library) Device(i int) (*Device, error) {
	d := &Device{Index: i, lib: l}
	r := l.call(&l.fn.deviceGet, uintptr(unsafe.Pointer(&d.handle)), uintptr(i))
	if r != Success {
		return nil, l.fn.deviceGet.fail(r, fmt.Sprintf("GPU %d", i))
	}
	for _, read := range []func() error{d.readName, d.readMemory, d.readAttributes, d.readIdentity} {
		if err := read(); err != nil {
			return nil, fmt.Errorf("cannot describe GPU %d: %w", i, err)
		}
	}
	return d, nil
}

func (d *Device) readName() error {
	var name [256]byte
	e := &d.lib.fn.deviceGetName
	r := d.lib.call(e, uintptr(unsafe.Pointer(&name)), uintptr(len(name)), uintptr(d.handle))
	d.Name = cString(name[:])
	return e.fail(r, "")
}

func (d *Device) readMemory() error {
	var n uint64
	e := &d.lib.fn.deviceTotalMem
	r := d.lib.call(e, uintptr(unsafe.Pointer(&n)), uintptr(d.handle))
	d.TotalMemory = int64(n)
	return e.fail(r, "")
}

// readAttributes fills the figures; numbers are CUdevice_attribute of cuda.h.
func (d *Device) readAttributes() error {
	var integrated int
	for _, a := range []struct {
		to   *int
		code int
	}{
		{&d.Major, 75}, {&d.Minor, 76}, {&d.SMs, 16}, {&d.L2Bytes, 38},
		{&d.SharedPerBlock, 8}, {&d.SharedPerBlockOptin, 97}, {&d.SharedPerSM, 81},
		{&d.RegistersPerSM, 82}, {&d.ThreadsPerSM, 39}, {&d.ThreadsPerBlock, 1}, {&d.WarpSize, 10},
		{&d.ClockKHz, 13}, {&d.MemoryClockKHz, 36}, {&d.MemoryBusBits, 37}, {&integrated, 18},
	} {
		v, err := d.Attribute(a.code)
		if err != nil {
			return err
		}
		*a.to = v
	}
	d.Integrated = integrated != 0
	return nil
}

// Attribute reads any CUdevice_attribute by its number in cuda.h.
func (d *Device) Attribute(code int) (int, error) {
	var v int32
	e := &d.lib.fn.deviceGetAttribute
	r := d.lib.call(e, uintptr(unsafe.Pointer(&v)), uintptr(code), uintptr(d.handle))
	if r != Success {
		return 0, e.fail(r, fmt.Sprintf("attribute %d of GPU %d", code, d.Index))
	}
	return int(v), nil
}

// readIdentity fills UUID and PCI where the driver has the calls.
func (d *Device) readIdentity() error {
	if e := &d.lib.fn.deviceGetUUID; e.addr != 0 {
		var id [16]byte
		if r := d.lib.call(e, uintptr(unsafe.Pointer(&id)), uintptr(d.handle)); r != Success {
			return e.fail(r, "")
		}
		d.UUID = fmt.Sprintf("GPU-%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	}
	if e := &d.lib.fn.deviceGetPCI; e.addr != 0 {
		var id [32]byte
		if r := d.lib.call(e, uintptr(unsafe.Pointer(&id)), uintptr(len(id)), uintptr(d.handle)); r != Success {
			return e.fail(r, "")
		}
		d.PCI = cString(id[:])
	}
	return nil
}

// CanAccess says whether kernels on d can read and write peer's memory, after Context.EnablePeer.
func (d *Device) CanAccess(peer *Device) (bool, error) {
	var can int32
	e := &d.lib.fn.deviceCanAccessPeer
	r := d.lib.call(e, uintptr(unsafe.Pointer(&can)), uintptr(d.handle), uintptr(peer.handle))
	if r != Success {
		return false, e.fail(r, fmt.Sprintf("GPU %d to GPU %d", d.Index, peer.Index))
	}
	return can != 0, nil
}

// cString is b up to its first NUL.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
