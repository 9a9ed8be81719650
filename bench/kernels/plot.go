package kernels

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strings"
)

// Sizes of a plot in pixels.
const (
	plotLine, plotLabel, plotWidth = 14, 430, 520
	plotHead                       = 44
)

// WriteSVG draws the share of its floor that each kernel of results reaches, weft's as bars and the peers' as marks. The
// results of a case follow each other.
func WriteSVG(w io.Writer, title string, results []Result) error {
	lines := 0
	for i, r := range results {
		if i == 0 || r.ID() != results[i-1].ID() {
			lines++
		}
	}
	b := bufio.NewWriter(w)
	bottom := plotHead + lines*plotLine
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="10">`+"\n"+
		`<rect width="100%%" height="100%%" fill="white"/><text x="8" y="18" font-size="13">%s</text>`+"\n"+
		`<text x="8" y="36">share of the floor that bytes and operations set: bars weft, marks its peers</text>`+"\n",
		plotLabel+plotWidth+120, bottom+20, html.EscapeString(title))
	for percent := 0; percent <= 100; percent += 25 {
		x := plotLabel + plotWidth*percent/100
		fmt.Fprintf(b, `<path d="M%d %dV%d" stroke="#ddd"/><text x="%d" y="%d" text-anchor="middle">%d %%</text>`+"\n", x, plotHead, bottom, x, bottom+14, percent)
	}
	line := -1
	for i, r := range results {
		if i == 0 || r.ID() != results[i-1].ID() {
			line++
			fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", plotLabel-6, plotHead+line*plotLine+10, html.EscapeString(r.Kernel+" "+r.Name+" "+r.Dims))
		}
		r.draw(b, plotHead+line*plotLine)
	}
	b.WriteString("</svg>\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("cannot write a plot: %w", err)
	}
	return nil
}

// draw puts r in the line at y; variants of weft's are left out.
func (r Result) draw(b *bufio.Writer, y int) {
	length := int(plotWidth * min(1.15, r.Floor/r.US))
	tip := html.EscapeString(fmt.Sprintf("%s: %.3f µs", r.By, r.US))
	switch {
	case r.By == Chosen:
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#06c"><title>%s</title></rect>`+"\n", plotLabel, y+2, length, plotLine-4, tip)
	case !strings.HasPrefix(r.By, Chosen+" "):
		fmt.Fprintf(b, `<path d="M%d %dv%d" stroke="#d40" stroke-width="2"><title>%s</title></path>`+"\n", plotLabel+length, y+1, plotLine-2, tip)
	}
}
