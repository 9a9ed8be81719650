package ptx

import (
	"testing"

	"github.com/weft-llm/weft/driver"
)

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
		{"gemm_128x128c2", 256, 4096, 1024, 64, 2, 384, 1, "a cluster for each pair of tiles"},
		{"gemm_128x128c2", 100, 100, 1024, 2, 2, 384, 1, "one cluster, mostly beside y"},
		{"gemm_128x128c4", 8192, 6144, 1024, 96, 4, 384, 4, "as many in fours as are known to run at once"},
		{"gemm_128x128c4", 100, 100, 1024, 4, 4, 384, 1, "one cluster, mostly beside y"},
		{"gemm_sliceds8", 256, 512, 3072, 64, 8, 288, 1, "8 tiles of eight slices"},
		{"gemm_slicedm2s4", 256, 1024, 3072, 64, 8, 288, 2, "16 tiles of four slices, in pairs"},
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
