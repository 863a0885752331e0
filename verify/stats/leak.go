package stats

import "math"

// Leak is the e-process against "the versions of weight 0 together get eps or more": nine parts of (1-eps)^-n, which is
// fastest and dies at the first request without a version, and one part of a mixture that survives some.
type Leak struct {
	rate float64 // -ln(1-eps)
	side Side
}

// NewLeak makes the process for a leak bound 0 < eps < 1.
func NewLeak(eps float64) Leak { return Leak{-math.Log1p(-eps), Below(1, 1, eps, 1-eps)} }

// LogE is ln of the e-value of n requests of which none is known to have leaked and u have no version.
func (l *Leak) LogE(u, n float64) float64 {
	return logAdd(math.Log(0.9)+l.Point(u, n), math.Log(0.1)+l.Mixture(u, n))
}

// Point is ln of the first part by itself: -Inf once a request has no version.
func (l *Leak) Point(u, n float64) float64 {
	if u > 0 {
		return math.Inf(-1)
	}
	return n * l.rate
}

// Mixture is ln of the second part by itself.
func (l *Leak) Mixture(u, n float64) float64 { return l.side.LogE(u, n) }
