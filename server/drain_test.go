package server

import (
	"context"
	"testing"
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
