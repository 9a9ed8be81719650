//go:build cgo && gonvml && linux && !nogpu

package nvml

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// throughGo is NVML by go-nvml.
type throughGo struct{ nvml.Interface }

// OpenGo starts libnvidia-ml through NVIDIA's go-nvml, which needs cgo.
func OpenGo() (NVML, error) {
	g := throughGo{nvml.New()}
	if err := fail("nvmlInit", Result(g.Init()), ""); err != nil {
		return nil, fmt.Errorf("cannot open NVML through go-nvml: %w", err)
	}
	return g, nil
}

func (g throughGo) Close() error { return fail("nvmlShutdown", Result(g.Shutdown()), "") }

func (g throughGo) DriverVersion() (string, error) {
	v, r := g.SystemGetDriverVersion()
	return v, fail("nvmlSystemGetDriverVersion", Result(r), "")
}

func (g throughGo) Sample(pci string) (*Sample, error) {
	gpu, r := g.DeviceGetHandleByPciBusId(pci)
	if r != nvml.SUCCESS {
		return nil, fail("nvmlDeviceGetHandleByPciBusId", Result(r), pci)
	}
	s := &Sample{}
	for _, f := range goFigures {
		switch r := Result(f.read(gpu, s)); {
		case r == Success:
		case r.untold():
			s.Missing = append(s.Missing, f.name)
		default:
			return nil, fail("cannot read "+f.name+" of GPU "+pci, r, "")
		}
	}
	return s, nil
}

// goFigures are figures by go-nvml.
var goFigures = []struct {
	name string
	read func(nvml.Device, *Sample) nvml.Return
}{
	{"name", func(d nvml.Device, s *Sample) (r nvml.Return) { s.Name, r = d.GetName(); return }},
	{"uuid", func(d nvml.Device, s *Sample) (r nvml.Return) { s.UUID, r = d.GetUUID(); return }},
	{"memory", func(d nvml.Device, s *Sample) nvml.Return {
		m, r := d.GetMemoryInfo()
		s.MemoryTotal, s.MemoryFree, s.MemoryUsed = int64(m.Total), int64(m.Free), int64(m.Used)
		return r
	}},
	{"utilisation", func(d nvml.Device, s *Sample) nvml.Return {
		u, r := d.GetUtilizationRates()
		s.BusyPercent, s.MemoryBusyPercent = int(u.Gpu), int(u.Memory)
		return r
	}},
	{"power", func(d nvml.Device, s *Sample) nvml.Return { return number(&s.PowerMilliwatts)(d.GetPowerUsage()) }},
	{"power limit", func(d nvml.Device, s *Sample) nvml.Return {
		return number(&s.PowerLimitMilliwatts)(d.GetEnforcedPowerLimit())
	}},
	{"temperature", func(d nvml.Device, s *Sample) nvml.Return {
		return number(&s.TemperatureC)(d.GetTemperature(nvml.TEMPERATURE_GPU))
	}},
	{"clocks", func(d nvml.Device, s *Sample) nvml.Return {
		return first(number(&s.SMClockMHz)(d.GetClockInfo(nvml.CLOCK_SM)),
			number(&s.SMClockMaxMHz)(d.GetMaxClockInfo(nvml.CLOCK_SM)),
			number(&s.MemoryClockMHz)(d.GetClockInfo(nvml.CLOCK_MEM)),
			number(&s.MemoryClockMaxMHz)(d.GetMaxClockInfo(nvml.CLOCK_MEM)))
	}},
	{"ecc", goECC},
	{"throttle", func(d nvml.Device, s *Sample) nvml.Return {
		reasons, r := d.GetCurrentClocksEventReasons()
		s.Throttle = Throttle(reasons)
		return r
	}},
	{"processes", func(d nvml.Device, s *Sample) nvml.Return {
		list, r := d.GetComputeRunningProcesses()
		for _, p := range list {
			s.Processes = append(s.Processes, Process{int(p.Pid), int64(p.UsedGpuMemory)}) // not told is ^0, which is -1
		}
		return r
	}},
}

func goECC(d nvml.Device, s *Sample) nvml.Return {
	now, _, r := d.GetEccMode()
	if r != nvml.SUCCESS || now != nvml.FEATURE_ENABLED {
		return r
	}
	s.ECC.Enabled = true
	if s.ECC.Corrected, r = d.GetTotalEccErrors(nvml.MEMORY_ERROR_TYPE_CORRECTED, nvml.VOLATILE_ECC); r != nvml.SUCCESS {
		return r
	}
	s.ECC.Uncorrected, r = d.GetTotalEccErrors(nvml.MEMORY_ERROR_TYPE_UNCORRECTED, nvml.VOLATILE_ECC)
	return r
}

// number stores what a call returns.
func number(to *int) func(uint32, nvml.Return) nvml.Return {
	return func(v uint32, r nvml.Return) nvml.Return {
		*to = int(v)
		return r
	}
}

// first is the first failure.
func first(results ...nvml.Return) nvml.Return {
	for _, r := range results {
		if r != nvml.SUCCESS {
			return r
		}
	}
	return nvml.SUCCESS
}
