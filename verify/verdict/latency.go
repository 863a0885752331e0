package verdict

import (
	"time"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// QuantileInterval is where a quantile of one version's latencies lies.
type QuantileInterval struct {
	Lo, Hi  time.Duration
	Bounded bool // false: no upper end, too few latencies for this quantile
}

// Quantiles gives the intervals of several quantiles of one of k versions, from a histogram of n latencies: buckets calls
// its argument for each bucket that is not empty, from the shortest, with the longest duration of the bucket and its count.
// Ends are rounded outwards to the edges of buckets.
//
// P(some quantile of some version ever lies outside) <= alpha, but only for latencies that are independent and identically
// distributed, which in one run they rarely are. Whoever prints them says so, and nothing is judged by them.
func Quantiles(n uint64, buckets func(func(upTo time.Duration, count uint64)), quantiles []float64, k int, alpha float64) []QuantileInterval {
	out := make([]QuantileInterval, len(quantiles))
	if n == 0 {
		return out
	}
	type ranks struct{ lo, hi uint64 }
	want := make([]ranks, len(quantiles))
	for i, q := range quantiles {
		lo, hi := stats.QuantileRanks(n, q, alpha/float64(k*len(quantiles)))
		want[i] = ranks{lo, hi + 1}
	}
	var counted uint64
	var below time.Duration // end of the bucket before: everything in this one is longer
	buckets(func(upTo time.Duration, count uint64) {
		first := counted + 1
		counted += count
		for i, w := range want {
			if w.lo >= first && w.lo <= counted {
				out[i].Lo = below
			}
			if w.hi >= first && w.hi <= counted {
				out[i].Hi, out[i].Bounded = upTo, true
			}
		}
		below = upTo
	})
	return out
}

// Slower says whether a's quantile is shown to be higher than b's.
func Slower(a, b QuantileInterval) bool { return b.Bounded && a.Lo > b.Hi }
