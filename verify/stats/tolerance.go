package stats

import "math"

// DefaultTolerance is the tolerance of each version when the user names none: with m = min(t, 1-t) of its target share t,
//
//	d = min(0.02, max(0.005, m/5), m/2)
//
// in absolute share: 2 points at 50/50 and 90/10, 1 at 95/5, 0.5 at 99/1. The last term keeps the band off 0, so that a
// canary that never got traffic cannot pass. 0 for targets of 0 and 1. Weights sum to more than 0.
func DefaultTolerance(weights []int64) []float64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	d := make([]float64, len(weights))
	for i, w := range weights {
		m := float64(min(w, sum-w)) / float64(sum)
		d[i] = min(0.02, math.Max(0.005, m/5), m/2)
	}
	return d
}
