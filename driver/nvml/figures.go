package nvml

import "unsafe"

// figures are the parts of a Sample, under the names that Missing uses.
var figures = []struct {
	name string
	read func(l *library, gpu uintptr, s *Sample) Result
}{
	{"name", (*library).readName},
	{"uuid", (*library).readUUID},
	{"memory", (*library).readMemory},
	{"utilisation", (*library).readUtilisation},
	{"power", (*library).readPower},
	{"power limit", (*library).readPowerLimit},
	{"temperature", (*library).readTemperature},
	{"clocks", (*library).readClocks},
	{"ecc", (*library).readECC},
	{"throttle", (*library).readThrottle},
	{"processes", (*library).readProcesses},
}

func (l *library) text(symbol string, gpu uintptr, to *string) Result {
	var text [96]byte
	r := l.call(symbol, gpu, uintptr(unsafe.Pointer(&text)), uintptr(len(text)))
	*to = cString(text[:])
	return r
}

func (l *library) readName(gpu uintptr, s *Sample) Result {
	return l.text("nvmlDeviceGetName", gpu, &s.Name)
}

func (l *library) readUUID(gpu uintptr, s *Sample) Result {
	return l.text("nvmlDeviceGetUUID", gpu, &s.UUID)
}

func (l *library) readMemory(gpu uintptr, s *Sample) Result {
	var m struct{ total, free, used uint64 } // nvmlMemory_t
	r := l.call("nvmlDeviceGetMemoryInfo", gpu, uintptr(unsafe.Pointer(&m)))
	s.MemoryTotal, s.MemoryFree, s.MemoryUsed = int64(m.total), int64(m.free), int64(m.used)
	return r
}

func (l *library) readUtilisation(gpu uintptr, s *Sample) Result {
	var u struct{ gpu, memory uint32 } // nvmlUtilization_t
	r := l.call("nvmlDeviceGetUtilizationRates", gpu, uintptr(unsafe.Pointer(&u)))
	s.BusyPercent, s.MemoryBusyPercent = int(u.gpu), int(u.memory)
	return r
}

func (l *library) readPower(gpu uintptr, s *Sample) Result {
	var mw uint32
	r := l.call("nvmlDeviceGetPowerUsage", gpu, uintptr(unsafe.Pointer(&mw)))
	s.PowerMilliwatts = int(mw)
	return r
}

func (l *library) readPowerLimit(gpu uintptr, s *Sample) Result {
	var mw uint32
	r := l.call("nvmlDeviceGetEnforcedPowerLimit", gpu, uintptr(unsafe.Pointer(&mw)))
	s.PowerLimitMilliwatts = int(mw)
	return r
}

func (l *library) readTemperature(gpu uintptr, s *Sample) Result {
	const onChip = 0
	var c uint32
	r := l.call("nvmlDeviceGetTemperature", gpu, onChip, uintptr(unsafe.Pointer(&c)))
	s.TemperatureC = int(c)
	return r
}

func (l *library) readClocks(gpu uintptr, s *Sample) Result {
	const sm, memory = 1, 2 // nvmlClockType_t
	for _, c := range []struct {
		symbol string
		kind   uintptr
		to     *int
	}{
		{"nvmlDeviceGetClockInfo", sm, &s.SMClockMHz},
		{"nvmlDeviceGetMaxClockInfo", sm, &s.SMClockMaxMHz},
		{"nvmlDeviceGetClockInfo", memory, &s.MemoryClockMHz},
		{"nvmlDeviceGetMaxClockInfo", memory, &s.MemoryClockMaxMHz},
	} {
		var mhz uint32
		if r := l.call(c.symbol, gpu, c.kind, uintptr(unsafe.Pointer(&mhz))); r != Success {
			return r
		}
		*c.to = int(mhz)
	}
	return Success
}

// readECC reads the counters only where ECC is on: elsewhere they are not supported.
func (l *library) readECC(gpu uintptr, s *Sample) Result {
	const corrected, uncorrected, sinceLoad = 0, 1, 0
	var now, pending uint32
	r := l.call("nvmlDeviceGetEccMode", gpu, uintptr(unsafe.Pointer(&now)), uintptr(unsafe.Pointer(&pending)))
	if r != Success || now == 0 {
		return r
	}
	s.ECC.Enabled = true
	r = l.call("nvmlDeviceGetTotalEccErrors", gpu, corrected, sinceLoad, uintptr(unsafe.Pointer(&s.ECC.Corrected)))
	if r != Success {
		return r
	}
	return l.call("nvmlDeviceGetTotalEccErrors", gpu, uncorrected, sinceLoad, uintptr(unsafe.Pointer(&s.ECC.Uncorrected)))
}

// readThrottle uses the name that drivers before 535 know when the newer one is missing.
func (l *library) readThrottle(gpu uintptr, s *Sample) Result {
	var reasons uint64
	r := l.call("nvmlDeviceGetCurrentClocksEventReasons", gpu, uintptr(unsafe.Pointer(&reasons)))
	if r == FunctionNotFound {
		r = l.call("nvmlDeviceGetCurrentClocksThrottleReasons", gpu, uintptr(unsafe.Pointer(&reasons)))
	}
	s.Throttle = Throttle(reasons)
	return r
}

// processInfo is nvmlProcessInfo_t.
type processInfo struct {
	pid               uint32
	_                 uint32
	bytes             uint64
	instance, compute uint32
}

// readProcesses asks again with more room while processes come faster than it reads.
func (l *library) readProcesses(gpu uintptr, s *Sample) Result {
	const notTold = ^uint64(0)
	for room := uint32(32); ; room *= 2 {
		list := make([]processInfo, room)
		n := room
		r := l.call("nvmlDeviceGetComputeRunningProcesses_v3", gpu, uintptr(unsafe.Pointer(&n)), uintptr(unsafe.Pointer(&list[0])))
		if r == InsufficientSize && room < 1<<16 {
			continue
		}
		if r != Success {
			return r
		}
		for _, p := range list[:n] {
			used := int64(p.bytes)
			if p.bytes == notTold {
				used = -1
			}
			s.Processes = append(s.Processes, Process{int(p.pid), used})
		}
		return Success
	}
}
