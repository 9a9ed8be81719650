package cpu

import (
	"math"
	"testing"
)

// TestLargest_IsTheFirstOfTheLargest puts the largest value at every place of rows of many lengths, once alone and
// once with an equal one behind it.
func TestLargest_IsTheFirstOfTheLargest(t *testing.T) {
	for _, k := range available() {
		for _, n := range []int{1, 31, 32, 33, 64, 95, 200} {
			z := make([]float32, n)
			for at := range n {
				for i := range z {
					z[i] = -float32(i%7) - 1
				}
				z[at], z[n-1-(n-1-at)/2] = -0.5, -0.5
				if top, id := k.largest(z); top != -0.5 || id != int32(at) {
					t.Fatalf("%s: largest of %d = %v at %d, want -0.5 at %d", k.name, n, top, id, at)
				}
			}
		}
	}
}

func TestLargest_RefusesNaNAndNothing(t *testing.T) {
	inf := float32(math.Inf(-1))
	for _, k := range available() {
		for _, n := range []int{3, 32, 100} {
			z := make([]float32, n)
			for at := range n {
				clear(z)
				z[at] = float32(math.NaN())
				if _, id := k.largest(z); id != -1 {
					t.Fatalf("%s: largest of %d with NaN at %d is at %d, want -1", k.name, n, at, id)
				}
			}
			for i := range z {
				z[i] = inf
			}
			if top, id := k.largest(z); top != inf || id != -1 {
				t.Errorf("%s: largest of %d -Inf = %v at %d, want -Inf at -1", k.name, n, top, id)
			}
		}
	}
}
