package main

import "math"

// startErrors compares arrivals (ns) with an even schedule of the rate: quantiles of the distance to it, in seconds, and the
// rate achieved. Where the schedule begins is not known from outside, so it is laid through the arrivals' median.
func startErrors(arrivals []int64, rate float64) (p50, p99, achieved float64) {
	if len(arrivals) < 2 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	off := make([]float64, len(arrivals))
	for i, at := range arrivals {
		off[i] = float64(at)/1e9 - float64(i)/rate
	}
	begin := quantile(off, 0.5)
	for i := range off {
		off[i] = math.Abs(off[i] - begin)
	}
	span := float64(arrivals[len(arrivals)-1]-arrivals[0]) / 1e9
	return quantile(off, 0.5), quantile(off, 0.99), float64(len(arrivals)-1) / span
}
