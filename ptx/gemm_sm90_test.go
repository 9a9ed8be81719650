package ptx

import (
	"testing"

	"github.com/weft-llm/weft/driver"
)

// TestChoose_LeavesFormsThatAreNotTimed: they are there for Force and for benchmarks.
func TestChoose_LeavesFormsThatAreNotTimed(t *testing.T) {
	k := newKernels()
	forms := map[gemmForm]int{}
	for i := range k.hop.tiles {
		forms[k.hop.tiles[i].form]++
	}
	for _, f := range []gemmForm{inTurns, late, inSlices} {
		if forms[f] == 0 {
			t.Errorf("no kernel of form %d is declared", f)
		}
	}
	for _, c := range readMeasured(t) {
		if tile := k.hop.choose(c.e, c.m, c.n, c.k, 132, false); tile != nil && tile.left() {
			t.Errorf("%s M=%d: got %s, which is left to Force", c.name, c.m, tile.name)
		}
	}
}

// TestGemmLaunch_FillsTheDevice gives grid, cluster, block and order of shapes on 132 multiprocessors.
func TestGemmLaunch_FillsTheDevice(t *testing.T) {
	k := newKernels()
	for _, c := range []struct {
		name                 string
		m, n, k              int
		grid, cluster, block int
		order                int32
		what                 string
	}{
		{"gemm_128x256", 8192, 4096, 1024, 132, 1, 384, 8, "a block a multiprocessor"},
		{"gemm_128x256c2", 8192, 4096, 4096, 132, 2, 384, 4, "as many in pairs"},
		{"gemm_128x256c2h24", 8192, 4096, 4096, 132, 2, 384, 12, "groups of 24 rows of tiles"},
		{"gemm_pong", 8192, 6144, 1024, 132, 1, 384, 8, ""},
		{"gemm_pongc2", 256, 4096, 1024, 64, 2, 384, 1, "a cluster for each pair of tiles"},
		{"gemm_pongc4", 8192, 6144, 1024, 128, 4, 384, 4, "clusters of four leave some multiprocessors"},
		{"gemm_pongc4", 100, 100, 1024, 4, 4, 384, 1, "one cluster, mostly beside y"},
		{"gemm_widec4", 8192, 6144, 4096, 128, 4, 384, 4, ""},
		{"gemm_sliceds8", 256, 1024, 3072, 128, 8, 288, 1, "16 tiles of eight slices"},
		{"gemm_slicedm2s4", 512, 1024, 2048, 128, 8, 288, 2, "32 tiles of four slices, in pairs"},
		{"gemm_sliced_widem2s2", 512, 4096, 12288, 128, 4, 288, 2, "64 tiles of two slices, in pairs"},
	} {
		var tile *hopperTile
		for i := range k.hop.tiles {
			if k.hop.tiles[i].name == c.name {
				tile = &k.hop.tiles[i]
			}
		}
		if tile == nil {
			t.Fatalf("there is no %s", c.name)
		}
		grid, cluster, block, order := tile.gemmLaunch(c.m, c.n, c.k, 132)
		want := [3]driver.Dim{{X: c.grid}, {X: c.cluster}, {X: c.block}}
		if got := [3]driver.Dim{grid, cluster, block}; got != want || order != c.order {
			t.Errorf("%s on M=%d N=%d K=%d: %v, order %d; want %v, %d: %s", c.name, c.m, c.n, c.k, got, order, want, c.order, c.what)
		}
	}
}
