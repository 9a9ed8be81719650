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
		order, splits        int32
		what                 string
	}{
		{"gemm_128x256", 8192, 4096, 1024, 132, 1, 384, 8, 1, "a block a multiprocessor"},
		{"gemm_128x256c2x1", 8192, 4096, 4096, 132, 2, 384, 4, 1, "as many in pairs"},
		{"gemm_128x128c2x1", 256, 4096, 1024, 64, 2, 384, 1, 1, "a cluster for each pair of tiles"},
		{"gemm_128x128c2x1", 100, 100, 1024, 2, 2, 384, 1, 1, "one cluster, mostly beside y"},
		{"gemm_128x128c2x2", 8192, 6144, 1024, 96, 4, 384, 4, 1, "as many in fours as are known to run at once"},
		{"gemm_128x128c2x2", 100, 100, 1024, 4, 4, 384, 1, 1, "one cluster, mostly beside y"},
		{"swap_192x192", 192, 24576, 4096, 128, 1, 512, 16, 1, "all tokens in a tile"},
		{"swap_64x128s2", 512, 1024, 2048, 128, 1, 384, 8, 2, "eight tiles of tokens, two slices of each"},
		{"gemm_128x128c1x2s4", 128, 4096, 12288, 128, 2, 384, 1, 4, "16 pairs of tiles, four slices of each"},
		{"gemm_128x128c2x1s8", 512, 4096, 1024, 128, 2, 384, 2, 1, "as many slices as run at once"},
		{"gemm_128x128c2x1s8", 256, 4096, 1024, 128, 2, 384, 1, 2, "as many slices as run at once"},
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
		grid, cluster, block, order, splits := tile.gemmLaunch(plain, c.m, c.n, c.k, 132)
		want := [3]driver.Dim{{X: c.grid}, {X: c.cluster}, {X: c.block}}
		if got := [3]driver.Dim{grid, cluster, block}; got != want || order != c.order || splits != c.splits {
			t.Errorf("%s on M=%d N=%d K=%d: %v, order %d, %d splits; want %v, %d, %d: %s", c.name, c.m, c.n, c.k, got, order, splits, want, c.order, c.splits, c.what)
		}
	}
}
