package drivertest

import (
	"time"

	"github.com/weft-llm/weft/driver"
)

type stream struct {
	capture *capture // not nil while what is enqueued becomes a graph
}

type event struct {
	timing   bool
	recorded time.Time
	hung     bool     // it was recorded while the device hung: what it marks has not ended
	capture  *capture // the capture that its mark is part of
}

func (f *Fake) streamCreate(a args) driver.Result {
	put(a[0], f.add("stream", &stream{}))
	return driver.Success
}

func (f *Fake) streamDestroy(a args) driver.Result { return f.drop("stream", a[0]) }

// stream is the one of a handle; handle 0 is the default stream, which is nil and fine.
func (f *Fake) stream(handle uintptr) (s *stream, r driver.Result) {
	if handle == 0 {
		return nil, driver.Success
	}
	if s = get[stream](f, handle); s == nil {
		return nil, driver.InvalidHandle
	}
	return s, driver.Success
}

// enqueue runs o, or adds it to the graph that the stream is captured into.
func (f *Fake) enqueue(handle uintptr, o op) driver.Result {
	s, r := f.stream(handle)
	if r != driver.Success {
		return r
	}
	if s == nil && f.captures[thread()] != nil {
		return f.spoil("the default stream is used", driver.StreamCaptureImplicit)
	}
	if s == nil || s.capture == nil {
		f.now = o // not on the heap for each call: kernel functions get a pointer into it
		return f.run(&f.now)
	}
	return f.record(s.capture, o)
}

func (f *Fake) streamSync(a args) driver.Result {
	s, r := f.stream(a[0])
	if r == driver.Success && s != nil && s.capture != nil {
		return f.spoil("the stream is synced", driver.StreamCaptureUnsupported)
	}
	return r
}

func (f *Fake) streamQuery(a args) driver.Result {
	if r := f.streamSync(a); r != driver.Success {
		return r
	}
	return f.ready()
}

// ready is NotReady while the device hangs.
func (f *Fake) ready() driver.Result {
	if f.hang != nil {
		return driver.NotReady
	}
	return driver.Success
}

// streamWait draws the stream into the capture that the event's mark belongs to.
func (f *Fake) streamWait(a args) driver.Result {
	s, r := f.stream(a[0])
	if r != driver.Success {
		return r
	}
	ev := get[event](f, a[1])
	if ev == nil {
		return driver.InvalidHandle
	}
	if s == nil || ev.capture == nil {
		return driver.Success
	}
	if s.capture == nil {
		s.capture = ev.capture
		ev.capture.streams = append(ev.capture.streams, s)
	}
	return driver.Success
}

func (f *Fake) eventCreate(a args) driver.Result {
	const disableTiming = 2
	put(a[0], f.add("event", &event{timing: a[1]&disableTiming == 0}))
	return driver.Success
}

func (f *Fake) eventDestroy(a args) driver.Result { return f.drop("event", a[0]) }

func (f *Fake) eventRecord(a args) driver.Result {
	ev := get[event](f, a[0])
	if ev == nil {
		return driver.InvalidHandle
	}
	s, r := f.stream(a[1])
	if r != driver.Success {
		return r
	}
	ev.recorded, ev.hung, ev.capture = time.Now(), f.hang != nil, nil
	if s != nil && s.capture != nil {
		ev.capture = s.capture
	}
	return driver.Success
}

// capturedEvent is CUDA_ERROR_CAPTURED_EVENT: the mark exists only in a graph.
const capturedEvent driver.Result = 907

func (f *Fake) eventSync(a args) driver.Result {
	ev := get[event](f, a[0])
	if ev == nil {
		return driver.InvalidHandle
	}
	if ev.capture != nil {
		return f.spoil("a captured event is synced", capturedEvent)
	}
	return driver.Success
}

func (f *Fake) eventQuery(a args) driver.Result {
	if r := f.eventSync(a); r != driver.Success {
		return r
	}
	return f.ready()
}

func (f *Fake) eventElapsed(a args) driver.Result {
	start, end := get[event](f, a[1]), get[event](f, a[2])
	if start == nil || end == nil || !start.timing || !end.timing || start.recorded.IsZero() || end.recorded.IsZero() {
		return driver.InvalidHandle
	}
	if f.hang != nil && (start.hung || end.hung) {
		return driver.NotReady
	}
	put(a[0], float32(end.recorded.Sub(start.recorded).Seconds()*1000))
	return driver.Success
}
