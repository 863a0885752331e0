package main

import (
	"testing"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// Section 18's column "fixed n": exact, so it must agree to the unit.
func TestFixedN(t *testing.T) {
	for _, tc := range []struct {
		weight int64
		d      float64
		alpha  float64
		want   uint64
	}{
		{50, 0.02, 0.05, 6819}, {50, 0.02, 0.01, 9911}, {30, 0.02, 0.05, 5756}, {10, 0.02, 0.05, 2501}, {5, 0.01, 0.05, 5278}, {1, 0.005, 0.05, 4584},
	} {
		if got := fixedN(stats.NewBand(tc.weight, 100, tc.d), tc.alpha, 0.9); got != tc.want {
			t.Errorf("%d %% ± %v, alpha %v: got %d, want %d", tc.weight, tc.d, tc.alpha, got, tc.want)
		}
	}
}
