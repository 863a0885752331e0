package main

import (
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/hack/pictures/svg"
)

// drawNarrowing shows observed share and interval against the tolerance band.
func drawNarrowing(title string, target, tolerance float64, path []moment) string {
	c := svg.New(title)
	reach := 5 * tolerance // of the vertical axis, each way
	last := path[len(path)-1].requests
	x := func(n float64) float64 { return svg.Left + (svg.Width-svg.Left-svg.Right)*n/last }
	y := func(share float64) float64 {
		v := min(max((share-target)/reach, -1), 1)
		return (svg.Top+svg.Bottom)/2 - v*(svg.Bottom-svg.Top)/2
	}
	c.Rect(svg.Left, y(target+tolerance), svg.Width-svg.Left-svg.Right, y(target-tolerance)-y(target+tolerance), "#dff0d8")
	var upper, lower, line strings.Builder
	for i, m := range path {
		fmt.Fprintf(&upper, "%.1f,%.1f ", x(m.requests), y(m.high))
		fmt.Fprintf(&line, "%.1f,%.1f ", x(m.requests), y(m.share))
		back := path[len(path)-1-i]
		fmt.Fprintf(&lower, "%.1f,%.1f ", x(back.requests), y(back.low))
	}
	fmt.Fprintf(c, `<polygon points="%s%s" fill="#4a7ebb" fill-opacity="0.25"/>`+"\n", &upper, &lower)
	fmt.Fprintf(c, `<polyline points="%s" fill="none" stroke="#1f4e8c" stroke-width="1.5"/>`+"\n", &line)
	for _, share := range []float64{target - reach, target - tolerance, target, target + tolerance, target + reach} {
		c.Text(svg.Left-6, y(share)+4, "end", fmt.Sprintf("%.0f %%", 100*share))
	}
	for i := 1; i <= 4; i++ {
		c.Text(x(last*float64(i)/4), svg.Bottom+18, "end", fmt.Sprintf("%.0f", last*float64(i)/4))
	}
	c.Text((svg.Left+svg.Width-svg.Right)/2, svg.Height-6, "middle", "requests; green: within tolerance, blue: 95 % interval at every moment")
	return c.End()
}

// drawBars shows a few shares side by side, with their numbers.
func drawBars(title string, bars []bar) string {
	c := svg.New(title)
	most := 0.0
	for _, b := range bars {
		most = max(most, b.share)
	}
	for i, b := range bars {
		y := svg.Top + 20 + float64(i)*65
		w := (svg.Width - svg.Left - svg.Right - 120) * b.share / most
		c.Rect(svg.Left, y+8, w, 32, "#4a7ebb")
		c.Text(svg.Left, y+2, "start", b.name)
		c.Text(svg.Left+w+8, y+29, "start", fmt.Sprintf("%.1f %%", 100*b.share))
	}
	return c.End()
}
