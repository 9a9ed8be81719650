package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
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

func TestSideWriter_NeverWaitsAndCountsWhatItDrops(t *testing.T) {
	to := &stuck{open: make(chan struct{})}
	w := newSideWriter(to, dropNote(true))
	const all, size = 40_000, 100 // nearly four times the room
	line := strings.Repeat("x", size-9)
	for i := range all {
		if n, err := fmt.Fprintf(w, "%07d %s\n", i, line); n != size || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	began := time.Now()
	w.flush(10 * time.Millisecond)
	if time.Since(began) > 5*time.Second {
		t.Errorf("flush waited %v for a reader that does not read", time.Since(began))
	}
	close(to.open)
	w.flush(10 * time.Second)
	fmt.Fprintln(w, "the end")
	w.flush(10 * time.Second)
	kept, dropped := 0, 0
	for l := range strings.Lines(to.text()) {
		if strings.HasPrefix(l, "weft: ") {
			n := 0
			if _, err := fmt.Sscanf(l, "weft: %d lines of this log were dropped", &n); err != nil {
				t.Fatal(err)
			}
			dropped += n
		} else if l != "the end\n" {
			if want := fmt.Sprintf("%07d %s\n", kept, line); l != want {
				t.Fatalf("line %d is %q", kept, l)
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
}

func TestSideWriter_WritesAllInOrderWhenItIsRead(t *testing.T) {
	to := &stuck{open: make(chan struct{})}
	close(to.open)
	w := newSideWriter(to, dropNote(false))
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
}
