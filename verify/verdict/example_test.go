package verdict_test

import (
	"fmt"

	"github.com/mesh-split/mesh-split/verify/verdict"
)

func Example() {
	p, err := verdict.New(verdict.Question{Weights: []int64{70, 30}, Names: []string{"v1", "v2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// While requests are sent: looks at the resolved prefix.
	e := verdict.Evidence{Requests: 400, Counts: []uint64{320, 80}}
	fmt.Printf("stop: %v\n", p.Look(&e))
	// After the drain: one decision.
	e = verdict.Evidence{Requests: 416, Counts: []uint64{333, 83}}
	d := p.Decide(&e, nil)
	fmt.Println(d.Verdict, d.Reasons[0].Message)
	fmt.Printf("v2 gets %.1f to %.1f %%\n", 100*d.Intervals[1][0], 100*d.Intervals[1][1])
	// Output:
	// stop: fail
	// FAIL v2 got 20 %, not 30 ± 2 % (confidence 95 %)
	// v2 gets 13.7 to 27.4 %
}
