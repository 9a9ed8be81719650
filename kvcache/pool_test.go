package kvcache

import (
	"errors"
	"slices"
	"testing"
)

func TestPool_HandsOutAscendingRunsAndNeverSlotZero(t *testing.T) {
	p := NewPool(6)
	got, err := p.Take(nil, 6)
	if want := []int32{1, 2, 3, 4, 5, 6}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("Take(6) = %v, %v, want %v", got, err, want)
	}
	p.Put(got[1:4])
	if got, _ := p.Take(nil, 3); !slices.Equal(got, []int32{2, 3, 4}) {
		t.Fatalf("Take after Put = %v, want the run 2 3 4", got)
	}
}

func TestPool_TakesAllOrNothing(t *testing.T) {
	p := NewPool(3)
	got, err := p.Take(nil, 4)
	if !errors.Is(err, ErrNoSlots) || len(got) != 0 || p.Free() != 3 {
		t.Fatalf("Take(4) of 3 = %v, %v with %d free, want ErrNoSlots and 3 free", got, err, p.Free())
	}
}

func TestPool_PanicsWhenASlotIsGivenBackTwice(t *testing.T) {
	p := NewPool(3)
	s, _ := p.Take(nil, 1)
	p.Put(s)
	defer func() {
		if recover() == nil {
			t.Fatal("the second Put did not panic")
		}
	}()
	p.Put(s)
}

func TestPool_TakeAndPutAllocateNothing(t *testing.T) {
	p, buf := NewPool(64), make([]int32, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		s, _ := p.Take(buf, 33)
		p.Put(s)
	})
	if n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}
