package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a writer that does not take anything before it is told to.
type stuck struct {
	open chan struct{}
	mu   sync.Mutex
	got  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

func (s *stuck) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

// sideWriting runs f with a side writer to w in virtual time: it never waits when the clock has not moved.
func sideWriting(t *testing.T, w *stuck, note func(int) string, f func(t *testing.T, w *sideWriter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w.open = make(chan struct{})
		s := newSideWriter(w, note)
		f(t, s)
		close(s.some) // ends its goroutine
	})
}

func TestSideWriter_NeverWaitsAndCountsWhatItDrops(t *testing.T) {
	to := &stuck{}
	sideWriting(t, to, dropNote(true), func(t *testing.T, w *sideWriter) {
		const all, size = 40_000, 100 // nearly four times the room
		line := strings.Repeat("x", size-9)
		began := time.Now()
		for i := range all {
			if n, err := fmt.Fprintf(w, "%07d %s\n", i, line); n != size || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("writing waited %v for a reader that does not read", took)
		}
		w.flush(10 * time.Millisecond)
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("flush waited %v for a reader that does not read, want 10 ms", took)
		}
		close(to.open)
		w.flush(10 * time.Second)
		fmt.Fprintln(w, "the end")
		w.flush(10 * time.Second)
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("flush waited %v for a reader that reads", took)
		}
		kept, dropped := 0, 0
		for l := range strings.Lines(to.text()) {
			if strings.HasPrefix(l, "weft: ") {
				n := 0
				if _, err := fmt.Sscanf(l, "weft: %d lines of this log were dropped", &n); err != nil {
					t.Fatal(err)
				}
				dropped += n
			} else if l != "the end\n" { // its turn is behind those told to be dropped: the reader may start after a first jam
				if want := fmt.Sprintf("%07d %s\n", kept+dropped, line); l != want {
					t.Fatalf("line %d is %q", kept+dropped, l)
				}
				kept++
			}
		}
		if kept+dropped != all || dropped == 0 || kept*size < logRoom || kept*size > 3*logRoom {
			t.Errorf("%d lines were kept and %d are told to be dropped, of %d", kept, dropped, all)
		}
		if !strings.Contains(to.text(), "the end\n") {
			t.Error("after a jam nothing is written any more")
		}
	})
}

func TestSideWriter_WritesAllInOrderWhenItIsRead(t *testing.T) {
	to := &stuck{}
	sideWriting(t, to, dropNote(false), func(t *testing.T, w *sideWriter) {
		close(to.open)
		var want strings.Builder
		for i := range 10_000 {
			fmt.Fprintln(w, i)
			fmt.Fprintln(&want, i)
			if i%1000 == 0 {
				w.flush(10 * time.Second)
			}
		}
		w.flush(10 * time.Second)
		if to.text() != want.String() {
			t.Error("lines are lost or out of order")
		}
	})
}
