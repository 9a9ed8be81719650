package tensor

import (
	"errors"
	"testing"
)

func TestView_ColumnsKeepTheRowStride(t *testing.T) {
	v := Of(1000, BF16, 4, 96).Cols(32, 64)
	if v.Ptr != 1064 || v.Stride != 96 || v.Dim[1] != 32 || v.Contiguous() {
		t.Fatalf("Cols = %+v", v)
	}
	if got := v.Rows(2, 3).Ptr; got != 1064+2*96*2 {
		t.Fatalf("Rows(2,3).Ptr = %d", got)
	}
}

func TestBytes_CountWholeBlocks(t *testing.T) {
	for _, c := range []struct {
		t    DType
		n    int
		want int64
	}{{F32, 3, 12}, {Q8_0, 64, 68}, {Q4_1, 32, 20}, {Q4_K, 512, 288}} {
		if got := c.t.Bytes(c.n); got != c.want {
			t.Errorf("%s.Bytes(%d) = %d, want %d", c.t, c.n, got, c.want)
		}
	}
}

func TestCheck_NamesBindOnFirstUse(t *testing.T) {
	c := Checking("rmsnorm")
	c.Want("x", Of(0, BF16, 3, 5120), BF16, "T", "H").Want("w", Of(0, BF16, 4096), BF16, "H")
	var bad *ShapeError
	if !errors.As(c.Err(), &bad) {
		t.Fatalf("Err() = %v, want a ShapeError", c.Err())
	}
	if want := "rmsnorm: w is bf16[4096], want bf16[H] H=5120"; bad.Error() != want {
		t.Fatalf("Err() = %q, want %q", bad, want)
	}
}

func TestCheck_AllocatesNothingWhenAllFits(t *testing.T) {
	x, w := Of(0, BF16, 3, 512), Of(0, BF16, 512)
	n := testing.AllocsPerRun(100, func() {
		c := Checking("rmsnorm")
		c.Want("x", x, BF16, "T", "H").Want("w", w, BF16, "H").Multiple("H", 8).Max("H", 16384)
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}
