package stats

import "math"

const halfLn2Pi = 0.91893853320467274178032973640561763986139747363778 // ln(2π)/2

// stirling is lnΓ(x) minus (x - 1/2) ln x - x + ln(2π)/2, the part that stays small, for x > 0. Differences of lnΓ taken
// through it lose nothing at large counts, where lnΓ itself has only an absolute accuracy of 1e-16 lnΓ (a unit at 1e15).
func stirling(x float64) float64 {
	if x < 16 {
		v, _ := math.Lgamma(x)
		return v - ((x-0.5)*math.Log(x) - x + halfLn2Pi)
	}
	// The asymptotic series, https://dlmf.nist.gov/5.11.E1; at 16 the next term is below 1e-17.
	y := 1 / (x * x)
	return (1.0/12 - y*(1.0/360-y*(1.0/1260-y*(1.0/1680-y*(1.0/1188-y*(691.0/360360-y/156)))))) / x
}

// logBeta is ln B(a, b) for a, b > 0.
func logBeta(a, b float64) float64 { return logBetaGain(a, b, 0, 0, 1, 1) }

// logBetaGain is ln B(A, B) - s ln e - f ln ec, computed as one quantity: the parts are of order n, the result is of order
// n KL(s/n || e). A and B hold s and f already; e + ec = 1 unless s = f = 0.
func logBetaGain(A, B, s, f, e, ec float64) float64 {
	T := A + B
	v := halfLn2Pi + 0.5*math.Log(T/A/B) + stirling(A) + stirling(B) - stirling(T)
	// A ln(A/T) + B ln(B/T) - s ln e - f ln ec. Both logarithms see the same difference, so its rounding cancels.
	diff := A/T - e
	if A > B {
		diff = ec - B/T
	}
	if s > 0 {
		v += s * logRatio(diff/e, A/T/e)
	}
	if f > 0 {
		v += f * logRatio(-diff/ec, B/T/ec)
	}
	return v + (A-s)*math.Log(A/T) + (B-f)*math.Log(B/T)
}

// logRatio is ln r where x = r - 1 is known better than r.
func logRatio(x, r float64) float64 {
	if math.Abs(x) < 0.5 {
		return math.Log1p(x)
	}
	return math.Log(r)
}

// LogBetaInc returns ln of the integral over (0, x) of y^(a-1) (1-y)^(b-1) dy, which at x = 1 is ln B(a, b).
//
// a, b > 0; xc is 1-x, given apart. Special cases: -Inf for x <= 0; ln B(a, b) for xc <= 0; NaN only if the continued
// fraction did not settle, which is an internal error of whoever gets it.
func LogBetaInc(a, b, x, xc float64) float64 {
	switch {
	case x <= 0:
		return math.Inf(-1)
	case xc <= 0:
		return logBeta(a, b)
	case x <= (a+1)/(a+b+2):
		return logBetaHead(a, b, x, xc)
	}
	whole := logBeta(a, b)
	return whole + log1mexp(math.Min(0, logBetaHead(b, a, xc, x)-whole))
}

// logBetaHead is LogBetaInc by its continued fraction, quick for x <= (a+1)/(a+b+2). It needs no gamma function and cannot
// underflow.
func logBetaHead(a, b, x, xc float64) float64 {
	return a*math.Log(x) + b*math.Log(xc) - math.Log(a) - math.Log(betaFraction(a, b, x))
}

// betaFraction is F = 1 + f1/(1 + f2/(1 + …)) with
//
//	f(2m+1) = -(a+m)(a+b+m) x / ((a+2m)(a+2m+1))        f(2m) = m (b-m) x / ((a+2m-1)(a+2m))
//
// so that the incomplete beta integral is x^a (1-x)^b / (a F). Modified Lentz (https://dlmf.nist.gov/3.10#iii): a zero is
// replaced by 1e-300. Near the mean the steps grow like the square root of the larger parameter, 7866 at 1e9; a fraction
// that has not settled at the cap is NaN, never a value. https://dlmf.nist.gov/8.17#v
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	steps := 200 + int(10*math.Sqrt(math.Max(a, b)))
	f, c, d := 1.0, 1.0, 0.0
	for j := 1; j <= steps; j++ {
		m := float64(j / 2)
		var t float64
		if j%2 == 1 {
			t = -(a + m) / (a + 2*m) * ((a + b + m) / (a + 2*m + 1)) * x
		} else {
			t = m / (a + 2*m - 1) * ((b - m) / (a + 2*m)) * x
		}
		if d = 1 + t*d; d == 0 {
			d = tiny
		}
		if c = 1 + t/c; c == 0 {
			c = tiny
		}
		d = 1 / d
		factor := c * d
		f *= factor
		if math.Abs(factor-1) < 1e-15 {
			return f
		}
	}
	return math.NaN()
}
