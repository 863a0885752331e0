package main

import (
	"fmt"
	"strings"
)

// A picture is 720 × 300, with room for the axes; it is readable on light and dark pages because it brings its own ground.
const (
	width, height           = 720.0, 300.0
	left, right, top, floor = 60.0, 20.0, 40.0, 260.0
)

type canvas struct{ strings.Builder }

func newCanvas(title string) *canvas {
	c := &canvas{}
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" fill="#333">`+"\n", width, height)
	fmt.Fprintf(c, `<title>%s</title><rect width="100%%" height="100%%" fill="#fff"/>`+"\n", title)
	c.text(left, 22, "start", title)
	return c
}

func (c *canvas) text(x, y float64, anchor, s string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, s)
}

func (c *canvas) rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(c, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, w, h, fill)
}

func (c *canvas) end() string {
	c.WriteString("</svg>\n")
	return c.String()
}

// drawNarrowing shows observed share and interval against the tolerance band.
func drawNarrowing(title string, target, tolerance float64, path []moment) string {
	c := newCanvas(title)
	reach := 5 * tolerance // of the vertical axis, each way
	last := path[len(path)-1].requests
	x := func(n float64) float64 { return left + (width-left-right)*n/last }
	y := func(share float64) float64 {
		v := min(max((share-target)/reach, -1), 1)
		return (top+floor)/2 - v*(floor-top)/2
	}
	c.rect(left, y(target+tolerance), width-left-right, y(target-tolerance)-y(target+tolerance), "#dff0d8")
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
		c.text(left-6, y(share)+4, "end", fmt.Sprintf("%.0f %%", 100*share))
	}
	for i := 1; i <= 4; i++ {
		c.text(x(last*float64(i)/4), floor+18, "end", fmt.Sprintf("%.0f", last*float64(i)/4))
	}
	c.text((left+width-right)/2, height-6, "middle", "requests; green: within tolerance, blue: 95 % interval at every moment")
	return c.end()
}

// drawBars shows a few shares side by side, with their numbers.
func drawBars(title string, bars []bar) string {
	c := newCanvas(title)
	most := 0.0
	for _, b := range bars {
		most = max(most, b.share)
	}
	for i, b := range bars {
		y := top + 20 + float64(i)*65
		w := (width - left - right - 120) * b.share / most
		c.rect(left, y+8, w, 32, "#4a7ebb")
		c.text(left, y+2, "start", b.name)
		c.text(left+w+8, y+29, "start", fmt.Sprintf("%.1f %%", 100*b.share))
	}
	return c.end()
}
