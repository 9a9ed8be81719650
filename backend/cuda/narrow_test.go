package cuda

import (
	"math"
	"testing"
)

func TestToF16_RoundsToTheNearestAndTiesToEven(t *testing.T) {
	for h := range uint16(0x7c00) { // positive and finite
		low, high := float64(fromF16(h)), float64(fromF16(h+1))
		if h+1 == 0x7c00 {
			high = 65536
		}
		even := h
		if h%2 == 1 {
			even++
		}
		for _, c := range []struct {
			v    float64
			want uint16
		}{{low, h}, {low + 0.49*(high-low), h}, {low + 0.51*(high-low), h + 1}, {(low + high) / 2, even}} {
			if got := toF16(float32(c.v)); got != c.want {
				t.Fatalf("toF16(%v) = %#x, want %#x", c.v, got, c.want)
			}
			if got := toF16(float32(-c.v)); got != c.want|0x8000 {
				t.Fatalf("toF16(%v) = %#x, want %#x", -c.v, got, c.want|0x8000)
			}
		}
	}
	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		if got := float64(fromF16(toF16(float32(v)))); got != v && !(got != got && v != v) {
			t.Errorf("%v comes back as %v", v, got)
		}
	}
}
