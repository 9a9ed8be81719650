package cpu

import (
	"math"
	"testing"
)

func TestPhilox_MatchesThePublishedVector(t *testing.T) {
	want := [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}
	if got := philox([4]uint32{}, [2]uint32{}); got != want {
		t.Fatalf("philox(0,0) = %08x, want %08x", got, want)
	}
}

func TestGumbel_MatchesTheSharedDefinition(t *testing.T) {
	for r, want := range map[uint32]uint32{
		0: 0x41b6fda9, 1: 0x41ae33b3, 0x00ffffff: 0x40b16211, 0x3fffffff: 0x3f9f79a2,
		0x80000000: 0x3ebba795, 0xdeadbeef: 0xbf36631e, 0xffffffff: 0xc033f049,
	} {
		if got := math.Float32bits(gumbel(r)); got != want {
			t.Errorf("gumbel(%#x) = %08x, want %08x", r, got, want)
		}
	}
	if g := gumbel(0); g > maxGumbel {
		t.Errorf("gumbel(0) = %v, above maxGumbel", g)
	}
}

func TestExpf_MatchesTheSharedDefinition(t *testing.T) {
	for x, want := range map[float32]uint32{
		0: 0x3f800000, -0.1: 0x3f67a36d, -1: 0x3ebc5ab2, -3.25: 0x3d1ed1b4, -10: 0x383e6bce,
		-22: 0x2f995a46, -63.9: 0x1160b058, -64.1: 0,
	} {
		if got := math.Float32bits(expf(x)); got != want {
			t.Errorf("expf(%v) = %08x, want %08x", x, got, want)
		}
	}
}
