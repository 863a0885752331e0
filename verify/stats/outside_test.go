package stats

import (
	"testing"

	"pgregory.net/rapid"
)

// Two versions are computed by one of them; the mean over all four sides must come out the same.
func TestMirroredSidesAreSkippedRightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Int64Range(1, 99).Draw(t, "weight")
		d := rapid.Float64Range(0.001, 0.3).Draw(t, "tolerance")
		counts := []uint64{rapid.Uint64Range(0, 5000).Draw(t, "c0"), rapid.Uint64Range(0, 5000).Draw(t, "c1")}
		u := rapid.Uint64Range(0, 50).Draw(t, "u")
		n := counts[0] + counts[1] + u
		o := NewOutside([]Band{NewBand(w, 100, d), NewBand(100-w, 100, d)})
		if !o.Mirrors() {
			t.Fatal("equal bands are not seen as mirrors")
		}
		var all Sum
		for i, c := range counts {
			if o.above[i].Exists() {
				all.Add(o.above[i].LogE(float64(c), float64(n)))
			}
			if o.below[i].Exists() {
				all.Add(o.below[i].LogE(float64(c+u), float64(n)))
			}
		}
		if got, want := o.LogE(counts, n, u), all.LogMean(); !close(got, want) {
			t.Errorf("%v of %d: got %v, the mean of all sides is %v", counts, n, got, want)
		}
	})
}
