package engine

import (
	"bufio"
	"fmt"
	"io"
	"time"
)

// Lanes of a trace.
const (
	hostLane   = 1
	deviceLane = 2
)

// WriteTrace writes steps as a Chrome trace, which ui.perfetto.dev opens: what the host did, what the device did, and
// how many slots were held. The device's clock is set so that no step's results are read before they are ready.
func WriteTrace(w io.Writer, steps []StepRecord) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `{"displayTimeUnit":"ms","traceEvents":[`+
		`{"ph":"M","pid":1,"tid":%d,"name":"thread_name","args":{"name":"host"}},`+"\n"+
		`{"ph":"M","pid":1,"tid":%d,"name":"thread_name","args":{"name":"device"}}`, hostLane, deviceLane)
	t := trace{b, deviceOffset(steps)}
	for i := range steps {
		t.step(&steps[i])
	}
	b.WriteString("]}\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("cannot write a trace: %w", err)
	}
	return nil
}

type trace struct {
	w      *bufio.Writer
	offset time.Duration // of the device's clock
}

func (t trace) step(r *StepRecord) {
	at := r.Began
	for _, part := range []struct {
		name string
		took time.Duration
	}{{"plan", r.Plan}, {"upload", r.Upload}, {"launch", r.Launch}} {
		t.slice(hostLane, r, part.name, at, part.took)
		at += part.took
	}
	t.slice(hostLane, r, "wait", r.Landed, r.Wait)
	t.slice(hostLane, r, "apply", r.Landed+r.Wait, r.Apply)
	if r.Device() > 0 {
		name := "decode"
		if !r.Decode() {
			name = "prefill"
		}
		t.slice(deviceLane, r, name, r.DeviceBegan+t.offset, r.Device())
	}
	fmt.Fprintf(t.w, ",\n"+`{"ph":"C","pid":1,"name":"slots","ts":%s,"args":{"held":%d}}`, micros(r.Began), r.Slots)
}

func (t trace) slice(lane int, r *StepRecord, name string, at, took time.Duration) {
	if took <= 0 {
		return
	}
	fmt.Fprintf(t.w, ",\n"+`{"ph":"X","pid":1,"tid":%d,"name":%q,"ts":%s,"dur":%s,"args":{"step":%d,"tokens":%d,"decodes":%d,`+
		`"prefill":%d,"samples":%d,"admitted":%d,"paused":%d,"finished":%d}}`, lane, name, micros(at), micros(took),
		r.Step, r.Tokens, r.Decodes, r.Prefill, r.Samples, r.Admitted, r.Paused, r.Finished)
}

func micros(d time.Duration) string { return fmt.Sprintf("%.3f", float64(d)/float64(time.Microsecond)) }

// deviceOffset is what to add to the device's clock: the least for which some step's results are read at once.
func deviceOffset(steps []StepRecord) time.Duration {
	var offset time.Duration
	for i := range steps {
		r := &steps[i]
		if o := r.Landed + r.Wait - r.DeviceEnded; i == 0 || o < offset {
			offset = o
		}
	}
	return offset
}
