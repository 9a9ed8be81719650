package bench

import (
	"slices"
	"time"

	"github.com/weft-llm/weft/engine"
)

// Flight is what the flight recorder tells of the decode phase: of the steps that only decode.
type Flight struct {
	Steps   int           // of the decode phase
	HostP50 time.Duration // host work of a step
	HostP99 time.Duration
	Device  time.Duration // mean time that the device computes a step
	Gap     time.Duration // mean time between one step's end and the next one's begin on the device: upload and host
	Idle    float64       // share of the decode phase that the gaps are
}

// SinceStep returns the records of steps after step.
func SinceStep(records []engine.StepRecord, step uint64) []engine.StepRecord {
	i, _ := slices.BinarySearchFunc(records, step+1, func(r engine.StepRecord, s uint64) int {
		switch {
		case r.Step < s:
			return -1
		case r.Step > s:
			return 1
		}
		return 0
	})
	return records[i:]
}

// DecodePhase summarises the decode steps among records. A gap counts when the step before it decodes too.
func DecodePhase(records []engine.StepRecord) Flight {
	var f Flight
	var host []time.Duration
	var device, gap time.Duration
	gaps := 0
	for i := range records {
		r := &records[i]
		if !r.Decode() {
			continue
		}
		host = append(host, r.Host())
		device += r.Device()
		if i > 0 && records[i-1].Decode() && records[i-1].Step+1 == r.Step {
			gap += max(r.DeviceBegan-records[i-1].DeviceEnded, 0)
			gaps++
		}
	}
	if f.Steps = len(host); f.Steps == 0 {
		return f
	}
	slices.Sort(host)
	f.HostP50, f.HostP99 = host[len(host)/2], host[len(host)*99/100]
	f.Device = device / time.Duration(f.Steps)
	if gaps > 0 {
		f.Gap = gap / time.Duration(gaps)
	}
	if whole := f.Device + f.Gap; whole > 0 {
		f.Idle = float64(f.Gap) / float64(whole)
	}
	return f
}
