package drivertest

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
)

// Handles of contexts follow this; the device's index is added.
const contextBase = 0x10

func (f *Fake) cuInit(args) driver.Result {
	f.started = true
	return driver.Success
}

func (f *Fake) driverGetVersion(a args) driver.Result {
	put(a[0], int32(f.cfg.Version))
	return driver.Success
}

func (f *Fake) deviceGetCount(a args) driver.Result {
	put(a[0], int32(f.cfg.Devices))
	return driver.Success
}

func (f *Fake) deviceGet(a args) driver.Result {
	if a[1] >= uintptr(f.cfg.Devices) {
		return driver.InvalidDevice
	}
	put(a[0], int32(a[1]))
	return driver.Success
}

func (f *Fake) deviceGetName(a args) driver.Result {
	return putText(a[0], a[1], f.cfg.Name)
}

func (f *Fake) deviceTotalMem(a args) driver.Result {
	put(a[0], uint64(f.cfg.Memory))
	return driver.Success
}

func (f *Fake) deviceGetUUID(a args) driver.Result {
	put(a[0], [16]byte{0: 0xFA, 1: 0xCE, 15: byte(a[1])})
	return driver.Success
}

func (f *Fake) deviceGetPCI(a args) driver.Result {
	return putText(a[0], a[1], fmt.Sprintf("0000:%02x:00.0", 0x10+a[2]))
}

func (f *Fake) deviceCanAccessPeer(a args) driver.Result {
	can := int32(0)
	if !f.cfg.NoPeers && a[1] != a[2] {
		can = 1
	}
	put(a[0], can)
	return driver.Success
}

// putText writes text as a C string into room bytes.
func putText(to, room uintptr, text string) driver.Result {
	if len(text)+1 > int(room) {
		return driver.InvalidValue
	}
	copy(bytesAt(to, int(room)), text+"\x00")
	return driver.Success
}

// Limits of one block; the figures are those of sm_90.
const (
	maxThreads     = 1024
	sharedPerBlock = 48 << 10
	sharedOptin    = 227 << 10
	sharedPerSM    = 228 << 10
	threadsPerSM   = 2048
)

func (f *Fake) deviceGetAttribute(a args) driver.Result {
	known := map[uintptr]int{
		1: maxThreads, 8: sharedPerBlock, 10: 32, 13: 1_755_000, 16: f.cfg.SMs, 18: 0, 36: 2_619_000, 37: 5120,
		38: 50 << 20, 39: threadsPerSM, 75: f.cfg.Major, 76: f.cfg.Minor, 81: sharedPerSM, 82: 65536, 97: sharedOptin,
	}
	v, ok := known[a[1]]
	if !ok {
		return driver.InvalidValue
	}
	put(a[0], int32(v))
	return driver.Success
}

func (f *Fake) ctxRetain(a args) driver.Result {
	f.retained[a[1]]++
	put(a[0], contextBase+a[1])
	return driver.Success
}

// ctxRelease takes the context off all threads with its last reference, as the driver ends it then.
func (f *Fake) ctxRelease(a args) driver.Result {
	device := int(a[0])
	if f.retained[device] == 0 {
		f.fault("context of GPU %d is released, but is not retained", device)
		return driver.InvalidContext
	}
	if f.retained[device]--; f.retained[device] > 0 {
		return driver.Success
	}
	for thread, ctx := range f.current {
		if ctx == contextBase+a[0] {
			delete(f.current, thread)
		}
	}
	return driver.Success
}

func (f *Fake) ctxSetCurrent(a args) driver.Result {
	if a[0] == 0 {
		delete(f.current, thread())
		return driver.Success
	}
	device := int(a[0]) - contextBase
	if device < 0 || device >= len(f.retained) || f.retained[device] == 0 {
		f.fault("context %#x is made current, but is not retained", a[0])
		return driver.InvalidContext
	}
	f.current[thread()] = a[0]
	return driver.Success
}

// currentDevice is the device of the calling thread's context, -1 without one.
func (f *Fake) currentDevice() int { return int(f.current[thread()]) - contextBase }

func (f *Fake) ctxSync(args) driver.Result { return f.refuseInCapture("cuCtxSynchronize") }

func (f *Fake) ctxEnablePeer(a args) driver.Result {
	if f.cfg.NoPeers {
		return driver.PeerAccessUnsupported
	}
	return driver.Success
}
