package stats_test

import (
	"fmt"
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// How strongly do 30 hits in 100 requests speak against "the share is at least a half", and against "at most 28 %"?
func Example() {
	below, above := stats.Below(1, 1, 0.5, 0.5), stats.Above(1, 1, 0.28, 0.72)
	fmt.Printf("not a half: %.1f, not 28 %%: %.1f, proved at 5 %% from %.1f on\n",
		below.LogE(30, 100), above.LogE(30, 100), math.Log(1/0.05))
	lo, hi := stats.Bernoulli(30, 100, 0.05)
	fmt.Printf("between %.2f and %.2f\n", lo, hi)
	// Output:
	// not a half: 6.8, not 28 %: -2.1, proved at 5 % from 3.0 on
	// between 0.15 and 0.49
}
