package stats

import "math"

// Side is an e-process against a one-sided hypothesis about a probability: "it is at least e" ([Below]) or "it is at most e"
// ([Above]). The alternatives are the Beta(a, b) distribution cut to the other side of e. The zero Side does not exist.
//
//	below(s, n) = LB_e(a+s, b+n-s) - LB_e(a, b) - s ln e - (n-s) ln(1-e)        above(s, n; a, b, e) = below(n-s, n; b, a, 1-e)
//
// where LB is [LogBetaInc], s the hits among n trials. A bet on q < e multiplies by q/e at a hit and by (1-q)/(1-e) else;
// its mean, linear and falling in the true probability, is 1 at e, so it and every mixture is a supermartingale on the
// whole hypothesis.
type Side struct {
	a, b, e, ec float64 // of the "below" form
	prior       float64 // LB_e(a, b)
	above       bool    // hits and misses change places
}

// Below makes the evidence against "probability >= e"; ec = 1-e. For e = 0 the Side does not exist: nothing is below 0.
func Below(a, b, e, ec float64) Side { return Side{a, b, e, ec, LogBetaInc(a, b, e, ec), false} }

// Above makes the evidence against "probability <= e"; ec = 1-e. For e = 1 the Side does not exist.
func Above(a, b, e, ec float64) Side {
	s := Below(b, a, ec, e)
	s.above = true
	return s
}

// Exists says whether there is another side of e at all.
func (d *Side) Exists() bool { return d.e > 0 }

// LogE is ln of the e-value of s hits in n trials, 0 <= s <= n. Special cases: 0 for n = 0; +Inf when the hypothesis made
// what was seen impossible (e = 1 and a miss); NaN only as in [LogBetaInc], or for a Side that does not exist.
func (d *Side) LogE(s, n float64) float64 {
	if !d.Exists() {
		return math.NaN()
	}
	if n == 0 {
		return 0
	}
	if d.above {
		s = n - s
	}
	f := n - s
	if d.ec <= 0 {
		if f > 0 {
			return math.Inf(1)
		}
		return logBeta(d.a+n, d.b) - d.prior
	}
	A, B := d.a+s, d.b+f
	// What LB_e would share with s ln e + f ln ec is cancelled on paper, not in floating point.
	if d.e <= (A+1)/(A+B+2) {
		return d.a*math.Log(d.e) + d.b*math.Log(d.ec) - math.Log(A) - math.Log(betaFraction(A, B, d.e)) - d.prior
	}
	whole := logBetaGain(A, B, s, f, d.e, d.ec)
	tail := d.a*math.Log(d.e) + d.b*math.Log(d.ec) - math.Log(B) - math.Log(betaFraction(B, A, d.ec))
	return whole + log1mexp(math.Min(0, tail-whole)) - d.prior
}
