package stats

import "math"

// Hybrid is one of the two e-processes that PASS collects for a version: that its share is below the band's upper edge, or
// above its lower edge. It is the mean of a point bet on the target, fastest when the share is on target, and of a mixture
// over the whole side, which still decides off target (51 % for 50 ± 2: mean 20 000 requests instead of 70 000).
type Hybrid struct {
	win, loss float64 // ln of what the point bet multiplies by at a hit and at a miss
	mixture   Side
}

// NewHybrid makes the upper or lower process of a band with 0 < target < 1. The mixture is centred on the target with the
// strength kappa of [MixtureStrength].
func NewHybrid(b Band, upper bool) Hybrid {
	kappa := MixtureStrength(b)
	if upper {
		return Hybrid{math.Log(b.T / b.Hi), math.Log(b.Tc / b.Hic), Below(kappa*b.T, kappa*b.Tc, b.Hi, b.Hic)}
	}
	return Hybrid{math.Log(b.T / b.Lo), math.Log(b.Tc / b.Loc), Above(kappa*b.T, kappa*b.Tc, b.Lo, b.Loc)}
}

// MixtureStrength is kappa, the weight of the mixture's prior in requests: its standard deviation is half the tolerance,
// and it is never below 2.
func MixtureStrength(b Band) float64 { return math.Max(2, b.T*b.Tc/(b.D/2*b.D/2)-1) }

// LogE is ln of the e-value of s hits in n requests. With unattributed requests, s counts them for the upper process and
// leaves them out for the lower one: the process falls in the first case with every hit and rises in the second, so that
// the value is at most the one with the true hidden versions. +Inf when the edge made what was seen impossible.
func (h *Hybrid) LogE(s, n float64) float64 {
	return logAdd(h.Point(s, n), h.Mixture(s, n)) - math.Ln2
}

// Point is ln of the point bet alone.
func (h *Hybrid) Point(s, n float64) float64 {
	v := 0.0
	if s > 0 {
		v += s * h.win
	}
	if n > s {
		v += (n - s) * h.loss
	}
	return v
}

// Mixture is ln of the mixture alone.
func (h *Hybrid) Mixture(s, n float64) float64 { return h.mixture.LogE(s, n) }
