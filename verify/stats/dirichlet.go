package stats

import "math"

// Kappas are the prior strengths, in requests, that [Drift] averages over: it costs at most ln 3 and is blind neither to
// large nor to tiny drifts.
var Kappas = [3]float64{2, 100, 10000}

// LogDirichlet returns ln E, the evidence that counts were not drawn from shares, under a Dirichlet prior with parameters
// alpha:
//
//	ln E = lnΓ(κ) − lnΓ(κ+n) + Σ [lnΓ(αᵢ+cᵢ) − lnΓ(αᵢ)] − Σ cᵢ ln tᵢ       c counts, t shares, κ = Σ αᵢ, n = Σ cᵢ
//
// alpha(i) is above 0 where the share is; 0 leaves version i out of the prior. One may look after every request: if shares
// are true, P(ever E ≥ 1/a) ≤ a. Special cases: 0 for no requests; +Inf if some share is 0 and its count is not.
//
// Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022, arXiv:2011.03567.
func LogDirichlet(alpha func(i int) float64, counts []uint64, shares []float64) float64 {
	var n, kappa float64
	for i, c := range counts {
		if c > 0 && shares[i] <= 0 {
			return math.Inf(1)
		}
		n += float64(c)
		kappa += alpha(i)
	}
	if n == 0 {
		return 0
	}
	// lnΓ through stirling: (x - 1/2) ln x - x + … ; the terms x cancel in the sum, the logarithms pair up.
	T := kappa + n
	v := stirling(kappa) - stirling(T) + 0.5*math.Log(T/kappa)
	for i, c := range counts {
		t, a, c := shares[i], alpha(i), float64(c)
		if a <= 0 {
			continue
		}
		A := a + c
		v += stirling(A) - stirling(a) - 0.5*math.Log(A/a) + a*logRatio((A*kappa-a*T)/(a*T), A/a*kappa/T)
		if c > 0 {
			v += c * logRatio((A-T*t)/(T*t), A/T/t)
		}
	}
	return v
}

// Drift is ln of the mean of [LogDirichlet]'s e-values over [Kappas], with the prior centred on the shares: the evidence
// that labels are not drawn from exactly these shares. Informational: it may fire inside a tolerance.
func Drift(counts []uint64, shares []float64) float64 { return DriftWith(counts, shares, Kappas[:]) }

// DriftWith is [Drift] with other prior strengths, fixed before the data.
func DriftWith(counts []uint64, shares []float64, kappas []float64) float64 {
	var sum Sum
	for _, kappa := range kappas {
		sum.Add(LogDirichlet(func(i int) float64 { return kappa * shares[i] }, counts, shares))
	}
	return sum.LogMean()
}
