package verdict

import (
	"fmt"
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// Codes of warnings before the first request.
const (
	CodeSmallBudget   = "small-budget"   // PASS will often not be reached within MaxRequests
	CodeWideTolerance = "wide-tolerance" // the band holds 0: the split is only tested for "answered at all"
)

// Expected is how many requests of evidence PASS needs when shares are exactly on target and every reply has its version:
// on average, and at most in nine of ten runs. 0, 0 for a question that [New] refuses.
//
// The scale is N = ln(2/alpha) / min KL(target || edge), over all edges. The factors on it grow with the number of edges
// that are nearly as close as the closest, from 1.0 and 1.7 to 1.4 and 2.2: fitted to the table of
// docs/operating-characteristics.md, which they meet within a tenth.
func (q Question) Expected() (mean, p90 uint64) {
	q, err := q.withDefaults()
	if err != nil {
		return 0, 0
	}
	m, p, _ := q.expected()
	return ceil(m), ceil(p)
}

func ceil(x float64) uint64 { return uint64(math.Ceil(math.Min(x, 1e15))) }

// expected also gives the smallest budget that is not worth a warning: 2.5 N.
func (q Question) expected() (mean, p90, budget float64) {
	limit := math.Log(1 / q.Alpha)
	var gains []float64 // KL of every edge
	atLeast := func(m, p, b float64) {
		mean, p90, budget = math.Max(mean, m), math.Max(p90, p), math.Max(budget, b)
	}
	leaks := false
	bands := q.bands()
	for i, b := range bands {
		if !b.Judged() {
			leaks = true
			continue
		}
		if b.Lo > 0 {
			if len(bands) > 2 || i == 0 { // of two versions, each side of one is a side of the other
				gains = append(gains, stats.KL(b.T, b.Tc, b.Lo, b.Loc))
			}
		} else {
			atLeast(1/b.T, math.Ln10/b.T, math.Ln10/b.T) // until it answered once
		}
		if b.Hic > 0 {
			if len(bands) > 2 || i == 0 {
				gains = append(gains, stats.KL(b.T, b.Tc, b.Hi, b.Hic))
			}
		} else {
			atLeast(1/b.Tc, math.Ln10/b.Tc, math.Ln10/b.Tc)
		}
	}
	if len(gains) > 0 {
		closest := gains[0]
		for _, g := range gains {
			closest = math.Min(closest, g)
		}
		near := -1.0 // the closest itself does not count
		for _, g := range gains {
			near += math.Exp(-1.7 * (g/closest - 1))
		}
		scale := (limit + math.Ln2) / closest
		atLeast(scale*(1+math.Min(0.37, 0.46*math.Log1p(near))), scale*(1.72+math.Min(0.5, 0.69*math.Log1p(near))), 2.5*scale)
	}
	if leaks {
		leak := stats.NewLeak(q.LeakBound)
		n := leakRequests(&leak, 0, limit)
		atLeast(n, n, n)
	}
	if q.Errors && q.MaxErrorRateSet { // with no failure at all
		side := stats.Below(1, 1, q.MaxErrorRate, 1-q.MaxErrorRate)
		need := 1.0
		for need < 1e12 && side.LogE(0, need) < limit {
			need *= 1.05
		}
		for _, b := range bands {
			if b.T > 0 {
				atLeast(need/b.T, need/b.T, need/b.T)
			}
		}
	}
	minimum := float64(q.MinRequests)
	return math.Max(mean, minimum), math.Max(p90, minimum), math.Max(budget, minimum)
}

// Warnings are things worth saying before the first request: a tolerance as wide as a target, a budget that will often not
// be enough. None for a question that [New] refuses.
func (q Question) Warnings() []Reason {
	q, err := q.withDefaults()
	if err != nil {
		return nil
	}
	var out []Reason
	for i, b := range q.bands() {
		if b.Judged() && b.Lo <= 0 {
			out = append(out, Reason{CodeWideTolerance, fmt.Sprintf(
				"the tolerance of %s (%s) is as wide as its target (%s): it passes once it answered at all",
				q.Names[i], points(b.D), percent(b.T))})
		}
	}
	if mean, p90, budget := q.expected(); float64(q.MaxRequests) < budget {
		often := "may end INCONCLUSIVE"
		if float64(q.MaxRequests) < mean {
			often = "will often end INCONCLUSIVE"
		}
		if float64(q.MaxRequests) < mean/3 {
			often = "will hardly ever be enough"
		}
		out = append(out, Reason{CodeSmallBudget, fmt.Sprintf(
			"%d requests %s: PASS on target takes %.0f on average and %.0f in nine of ten runs; raise --max-requests or --tolerance",
			q.MaxRequests, often, math.Ceil(mean), math.Ceil(p90))})
	}
	return out
}
