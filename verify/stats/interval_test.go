package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// For two versions the interval excludes the target just when drift is proved.
func TestMultinomialAgreesWithDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Float64Range(0.01, 0.99).Draw(t, "share")
		n := rapid.Uint64Range(1, 5000).Draw(t, "n")
		c := rapid.Uint64Range(0, n).Draw(t, "c")
		shares, counts := []float64{share, 1 - share}, []uint64{c, n - c}
		var iv [2][2]float64
		Multinomial(iv[:], counts, shares, 0.05)
		drift := Drift(counts, shares) - math.Log(20)
		if math.Abs(drift) < 1e-6 {
			t.Skip("on the edge")
		}
		if out := share < iv[0][0] || share > iv[0][1]; out != (drift > 0) {
			t.Errorf("interval %v of share %v, ln E - L = %v", iv[0], share, drift)
		}
	})
}

func TestIntervalsHoldTheShareSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(t, "k")
		counts, shares := make([]uint64, k), make([]float64, k)
		var n, sum float64
		for i := range counts {
			counts[i] = rapid.Uint64Range(0, 1<<40).Draw(t, "count")
			shares[i] = rapid.Float64Range(0.01, 1).Draw(t, "share")
			n += float64(counts[i])
			sum += shares[i]
		}
		for i := range shares {
			shares[i] /= sum
		}
		iv := make([][2]float64, k)
		Multinomial(iv, counts, shares, 0.05)
		for i, c := range counts {
			seen := float64(c) / math.Max(n, 1)
			if !(iv[i][0] >= 0 && iv[i][0] <= seen+1e-12 && seen <= iv[i][1]+1e-12 && iv[i][1] <= 1) {
				t.Errorf("multinomial interval %v of %d in %v", iv[i], c, n)
			}
			lo, hi := Bernoulli(c, uint64(n), 0.05)
			if n > 0 && !(lo >= 0 && lo <= seen+1e-12 && seen <= hi+1e-12 && hi <= 1) {
				t.Errorf("bernoulli interval [%v, %v] of %d in %v", lo, hi, c, n)
			}
		}
	})
}

func TestRateUpper(t *testing.T) {
	// The bound is where the evidence against "p or more" is just 1/a; nothing less may be named.
	for _, tc := range []struct{ s, n uint64 }{{0, 100}, {3, 100}, {10, 5000}, {5000, 1e6}} {
		p := RateUpper(tc.s, tc.n, 0.05)
		at := func(p float64) float64 {
			side := Below(1, 1, p, 1-p)
			return side.LogE(float64(tc.s), float64(tc.n))
		}
		if at(p) < math.Log(20)-1e-6 || at(p-1e-6) > math.Log(20) {
			t.Errorf("%d of %d: bound %v is not where 1/a is reached (ln E %v)", tc.s, tc.n, p, at(p))
		}
	}
	if RateUpper(0, 0, 0.05) != 1 || RateUpper(7, 7, 0.05) != 1 {
		t.Error("nothing known or nothing but failures: want 1")
	}
}

func TestSum(t *testing.T) {
	inf := math.Inf(1)
	for _, tc := range []struct {
		terms []float64
		want  float64
	}{
		{nil, -inf},
		{[]float64{-inf, -inf}, -inf},
		{[]float64{-inf, 2}, 2},
		{[]float64{-1000, -1000}, -1000 + math.Ln2},
		{[]float64{1000, 0, 1000}, 1000 + math.Ln2},
		{[]float64{3, inf, -inf, inf, 5}, inf},
	} {
		var s Sum
		for _, v := range tc.terms {
			s.Add(v)
		}
		if got := s.Log(); !close(got, tc.want) {
			t.Errorf("ln of the sum of e^%v: got %v, want %v", tc.terms, got, tc.want)
		}
	}
	var s Sum
	s.Add(math.NaN())
	s.Add(1)
	if !math.IsNaN(s.Log()) {
		t.Errorf("a term that is no number was lost: got %v", s.Log())
	}
}
