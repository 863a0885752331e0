package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// close says whether got is want to about nine digits: the tolerance of this package's tests.
func close(got, want float64) bool {
	return got == want || math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want))
}

func TestSideKeepsItsDigits(t *testing.T) {
	// mpmath 1.3.0, 60 digits, 2F1 summed as a series of positive terms.
	for _, tc := range []struct {
		s, n, a, b, e, want float64
	}{
		{500, 1000, 1, 1, 0.52, -1.8826236152175799},
		{52000, 1e5, 1, 1, 0.52, -5.5705655631093227},
		{499e6, 1e9, 1, 1, 0.5, 1990.5586369494441},
		{500.02e6, 1e9, 1, 1, 0.5, -10.916190637596293},
		{5e8, 1e9, 1250.5, 1249.5, 0.5, -6.4338484660777214},
		// Counts at 2^53, where lnΓ itself is known to about 30: the difference must still be right.
		{1 << 52, 1 << 53, 1, 1, 0.52, 7211530167601.1854},
		{0, 1 << 53, 1, 1, 0.001, 9011705858991.8878},
		{1 << 53, 1 << 53, 1, 1, 0.5, -36.736800569677102},
		{900719925474099, 1 << 53, 1, 1, 0.1001, 500103634.24520058},
	} {
		side := Below(tc.a, tc.b, tc.e, 1-tc.e)
		if got := side.LogE(tc.s, tc.n); !close(got, tc.want) {
			t.Errorf("below(%v, %v, %v, %v, %v): got %v, want %v", tc.s, tc.n, tc.a, tc.b, tc.e, got, tc.want)
		}
		mirror := Above(tc.b, tc.a, 1-tc.e, tc.e)
		if got := mirror.LogE(tc.n-tc.s, tc.n); !close(got, tc.want) {
			t.Errorf("above, mirrored (%v, %v): got %v, want %v", tc.s, tc.n, got, tc.want)
		}
	}
}

// expectation is the exact mean of e^logE over a binomial count of n trials with probability p: at most 1 for an e-value
// whose null holds.
func expectation(n int, p float64, logE func(s float64) float64) float64 {
	var sum Sum
	whole, _ := math.Lgamma(float64(n) + 1)
	for s := range n + 1 {
		x, _ := math.Lgamma(float64(s) + 1)
		y, _ := math.Lgamma(float64(n-s) + 1)
		if w := whole - x - y + xlogy(float64(s), p) + xlogy(float64(n-s), 1-p); !math.IsInf(w, -1) {
			sum.Add(w + logE(float64(s)))
		}
	}
	return math.Exp(sum.Log())
}

// Exact, not simulated: at the edge the mean e-value is 1, further inside the null it is smaller.
func TestSidesAreEValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		e := rapid.Float64Range(0.001, 0.999).Draw(t, "e")
		a := rapid.Float64Range(0.1, 500).Draw(t, "a")
		b := rapid.Float64Range(0.1, 500).Draw(t, "b")
		further := e + (1-e)*rapid.Float64Range(0, 1).Draw(t, "further")
		below, above := Below(a, b, e, 1-e), Above(a, b, e, 1-e)
		for name, v := range map[string]float64{
			"below": expectation(n, e, func(s float64) float64 { return below.LogE(s, float64(n)) }),
			"above": expectation(n, e, func(s float64) float64 { return above.LogE(s, float64(n)) }),
		} {
			if math.Abs(v-1) > 1e-8 {
				t.Errorf("%s: mean e-value at the edge: got %v, want 1", name, v)
			}
		}
		if v := expectation(n, further, func(s float64) float64 { return below.LogE(s, float64(n)) }); v > 1+1e-8 {
			t.Errorf("below: mean e-value at %v, inside the null: got %v, want at most 1", further, v)
		}
	})
}

func TestHybridsAreEValuesAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(2, 1000).Draw(t, "total")
		w := rapid.Int64Range(1, total-1).Draw(t, "weight")
		d := rapid.Float64Range(0.001, 0.3).Draw(t, "tolerance")
		n := rapid.IntRange(1, 200).Draw(t, "n")
		band := NewBand(w, total, d)
		hi, lo := NewHybrid(band, true), NewHybrid(band, false)
		if v := expectation(n, band.Hi, func(s float64) float64 { return hi.LogE(s, float64(n)) }); band.Hic > 0 && math.Abs(v-1) > 1e-7 {
			t.Errorf("upper, at the edge %v: mean e-value %v, want 1", band.Hi, v)
		}
		if v := expectation(n, band.Lo, func(s float64) float64 { return lo.LogE(s, float64(n)) }); band.Lo > 0 && math.Abs(v-1) > 1e-7 {
			t.Errorf("lower, at the edge %v: mean e-value %v, want 1", band.Lo, v)
		}
		for s := range n { // section 9 leans on this: a hidden hit can only have been worse
			x, y := float64(s), float64(s+1)
			if hi.LogE(y, float64(n)) > hi.LogE(x, float64(n))+1e-9 {
				t.Errorf("upper rises from %d hits to %d of %d", s, s+1, n)
			}
			if lo.LogE(y, float64(n)) < lo.LogE(x, float64(n))-1e-9 {
				t.Errorf("lower falls from %d hits to %d of %d", s, s+1, n)
			}
		}
	})
}

func TestOutsideIsAnEValueInTheBand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(2, 1000).Draw(t, "total")
		w := rapid.Int64Range(1, total-1).Draw(t, "weight")
		d := rapid.Float64Range(0.001, 0.3).Draw(t, "tolerance")
		n := rapid.IntRange(1, 200).Draw(t, "n")
		bands := []Band{NewBand(w, total, d), NewBand(total-w, total, d)}
		at := bands[0].Lo + (bands[0].Hi-bands[0].Lo)*rapid.Float64Range(0, 1).Draw(t, "place in the band")
		out := NewOutside(bands)
		v := expectation(n, at, func(s float64) float64 {
			return out.LogE([]uint64{uint64(s), uint64(n) - uint64(s)}, uint64(n), 0)
		})
		if v > 1+1e-7 {
			t.Errorf("share %v in [%v, %v]: mean e-value %v, want at most 1", at, bands[0].Lo, bands[0].Hi, v)
		}
	})
}

func TestLeakIsAnEValue(t *testing.T) {
	for _, n := range []int{1, 10, 1000} {
		leak := NewLeak(0.01)
		// Of leaked requests, those that show themselves end the run by FAIL; here all hide. The point part is 0 then.
		v := expectation(n, 0.01, func(s float64) float64 { return leak.LogE(s, float64(n)) })
		if math.Abs(v-1) > 1e-8 {
			t.Errorf("n = %d: mean e-value at the bound: got %v, want 1", n, v)
		}
	}
	// Section 8: requests without a hit until the bound is shown, at alpha 0.05 and 0.01.
	for _, tc := range []struct {
		eps, alpha float64
		n          float64
	}{
		{0.01, 0.05, 306}, {0.01, 0.01, 467}, {0.001, 0.05, 3066}, {0.001, 0.01, 4685}, {0.0001, 0.05, 30670}, {0.0001, 0.01, 46871},
	} {
		leak, limit := NewLeak(tc.eps), math.Log(1/tc.alpha)
		if leak.LogE(0, tc.n-1) >= limit || leak.LogE(0, tc.n) < limit {
			t.Errorf("eps %v, alpha %v: not shown at just %v requests", tc.eps, tc.alpha, tc.n)
		}
	}
}
