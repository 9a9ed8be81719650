package weft

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/nvml"
	"github.com/weft-llm/weft/engine"
)

const (
	dumpSteps    = 16          // landed steps that a dump shows
	dumpLaunches = 64          // launches
	nvmlPatience = time.Second // a GPU that fell off the bus may hold NVML for long
)

// WriteFailure writes what is known about the failure that stopped m's engine, for a person to look into: the driver's
// call and code and what usually stands behind it, the steps under way and before, the last launches, and what NVML
// tells of the GPU. It holds no text or token of any request. Nothing is written while the engine works.
func (m *Model) WriteFailure(w io.Writer) error {
	failed := m.engine.Err()
	if failed == nil {
		return nil
	}
	d := dump{bufio.NewWriter(w)}
	d.printf("weft: the device failed at %s\nerror: %v\n", time.Now().UTC().Format(time.RFC3339), failed)
	d.cause(failed)
	info := m.engine.Info()
	d.printf("device: %s %s\n", info.Name, info.Driver)
	d.steps(m.engine)
	if m.gpu != nil {
		d.launches(m.gpu.Launches())
		d.state(m.gpu.Device)
	}
	if err := d.Flush(); err != nil {
		return fmt.Errorf("cannot write the dump: %w", err)
	}
	return nil
}

type dump struct{ *bufio.Writer }

func (d dump) printf(format string, args ...any) { fmt.Fprintf(d.Writer, format, args...) } // bufio keeps the first error until Flush

// cause says what the driver's code means.
func (d dump) cause(err error) {
	var call *driver.Error
	switch {
	case errors.As(err, &call):
		d.printf("call: %s returned %d, %v. %s\n", call.Call, call.Result, call.Result, call.Detail)
		if f, ok := call.Result.Fault(); ok {
			d.printf("cause: %v\n", f)
		}
	case errors.Is(err, engine.ErrStalled):
		d.printf("cause: %v\n", driver.Hang())
	}
}

// steps writes the steps under way and the last ones before them.
func (d dump) steps(e *engine.Engine) {
	landed := e.Flight()
	landed = landed[max(0, len(landed)-dumpSteps):]
	d.printf("steps under way, in which it failed, and those before:\n")
	t := tabwriter.NewWriter(d, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "step\tstate\ttokens\tdecodes\trequests\tsamples\tadmitted\tpaused\tslots\tbegan s\thost us\tdevice us\t")
	row := func(r *engine.StepRecord, state string) {
		fmt.Fprintf(t, "%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.6f\t%.1f\t%.1f\t\n", r.Step, state, r.Tokens, r.Decodes, r.Requests, r.Samples,
			r.Admitted, r.Paused, r.Slots, r.Began.Seconds(), micros(r.Host()), micros(r.Device()))
	}
	for i := range landed {
		row(&landed[i], "landed")
	}
	for _, r := range e.Unlanded() {
		row(&r, "under way")
	}
	t.Flush()
}

func micros(t time.Duration) float64 { return float64(t) / float64(time.Microsecond) }

func (d dump) launches(all []driver.LaunchRecord) {
	all = all[max(0, len(all)-dumpLaunches):]
	d.printf("last %d launches, the newest last; graphs with their kernels, kernels with their arguments in hexadecimal words:\n", len(all))
	for i, r := range all {
		text := r.String()
		if r.Kernel == "" && i+1 < len(all) && all[i+1].Kernel == "" { // decode after decode: the last one tells all
			text, _, _ = strings.Cut(text, ";")
		}
		d.printf("  %d %s\n", r.N, text)
	}
}

// state asks NVML about the GPU, which may not answer any more.
func (d dump) state(gpu *driver.Device) {
	told := make(chan string, 1)
	go func() { told <- gpuState(gpu.PCI) }()
	select {
	case text := <-told:
		d.printf("GPU %d at %s: %s\n", gpu.Index, gpu.PCI, text)
	case <-time.After(nvmlPatience):
		d.printf("GPU %d at %s: NVML does not answer within %v\n", gpu.Index, gpu.PCI, nvmlPatience)
	}
}

func gpuState(pci string) string {
	n, err := nvml.Open()
	if err != nil {
		return err.Error()
	}
	defer n.Close()
	s, err := n.Sample(pci)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d °C, %d of %d mW, SM clock %d of %d MHz, held down by: %v; ECC errors: %d corrected, %d not; %d of %d MiB used by %v; not told: %v",
		s.TemperatureC, s.PowerMilliwatts, s.PowerLimitMilliwatts, s.SMClockMHz, s.SMClockMaxMHz, s.Throttle,
		s.ECC.Corrected, s.ECC.Uncorrected, s.MemoryUsed>>20, s.MemoryTotal>>20, s.Processes, s.Missing)
}
