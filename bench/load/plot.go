package load

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Sizes of a plot in pixels.
const (
	plotWidth, plotHeight = 420, 260
	plotMargin            = 48
)

// WriteSVG draws how the times of r are distributed: the share of requests, or of tokens, that took at most so long.
func (r *Report) WriteSVG(w io.Writer, title string) error {
	var ttft, gaps, e2e []time.Duration
	for i := range r.Results {
		if q := &r.Results[i]; q.Error == "" {
			ttft, e2e, gaps = append(ttft, q.TTFT()), append(e2e, q.E2E()), q.gaps(gaps)
		}
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/><text x="%d" y="18" font-size="13">`, 3*plotWidth, plotHeight+24, plotMargin)
	escapeXML(b, title)
	b.WriteString("</text>\n")
	for i, p := range []struct {
		name  string
		times []time.Duration
	}{{"time to first token, ms", ttft}, {"inter-token, ms", gaps}, {"end to end, ms", e2e}} {
		fmt.Fprintf(b, `<g transform="translate(%d,24)">`+"\n", i*plotWidth)
		distribution(b, p.name, p.times)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("cannot write a plot: %w", err)
	}
	return nil
}

// distribution draws the cumulative distribution of times over a logarithmic axis.
func distribution(b *bufio.Writer, name string, times []time.Duration) {
	const left, right, top, bottom = plotMargin, plotWidth - 16, 8, plotHeight - 40
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+right)/2, plotHeight-8, name)
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	log := func(d time.Duration) float64 { return math.Log10(max(float64(d)/float64(time.Millisecond), 1e-3)) }
	lo, hi := math.Floor(log(times[0])), math.Ceil(log(times[len(times)-1])+1e-9)
	x := func(v float64) float64 { return left + (v-lo)/(hi-lo)*(right-left) }
	y := func(share float64) float64 { return bottom - share*(bottom-top) }
	for v := lo; v <= hi; v++ {
		fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n",
			x(v), top, bottom, x(v), bottom+14, math.Pow(10, v))
	}
	for _, share := range []float64{0, 0.5, 0.9, 0.99, 1} {
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ddd"/>`, left, y(share), right)
		if share != 0.99 { // its label would lie on that of 1
			fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%g</text>`, left-4, y(share)+4, share)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1f`, x(log(times[0])), y(0))
	const most = 500 // points of the line
	for i := 0; i < len(times); i += max(len(times)/most, 1) {
		fmt.Fprintf(b, "L%.1f %.1f", x(log(times[i])), y(float64(i+1)/float64(len(times))))
	}
	fmt.Fprintf(b, `L%.1f %.1f" fill="none" stroke="#06c" stroke-width="1.5"/>`+"\n", x(log(times[len(times)-1])), y(1))
}

func escapeXML(b *bufio.Writer, text string) {
	for _, r := range text {
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
}
