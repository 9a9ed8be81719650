package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	logRoom     = 1 << 20         // bytes of log that wait for a reader, and one write more
	logPatience = 1 * time.Second // for it at the end
)

// sideWriter hands what is written to w on a goroutine of its own, so that whoever writes never waits for w: a pipe that
// nobody reads would stop every request at its log line. What finds no room is dropped and counted; the count is
// written once there is room again. It ends with the process.
type sideWriter struct {
	w    io.Writer
	note func(dropped int) string

	mu      sync.Mutex
	waiting []byte
	dropped int           // writes since the last note
	busy    bool          // the goroutine writes
	some    chan struct{} // capacity 1: something waits
	idle    chan struct{} // closed while nothing waits and nothing is being written
}

func newSideWriter(w io.Writer, note func(dropped int) string) *sideWriter {
	s := &sideWriter{w: w, note: note, some: make(chan struct{}, 1), idle: make(chan struct{})}
	close(s.idle)
	go s.run()
	return s
}

// Write takes p or drops it whole, and never fails.
func (s *sideWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= logRoom {
		s.dropped++
		return len(p), nil
	}
	if len(s.waiting) == 0 && !s.busy {
		s.idle = make(chan struct{})
	}
	s.waiting = append(s.waiting, p...)
	select {
	case s.some <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (s *sideWriter) run() {
	var batch []byte
	for range s.some {
		s.mu.Lock()
		if len(s.waiting) == 0 { // the batch before had it already
			s.mu.Unlock()
			continue
		}
		batch, s.waiting = s.waiting, batch[:0]
		if s.dropped > 0 {
			batch = append(batch, s.note(s.dropped)...)
			s.dropped = 0
		}
		s.busy = true
		s.mu.Unlock()
		_, _ = s.w.Write(batch) // there is nowhere to tell of a log that fails
		s.mu.Lock()
		if s.busy = false; len(s.waiting) == 0 {
			close(s.idle)
		}
		s.mu.Unlock()
	}
}

// flush waits until everything is written, but no longer than patience.
func (s *sideWriter) flush(patience time.Duration) {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
	case <-time.After(patience):
	}
}

// dropNote is the line that stands for dropped ones in a log of either format.
func dropNote(text bool) func(int) string {
	if text {
		return func(n int) string { return fmt.Sprintf("weft: %d lines of this log were dropped: nobody read it\n", n) }
	}
	return func(n int) string {
		return fmt.Sprintf(`{"time":%q,"level":"WARN","msg":"lines of this log were dropped: nobody read it","dropped":%d}`+"\n", time.Now().Format(time.RFC3339Nano), n)
	}
}
