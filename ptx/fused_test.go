package ptx

import "testing"

// TestFused_TakesSlicesNearTheBestMeasured has the µs of an H200 with 1, 2, 4 and 8 slices of K, at commit 44eda48, and of 32 tokens
// at f60c388.
func TestFused_TakesSlicesNearTheBestMeasured(t *testing.T) {
	k := &Kernels{}
	k.fuse.declare(k)
	for _, c := range []struct {
		f       fusing
		m, n, k int
		us      [4]float64
	}{
		{fuseHeads, 1, 4096, 1024, [4]float64{7.849, 6.288, 4.721, 7.130}},
		{fuseHeads, 16, 4096, 1024, [4]float64{9.145, 7.662, 6.150, 10.154}},
		{fuseHeads, 1, 6144, 4096, [4]float64{21.488, 16.857, 14.415, 15.889}},
		{fuseHeads, 16, 6144, 4096, [4]float64{24.291, 18.360, 16.828, 21.265}},
		{fuseHeads, 32, 4096, 1024, [4]float64{9.190, 6.679, 8.695, 13.173}},
		{fuseHeads, 32, 6144, 4096, [4]float64{24.948, 17.420, 20.735, 28.584}},
		{fuseGate, 1, 6144, 1024, [4]float64{6.416, 5.772, 8.313, 14.600}},
		{fuseGate, 16, 6144, 1024, [4]float64{7.211, 6.635, 9.906, 17.749}},
		{fuseGate, 1, 24576, 4096, [4]float64{53.095, 53.100, 56.212, 76.178}},
		{fuseGate, 16, 24576, 4096, [4]float64{56.566, 55.815, 66.251, 90.182}},
		{fuseGate, 32, 6144, 1024, [4]float64{7.838, 7.261, 10.657, 18.755}},
		{fuseGate, 32, 24576, 4096, [4]float64{54.814, 56.580, 71.226, 101.044}},
		{fuseAdd, 1, 1024, 2048, [4]float64{5.308, 3.748, 2.738, 2.615}},
		{fuseAdd, 16, 1024, 2048, [4]float64{5.517, 4.104, 3.019, 3.062}},
		{fuseAdd, 1, 1024, 3072, [4]float64{7.372, 4.913, 3.308, 2.950}},
		{fuseAdd, 16, 1024, 3072, [4]float64{7.568, 5.271, 4.018, 3.407}},
		{fuseAdd, 1, 4096, 4096, [4]float64{11.774, 10.314, 12.801, 12.130}},
		{fuseAdd, 16, 4096, 4096, [4]float64{12.176, 10.561, 13.600, 14.349}},
		{fuseAdd, 1, 4096, 12288, [4]float64{31.629, 25.892, 29.035, 29.272}},
		{fuseAdd, 16, 4096, 12288, [4]float64{32.470, 26.140, 29.057, 30.871}},
		{fuseAdd, 32, 1024, 2048, [4]float64{5.989, 4.737, 4.039, 3.699}},
		{fuseAdd, 32, 1024, 3072, [4]float64{8.140, 6.082, 4.972, 4.106}},
		{fuseAdd, 32, 4096, 4096, [4]float64{13.410, 10.436, 14.095, 16.914}},
		{fuseAdd, 32, 4096, 12288, [4]float64{35.879, 26.192, 31.638, 32.545}},
	} {
		got, ok := k.fuse.choose(c.f, c.m, c.n, c.k, 132)
		if !ok {
			t.Errorf("%s %d %d %d: no kernel", fusingSuffix[c.f], c.m, c.n, c.k)
			continue
		}
		best, us := c.us[0], 0.0
		for i, v := range c.us {
			best = min(best, v)
			if got.splits == 1<<i {
				us = v
			}
		}
		if us > 1.02*best {
			t.Errorf("%s M=%d N=%d K=%d: got %d slices in %.2f µs, want near %.2f", fusingSuffix[c.f], c.m, c.n, c.k, got.splits, us, best)
		}
	}
}

func TestFusesHeads_WholeHeadsOfATileThatTurnInEights(t *testing.T) {
	for _, c := range []struct {
		d, r int
		want bool
	}{{128, 128, true}, {128, 0, true}, {64, 32, true}, {16, 16, true}, {96, 96, false}, {256, 256, false}, {8, 8, false}, {64, 40, false}, {64, 128, false}} {
		if got := FusesHeads(c.d, c.r); got != c.want {
			t.Errorf("FusesHeads(%d, %d) = %t, want %t", c.d, c.r, got, c.want)
		}
	}
}
