package kernels

import (
	"fmt"
	"io"
)

const tableRow = "%-15s %-22s %-36s %9s %6s %9s %6s %8s %8s %-14s %9s %6s  %s\n"

// PrintHead writes the heads of PrintRow. Against is the fastest peer's time over weft's: above 1, weft is faster.
func PrintHead(w io.Writer) {
	fmt.Fprintf(w, tableRow, "kernel", "case", "dims", "us", "noise", "floor_us", "share", "GB/s", "TFLOP/s", "peer", "peer_us", "against", "fastest variant")
}

// PrintRow writes one line of what is known of a case: the first of results is Chosen's.
func PrintRow(w io.Writer, results []Result) {
	r := results[0]
	var peer, variant Result
	for _, o := range results[1:] {
		to := &peer
		if len(o.By) > len(Chosen) && o.By[:len(Chosen)] == Chosen {
			to = &variant
		}
		if to.US == 0 || o.US < to.US {
			*to = o
		}
	}
	best := ""
	if variant.US > 0 {
		best = fmt.Sprintf("%s %.3f", variant.By[len(Chosen)+1:], variant.US)
	}
	share := ""
	if r.Floor > 0 {
		share = fmt.Sprintf("%.0f%%", 100*r.Floor/r.US)
	}
	fmt.Fprintf(w, tableRow, r.Kernel, r.Name, r.Dims, figure(r.US, 3), fmt.Sprintf("%.1f%%", 100*r.Noise), figure(r.Floor, 3), share,
		figure(r.Bytes/r.US/1e3, 0), figure(r.Ops/r.US/1e6, 0), peer.By, figure(peer.US, 3), figure(peer.US/r.US, 2), best)
}
