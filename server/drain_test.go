package server

import (
	"context"
	"net"
	"testing"
	"time"
)

func TestDrain_WithoutTimeAndWithoutRequestsCutsNobody(t *testing.T) {
	for range 20 {
		s := start(t, always(say("hello")))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Drain(ctx); err != nil {
			t.Fatalf("Drain() of an idle server = %v", err)
		}
	}
}

// TestDrain_EndsAServeThatComesLater: a signal may come while the server starts.
func TestDrain_EndsAServeThatComesLater(t *testing.T) {
	for i := range 50 {
		s, err := New(Options{Engine: &fakeEngine{}, Tokenizer: fakeTokenizer{}, Model: Model{Name: "tiny", MaxContext: 64}})
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		serve := func() { served <- s.Serve(l) }
		if i%2 == 0 { // at the same time
			go serve()
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Errorf("Drain() = %v", err)
		}
		if i%2 == 1 {
			go serve()
		}
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve() = %v, want nil", err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("round %d: Serve does not end though the server was drained", i)
		}
	}
}
