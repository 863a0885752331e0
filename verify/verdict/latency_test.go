package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Of 300 runs with three quantiles each, hardly one may miss a true quantile: the level is 5 % for all looks together.
func TestQuantilesHoldTheTruth(t *testing.T) {
	r, missed := rand.New(rand.NewPCG(5, 5)), 0
	for range 300 {
		n := 200 + r.Uint64N(3000)
		counts := map[time.Duration]uint64{} // buckets of 5 ms
		for range n {
			counts[time.Duration(1+int(r.Float64()*1000)/5)*5*time.Millisecond]++ // uniform on 0 to 1 s
		}
		buckets := func(f func(time.Duration, uint64)) {
			var edges []time.Duration
			for e := range counts {
				edges = append(edges, e)
			}
			slices.Sort(edges)
			for _, e := range edges {
				f(e, counts[e])
			}
		}
		qs := []float64{0.5, 0.9, 0.99}
		for i, iv := range Quantiles(n, buckets, qs, 2, 0.05) {
			truth := time.Duration(qs[i] * float64(time.Second))
			if truth < iv.Lo || iv.Bounded && truth > iv.Hi {
				missed++
			}
			if qs[i] == 0.5 && (!iv.Bounded || iv.Hi-iv.Lo > 400*time.Millisecond) {
				t.Errorf("median of %d latencies: between %v and %v", n, iv.Lo, iv.Hi)
			}
		}
	}
	if missed > 15 {
		t.Errorf("%d of 900 intervals miss the true quantile", missed)
	}
	if iv := Quantiles(0, nil, []float64{0.5}, 1, 0.05); iv[0].Bounded || Slower(iv[0], iv[0]) {
		t.Errorf("no latencies: got %+v", iv)
	}
	if !Slower(QuantileInterval{Lo: 30}, QuantileInterval{Hi: 20, Bounded: true}) || Slower(QuantileInterval{Lo: 30}, QuantileInterval{Hi: 20}) {
		t.Error("slower is: the lower end above the other's upper end, which there must be")
	}
}
