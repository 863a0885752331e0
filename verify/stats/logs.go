package stats

import "math"

// log1mexp is ln(1 - e^z) for z <= 0: near 0 by expm1, else by log1p, so that no digits cancel.
// Mächler, Accurately computing log(1-exp(-|a|)), https://cran.r-project.org/package=Rmpfr, vignette log1mexp-note.
func log1mexp(z float64) float64 {
	if z > -math.Ln2 {
		return math.Log(-math.Expm1(z))
	}
	return math.Log1p(-math.Exp(z))
}

// xlogy is x ln y with 0 ln 0 = 0: a bet that was never placed has won nothing.
func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}

// logAdd is ln(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) || math.IsInf(a, 1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// Sum collects ln of a sum of exponentials without leaving the logarithm. The zero Sum is empty.
type Sum struct {
	n   int     // terms
	max float64 // largest term
	sum float64 // sum of e^(term - max)
}

// Add adds e^v.
func (s *Sum) Add(v float64) {
	s.n++
	switch {
	case s.n == 1, math.IsInf(s.max, -1):
		s.max, s.sum = v, 1
	case math.IsInf(v, -1):
		return
	case v <= s.max:
		if !math.IsInf(s.max, 1) { // e^(Inf-Inf) would be NaN
			s.sum += math.Exp(v - s.max)
		}
	case math.IsInf(v, 1):
		s.max, s.sum = v, 1
	default: // larger than all before, or NaN, which must come through
		s.sum = s.sum*math.Exp(s.max-v) + 1
		s.max = v
	}
}

// Len is the number of terms.
func (s *Sum) Len() int { return s.n }

// Log is ln of the sum; -Inf for none.
func (s *Sum) Log() float64 {
	if s.n == 0 {
		return math.Inf(-1)
	}
	return s.max + math.Log(s.sum)
}

// LogMean is ln of the mean; 0 for no terms: an average over no bets has won nothing.
func (s *Sum) LogMean() float64 {
	if s.n == 0 {
		return 0
	}
	return s.Log() - math.Log(float64(s.n))
}
