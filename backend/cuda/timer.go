package cuda

import (
	"errors"
	"fmt"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
)

// timer knows when the device worked. A driver measures between two marks, in milliseconds of a float32: times are
// added up from one step to the next, since the distance from a fixed mark would soon lose its microseconds.
type timer struct {
	marks [4]mark // by ticket: a step's and the one's before it, while a third is enqueued
	clock time.Duration
	last  uint64 // the ticket that clock has come to; 0: none
}

// mark is the interval of one step.
type mark struct{ began, ended driver.Event }

func (t *timer) open(ctx *driver.Context) (err error) {
	for i := range t.marks {
		m := &t.marks[i]
		if m.began, err = ctx.NewEvent(true); err != nil {
			return err
		}
		if m.ended, err = ctx.NewEvent(true); err != nil {
			return err
		}
	}
	return nil
}

func (t *timer) close() error {
	var errs []error
	for i := range t.marks {
		errs = append(errs, t.marks[i].began.Destroy(), t.marks[i].ended.Destroy())
	}
	return errors.Join(errs...)
}

func (t *timer) at(ticket uint64) *mark { return &t.marks[ticket%uint64(len(t.marks))] }

// markBegin enqueues the mark before the step's work. What the device waits for the host after it counts as work: for a
// graph that is one call, for a step that is launched kernel by kernel it can be much.
func (b *Backend) markBegin() error { return b.timer.at(b.ticket).began.Record(b.stream) }

// StepTime returns when the device began with the forward pass of batch and when its results were copied.
func (b *Backend) StepTime(batch *backend.Batch) (began, ended time.Duration, err error) {
	t := &b.timer
	m := t.at(batch.Ticket)
	if t.last != 0 && t.last == batch.Ticket-1 {
		gap, err := m.began.Elapsed(t.at(t.last).ended)
		if err != nil {
			return 0, 0, fmt.Errorf("cannot time step %d: %w", batch.Ticket, err)
		}
		t.clock += max(gap, 0)
	}
	took, err := m.ended.Elapsed(m.began)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot time step %d: %w", batch.Ticket, err)
	}
	began = t.clock
	t.clock, t.last = t.clock+took, batch.Ticket
	return began, t.clock, nil
}
