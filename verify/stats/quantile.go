package stats

import "math"

// QuantileRanks returns the counts s that are compatible at level a with "s of n values are at or below the q quantile":
// the quantile then lies in [X(lo), X(hi+1)], order statistics counted from 1, with X(0) = 0 and X(n+1) = +Inf for
// latencies. 0 < q < 1, n > 0, 0 < a < 1.
//
// P(the interval ever misses) <= a, for independent and identically distributed values only; latencies in one run rarely
// are, and whoever prints the interval says so. Howard and Ramdas, Sequential estimation of quantiles with applications to
// A/B testing and best-arm identification, Bernoulli 2022, arXiv:1906.09712.
func QuantileRanks(n uint64, q, a float64) (lo, hi uint64) {
	return QuantileRanksWith(n, q, a, PriorWeight(Tuning, a))
}

// QuantileRanksWith is [QuantileRanks] with a prior of weight g, fixed before the data.
func QuantileRanksWith(n uint64, q, a, g float64) (lo, hi uint64) {
	limit := math.Log(1 / a)
	keep := func(s uint64) bool { return logMixture(float64(s), float64(n), q, g) < limit }
	middle := min(n, uint64(math.Round(q*float64(n))))
	return rankEdge(middle, 0, keep), rankEdge(middle, n, keep)
}

// rankEdge is the last rank that keep accepts on the way from inside to outside.
func rankEdge(inside, outside uint64, keep func(uint64) bool) uint64 {
	if keep(outside) {
		return outside
	}
	for {
		mid := inside/2 + outside/2 + (inside%2+outside%2)/2
		if mid == inside || mid == outside {
			return inside
		}
		if keep(mid) {
			inside = mid
		} else {
			outside = mid
		}
	}
}
