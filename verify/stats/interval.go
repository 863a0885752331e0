package stats

import "math"

// Tuning is the number of requests at which the Bernoulli confidence sequences are narrowest; moving it trades width early
// against width late, never coverage.
const Tuning = 1000

// Bernoulli returns the confidence sequence of a probability after s hits in n trials at level a: P(it ever, at any n,
// misses a constant true probability) <= a. 0 <= s <= n, 0 < a < 1; [0, 1] for n = 0.
//
// It keeps p while a Beta mixture centred at p has not won 1/a against p. Howard, Ramdas, McAuliffe, Sekhon, Time-uniform,
// nonparametric, nonasymptotic confidence sequences, Annals of Statistics 2021, arXiv:1810.08240; like confseq's
// bernoulli_confidence_interval.
func Bernoulli(s, n uint64, a float64) (lo, hi float64) {
	return BernoulliWith(s, n, a, PriorWeight(Tuning, a))
}

// PriorWeight is g, the weight of the mixture's prior in requests, that makes [BernoulliWith] narrowest after t requests at
// level a; never below 0.001.
func PriorWeight(t, a float64) float64 {
	l := 2 * math.Log(1/a)
	return math.Max(t/(l+math.Log1p(l))-1, 0.001)
}

// logMixture is ln M(p): the evidence of s hits in n trials against the probability p, 0 < p < 1.
func logMixture(s, n, p, g float64) float64 {
	a, b := g*p, g*(1-p)
	return logBetaGain(a+s, b+n-s, s, n-s, p, 1-p) - logBeta(a, b)
}

// BernoulliWith is [Bernoulli] with a prior of weight g, fixed before the data.
func BernoulliWith(hits, trials uint64, a, g float64) (lo, hi float64) {
	s, n := float64(hits), float64(trials)
	if n == 0 {
		return 0, 1
	}
	limit := math.Log(1 / a)
	keep := func(p float64) bool { return logMixture(s, n, p, g) < limit }
	lo, hi = 0, 1
	if s > 0 {
		lo = edge(s/n, 0, keep)
	}
	if s < n {
		hi = edge(s/n, 1, keep)
	}
	return lo, hi
}

// edge finds where keep, true at inside, turns false on the way to outside (0 or 1), which is returned when it never does.
func edge(inside, outside float64, keep func(float64) bool) float64 {
	end := outside
	for range 100 {
		mid := inside + (outside-inside)/2
		if mid == inside || mid == outside {
			break
		}
		if keep(mid) {
			inside = mid
		} else {
			outside = mid
		}
	}
	if math.Abs(inside-end) < 1e-15 {
		return end
	}
	return outside // the wider of the two: a bound may be loose in the last digit, not tight
}

// Multinomial writes into intervals the joint confidence sequence of the shares behind counts: P(some version's interval
// ever misses its constant true share) <= a. It is the projection of { shares : Drift's e-value < 1/a } on each version,
// so for two versions it excludes the target just when [Drift] reaches ln(1/a).
//
// Every request must be attributed; counts of shares of 0 must be 0 (use [Bernoulli] otherwise). Interval i is not touched
// where shares[i] is 0.
func Multinomial(intervals [][2]float64, counts []uint64, shares []float64, a float64) {
	MultinomialWith(intervals, counts, shares, a, Kappas[:])
}

// MultinomialWith is [Multinomial] with other prior strengths, fixed before the data.
func MultinomialWith(intervals [][2]float64, counts []uint64, shares []float64, a float64, kappas []float64) {
	var n float64
	for i, c := range counts {
		if shares[i] > 0 {
			n += float64(c)
		}
	}
	if n == 0 {
		for i, t := range shares {
			if t > 0 {
				intervals[i] = [2]float64{0, 1}
			}
		}
		return
	}
	// M + ln a of the text, less the largest possible log-likelihood sum c ln(c/n): both sides are then of order ln n.
	bound := DriftWith(counts, shares, kappas) + math.Log(a)
	for i, c := range counts {
		if c > 0 && shares[i] > 0 {
			bound += float64(c) * math.Log(shares[i]/(float64(c)/n))
		}
	}
	for i, t := range shares {
		if t <= 0 {
			continue
		}
		hit := float64(counts[i])
		miss := n - hit
		keep := func(x float64) bool { return xlogy(hit, x/(hit/n))+xlogy(miss, (1-x)/(miss/n)) >= bound }
		lo, hi := 0.0, 1.0
		if hit > 0 {
			lo = edge(hit/n, 0, keep)
		}
		if miss > 0 {
			hi = edge(hit/n, 1, keep)
		}
		intervals[i] = [2]float64{lo, hi}
	}
}

// NoHitUpper is the upper end of the share of something never seen in n requests, anytime-valid at level a: 1 - a^(1/n).
// It holds jointly for all things never seen, for it bounds their total. 1 for n = 0.
func NoHitUpper(n uint64, a float64) float64 {
	if n == 0 {
		return 1
	}
	return -math.Expm1(math.Log(a) / float64(n))
}

// RateUpper is an upper confidence bound, at level a and at any time, of a probability after s hits in n trials: the
// smallest p > s/n against which [Below] with uniform alternatives has won 1/a. 1 for n = 0.
func RateUpper(s, n uint64, a float64) float64 {
	if n == 0 || s >= n {
		return 1
	}
	limit := math.Log(1 / a)
	return edge(float64(s)/float64(n), 1, func(p float64) bool {
		side := Below(1, 1, p, 1-p)
		return side.LogE(float64(s), float64(n)) < limit
	})
}
