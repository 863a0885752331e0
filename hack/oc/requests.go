package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mesh-split/mesh-split/hack/oc/classic"
	"github.com/mesh-split/mesh-split/verify/stats"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// end is how one simulated run of the product's procedure ended.
type end struct {
	stop     verdict.Stop
	requests float64
}

// schedule says how long to wait for the next look after n requests.
type schedule func(n uint64) uint64

func every20(n uint64) uint64 {
	if n == 0 {
		return 100
	}
	return 20
}

func everyThenTen(n uint64) uint64 {
	if n < 500 {
		return 1
	}
	return 10
}

// play runs the procedure on labels drawn with probabilities p, the last of them "no version came back", until it stops or
// budget requests are out. A budget that runs out counts as StopBudget.
func play(t *tables, cell string, q verdict.Question, p []float64, next schedule, budget uint64) []end {
	d, k := newDice(p...), len(q.Weights)
	return each(t.sim, cell, func(r *rand.Rand) end {
		proc, err := verdict.New(q)
		if err != nil {
			panic(err) // a question of this program's own
		}
		drawn := make([]uint64, len(p))
		e := verdict.Evidence{Counts: drawn[:k]}
		for e.Requests < budget {
			step := next(e.Requests)
			d.add(r, drawn, step)
			e.Requests += step
			e.Unattributed = drawn[k]
			if stop := proc.Look(&e); stop != verdict.StopNone {
				return end{stop, float64(e.Requests)}
			}
		}
		return end{verdict.StopBudget, float64(e.Requests)}
	})
}

// of picks the requests of the runs that ended in stop.
func of(ends []end, stop verdict.Stop) sample {
	var x sample
	for _, e := range ends {
		if e.stop == stop {
			x = append(x, e.requests)
		}
	}
	return x
}

func fraction(ends []end, stop verdict.Stop) float64 {
	return float64(len(of(ends, stop))) / float64(len(ends))
}

// onTarget are the probabilities of the target, none of them hidden.
func onTarget(weights []int64) []float64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	p := make([]float64, len(weights)+1)
	for i, w := range weights {
		p[i] = float64(w) / float64(sum)
	}
	return p
}

func requestsToPass(t *tables) {
	t.text("## Requests to PASS on target\n\nA look every 20 requests from 100 on. Fixed n: exact two one-sided tests with 90 %% power, one look. Naive: stop when the " +
		"normal 95 %% (99 %%) margin is at most the tolerance; it certifies nothing. Expected: what `plan` says before the run.")
	t.head("case", "alpha", "fixed n", "naive", "mean / p50 / p90 / p99", "reference", "wrong FAIL", "expected mean / p90")
	for _, c := range []struct {
		name      string
		weights   []int64
		d, alpha  float64 // d: tolerance of the two-version cases, for the fixed n
		mean      float64
		reference string
	}{
		{"50/50 ± 2", []int64{50, 50}, 0.02, 0.05, 6075, "6075 / 5140 / 10120 / 17160"},
		{"50/50 ± 2", []int64{50, 50}, 0.02, 0.01, 8791, "8791 / 7740 / 13560 / 21980"},
		{"70/30 ± 2", []int64{70, 30}, 0.02, 0.05, 5138, "5138 / 4360 / 8600 / 14300"},
		{"90/10 ± 2", []int64{90, 10}, 0.02, 0.05, 2245, "2245 / 1900 / 3740 / 6440"},
		{"95/5 ± 1", []int64{95, 5}, 0.01, 0.05, 4683, "4683 / 3960 / 7800 / 13740"},
		{"99/1 ± 0.5", []int64{99, 1}, 0.005, 0.05, 3943, "3943 / 3240 / 6720 / 12140"},
		{"80/15/5 ± 2, 2, 1", []int64{80, 15, 5}, 0, 0.05, 5411, "5411 / 4760 / 8720 / 13900"},
	} {
		q := verdict.Question{Weights: c.weights, Alpha: c.alpha}
		cell := fmt.Sprintf("pass %s %v", c.name, c.alpha)
		ends := play(t, cell, q, onTarget(c.weights), every20, 1e6)
		x := of(ends, verdict.StopPass)
		fixed, naive := "-", "-"
		if c.d > 0 {
			b := stats.NewBand(c.weights[1], c.weights[0]+c.weights[1], c.d)
			fixed, naive = whole(float64(fixedN(b, c.alpha, 0.9))), whole(naiveN(b, c.alpha))
		}
		mean, p90 := q.Expected()
		wrong := fraction(ends, verdict.StopFail)
		t.row(c.name, fmt.Sprint(c.alpha), fixed, naive, four(x), c.reference, percent(wrong), fmt.Sprintf("%d / %d", mean, p90))
		t.below(cell, x, c.mean)
		t.promised(cell+", wrong FAIL", wrong, c.alpha)
	}
}

func four(x sample) string {
	return whole(x.mean()) + " / " + whole(x.quantile(0.5)) + " / " + whole(x.quantile(0.9)) + " / " + whole(x.quantile(0.99))
}

// naiveN is where the normal margin of level alpha falls to the tolerance: z² t (1-t) / d².
func naiveN(b stats.Band, alpha float64) float64 {
	z := math.Sqrt2 * math.Erfinv(1-alpha)
	return math.Ceil(z*z*b.T*b.Tc/(b.D*b.D) - 1e-9)
}

// fixedN is the smallest n at which, and at the 15 after it, the exact two one-sided tests for the band succeed with at
// least this power on target. Power is a saw-tooth of n: the first n that reaches it is luck.
func fixedN(b stats.Band, alpha, power float64) uint64 {
	n, good := uint64(naiveN(b, 0.05)), uint64(0)
	for ; good < 16; n++ {
		if good++; powerOf(b, alpha, n) < power {
			good = 0
		}
	}
	return n - good
}

// powerOf is the exact probability that both one-sided tests reject on target at n.
func powerOf(b stats.Band, alpha float64, n uint64) float64 {
	limit := math.Log(alpha)
	middle := uint64(b.T * float64(n))
	inside := func(s uint64) bool {
		lo, hi := classic.TOST(s, n, b)
		return math.Max(lo, hi) <= limit
	}
	if !inside(middle) {
		return 0
	}
	low, high := boundary(middle, 0, inside), boundary(middle, n, inside)
	return math.Exp(classic.LogHead(high, n, b.T, b.Tc)) - math.Exp(classic.LogHead(low-1, n, b.T, b.Tc))
}

// boundary is the last count that inside accepts on the way from in to out.
func boundary(in, out uint64, inside func(uint64) bool) uint64 {
	for {
		mid := (in + out) / 2
		if out > in {
			mid = (in + out + 1) / 2
		}
		if mid == in || mid == out {
			return in
		}
		if inside(mid) {
			in = mid
		} else {
			out = mid
		}
	}
}

func offTarget(t *tables) {
	t.text("## Requests to PASS off target, and with replies that have no version\n\n50/50 ± 2, alpha 0.05, a look every 20 requests from 100 on.")
	t.head("case", "mean / p90", "reference")
	for _, c := range []struct {
		name      string
		p         []float64
		mean      float64
		reference string
	}{
		{"truth 50.5 %", []float64{0.505, 0.495, 0}, 8308, "8308 / 16740"},
		{"truth 51 %", []float64{0.51, 0.49, 0}, 19893, "19893 / 45560"},
		{"0.1 % without a version", []float64{0.4995, 0.4995, 0.001}, 6464, "6464 / 10840"},
		{"0.5 % without a version", []float64{0.4975, 0.4975, 0.005}, 8272, "8272 / 14420"},
	} {
		x := of(play(t, "off "+c.name, verdict.Question{Weights: []int64{1, 1}}, c.p, every20, 1e6), verdict.StopPass)
		t.row(c.name, whole(x.mean())+" / "+whole(x.quantile(0.9)), c.reference)
		t.below(c.name, x, c.mean)
	}
}

func requestsToFail(t *tables) {
	t.text("## Requests to FAIL\n\nDefault tolerances, alpha 0.05, a look at every request up to 500, then every 10.")
	t.head("target", "truth", "mean / p90", "reference", "wrong PASS")
	for _, c := range []struct {
		weights   []int64
		target    string
		truth     float64 // of the first version
		mean      float64
		reference string
	}{
		{[]int64{50, 50}, "50 ± 2", 0.9, 13, "13 / 23"},
		{[]int64{50, 50}, "50 ± 2", 0.6, 389, "389 / 780"},
		{[]int64{50, 50}, "50 ± 2", 0.55, 3298, "3298 / 6280"},
		{[]int64{70, 30}, "70 ± 2", 0.5, 68, "68 / 135"},
		{[]int64{70, 30}, "70 ± 2", 0.75, 2388, "2388 / 4640"},
		{[]int64{10, 90}, "10 ± 2", 0.5, 11, "11 / 22"},
		{[]int64{10, 90}, "10 ± 2", 0, 65, "65"},
		{[]int64{1, 99}, "1 ± 0.5", 0, 1080, "1080"},
		{[]int64{1, 99}, "1 ± 0.5", 0.02, 11399, "11399 / 19890"},
	} {
		cell := fmt.Sprintf("fail %s at %v", c.target, c.truth)
		ends := play(t, cell, verdict.Question{Weights: c.weights}, []float64{c.truth, 1 - c.truth, 0}, everyThenTen, 1e6)
		x, wrong := of(ends, verdict.StopFail), fraction(ends, verdict.StopPass)
		t.row(c.target, percent(c.truth), whole(x.mean())+" / "+whole(x.quantile(0.9)), c.reference, percent(wrong))
		t.below(cell, x, c.mean+0.5) // the references are rounded to whole requests
		t.promised(cell+", wrong PASS", wrong, verdict.DefaultAlpha)
	}
}
