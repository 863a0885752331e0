package main

import (
	"fmt"
	"slices"

	"github.com/mesh-split/mesh-split/hack/pictures/svg"
)

// plot draws what decides: processor time per request of each client over HTTP/1.1 at 64 connections, with its quartiles.
func plot(r *Results) string {
	const connections, name, number = 64, 70.0, 90.0
	title := "processor time of the client per request, HTTP/1.1, 64 connections; median and quartiles"
	c := svg.New(title)
	type bar struct {
		client         string
		low, mid, high float64
	}
	var bars []bar
	most := 0.0
	for _, client := range sortedKeys(r.Versions) {
		cpus := r.values(client, "http", connections, func(s *Sample) float64 { return s.CPU })
		if len(cpus) == 0 {
			continue
		}
		bars = append(bars, bar{client, quantile(cpus, 0.25), quantile(cpus, 0.5), quantile(cpus, 0.75)})
		most = max(most, bars[len(bars)-1].high)
	}
	slices.SortFunc(bars, func(a, b bar) int {
		if a.mid < b.mid {
			return -1
		}
		return 1
	})
	step := (svg.Height - svg.Top - 10) / float64(max(len(bars), 1))
	x := func(µs float64) float64 {
		return svg.Left + name + (svg.Width-svg.Left-name-number-svg.Right)*µs/most
	}
	for i, bar := range bars {
		y := svg.Top + float64(i)*step
		fill := map[string]string{"epoll": "#1f4e8c", "portable": "#4a7ebb", "floor": "#bbb"}[bar.client]
		if fill == "" {
			fill = "#e0a040"
		}
		c.Rect(x(0), y, x(bar.mid)-x(0), step*0.7, fill)
		c.Rect(x(bar.low), y+step*0.33, max(x(bar.high)-x(bar.low), 1), step*0.04+0.6, "#333")
		c.Text(x(0)-8, y+step*0.5, "end", bar.client)
		c.Text(x(max(bar.mid, bar.high))+8, y+step*0.5, "start", fmt.Sprintf("%.2f µs", bar.mid))
	}
	return c.End()
}
