// Package classic holds the fixed-sample methods that mesh-split is compared with and does not use: they are right for one
// look at a sample size fixed before, and wrong for everyone who looks twice.
//
// It takes counts and gives bounds and p-values; the table of operating characteristics and the vectors program use it.
// The one subtle point is the reason it is not in verify/stats: nothing here survives peeking.
package classic

import (
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// LogIncBeta is ln I_x(a, b), the regularised incomplete beta function; xc = 1-x.
func LogIncBeta(a, b, x, xc float64) float64 {
	if xc <= 0 {
		return 0
	}
	return math.Min(0, stats.LogBetaInc(a, b, x, xc)-stats.LogBetaInc(a, b, 1, 0))
}

// LogTail is ln P(X >= s) for a binomial X of n trials with probability p; pc = 1-p.
func LogTail(s, n uint64, p, pc float64) float64 {
	switch {
	case s == 0:
		return 0
	case p <= 0 || s > n:
		return math.Inf(-1)
	}
	return LogIncBeta(float64(s), float64(n-s)+1, p, pc)
}

// LogHead is ln P(X <= s) for a binomial X of n trials with probability p; pc = 1-p.
func LogHead(s, n uint64, p, pc float64) float64 {
	if s >= n {
		return 0
	}
	return LogTail(n-s, n, pc, p)
}

// ClopperPearson is the exact two-sided interval of level alpha for the probability behind s hits in n trials, n > 0.
func ClopperPearson(s, n uint64, alpha float64) (lo, hi float64) {
	limit := math.Log(alpha / 2)
	lo, hi = 0, 1
	if s > 0 {
		lo = bisect(0, float64(s)/float64(n), func(p float64) bool { return LogTail(s, n, p, 1-p) < limit })
	}
	if s < n {
		hi = bisect(1, float64(s)/float64(n), func(p float64) bool { return LogHead(s, n, p, 1-p) < limit })
	}
	return lo, hi
}

// bisect finds where reject, true at out, turns false on the way to in.
func bisect(out, in float64, reject func(float64) bool) float64 {
	for range 100 {
		if mid := out + (in-out)/2; reject(mid) {
			out = mid
		} else {
			in = mid
		}
	}
	return in
}

// TOST is the exact pair of one-sided tests for equivalence to t within d: ln P(X >= s | t-d) and ln P(X <= s | t+d). The
// share is shown to be inside when both are at most ln alpha.
func TOST(s, n uint64, b stats.Band) (lnLo, lnHi float64) {
	lnLo, lnHi = math.Inf(-1), math.Inf(-1)
	if b.Lo > 0 || s == 0 {
		lnLo = LogTail(s, n, b.Lo, b.Loc)
	}
	if b.Hic > 0 || s == n {
		lnHi = LogHead(s, n, b.Hi, b.Hic)
	}
	return lnLo, lnHi
}
