package verdict

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// of makes evidence from counts and unattributed requests.
func of(u uint64, counts ...uint64) *Evidence {
	e := &Evidence{Requests: u, Unattributed: u, Counts: counts, Failures: make([]uint64, len(counts))}
	for _, c := range counts {
		e.Requests += c
	}
	return e
}

func procedure(t testing.TB, q Question) *Procedure {
	t.Helper()
	p, err := New(q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecide(t *testing.T) {
	two, names := []int64{70, 30}, []string{"v1", "v2"}
	failing := func(e *Evidence, failures ...uint64) *Evidence { e.Failures = failures; return e }
	for _, tc := range []struct {
		name     string
		q        Question
		e        *Evidence
		verdict  Verdict
		code     string
		exit     fault.Code
		says     string // part of the deciding message
		latched  int
		openSide int
	}{
		{"on target", Question{Weights: two}, of(0, 7000, 3000), Pass, CodeWithinTolerance, fault.Done, "every version gets its target ± 2 points (confidence 95 %)", 4, 0},
		{"on target, errors asked", Question{Weights: two, Errors: true}, failing(of(0, 7000, 3000), 70, 30), Pass, CodeWithinTolerance, fault.Done, "no sign that one fails more than the other", 4, 0},
		{"a stale weight", Question{Weights: two}, of(0, 8000, 2000), Fail, CodeOutsideTolerance, fault.Fail, "v2 got 20 %, not 30 ± 2 % (confidence 95 %)", 2, 2},
		{"a version nobody named", Question{Weights: two}, &Evidence{Requests: 1000, Counts: []uint64{700, 299}, Foreign: 1}, Fail, CodeZeroWeight, fault.Fail, "1 of 1000 replies came from versions that the target does not name", 0, 4},
		{"only versions nobody named: a mistake in naming", Question{Weights: two}, &Evidence{Requests: 1000, Counts: []uint64{0, 0}, Foreign: 1000}, Inconclusive, CodeIdentify, fault.Failed, "names differ", 2, 2},
		{"a weight of 0 is a version of the target: FAIL, not a mistake in naming", Question{Weights: []int64{100, 0}}, of(0, 0, 500), Fail, CodeZeroWeight, fault.Fail, "v2 answered 500 of 500 requests; its weight is 0", 0, 1},
		{"no request at all", Question{Weights: two}, of(0, 0, 0), Inconclusive, CodeNoEvidence, fault.Failed, "nothing was measured", 0, 4},
		{"not one version", Question{Weights: two}, of(500, 0, 0), Inconclusive, CodeUnattributed, fault.Inconclusive, "not one of 500 requests", 0, 4},
		{"none may be lost, one is", Question{Weights: two, MaxUnattributed: None}, of(1, 7000, 3000), Inconclusive, CodeUnattributed, fault.Inconclusive, "1 of 10001 requests brought back no version, more than the 0 % allowed", 4, 0},
		{"v2 answers 500 to everyone", Question{Weights: two, Errors: true}, failing(of(0, 7000, 3000), 0, 3000), Fail, CodeErrors, fault.Fail, "v2 fails more than the others: 3000 of its 3000 requests", 4, 0},
		{"everyone gets 500: no version fails more, all fail too much", Question{Weights: two, Errors: true}, failing(of(0, 7000, 3000), 7000, 3000), Fail, CodeErrors, fault.Fail, "v1 fails more than 5 %", 4, 0},
		{"errors not asked for", Question{Weights: two}, failing(of(0, 7000, 3000), 7000, 3000), Pass, CodeWithinTolerance, fault.Done, "", 4, 0},
		{"v1 fails more, but only v2 was raised and both stay under the bound", Question{Weights: two, Errors: true, Raised: []bool{false, true}}, failing(of(0, 7000, 3000), 200, 0), Pass, CodeWithinTolerance, fault.Done, "", 4, 0},
		{"a bound on errors must be shown", Question{Weights: two, Errors: true, MaxErrorRate: 0.01, MaxErrorRateSet: true}, failing(of(0, 7000, 3000), 60, 25), Inconclusive, CodeBudget, fault.Inconclusive, "v2 fails less than 1 %", 4, 2},
		{"a bound on errors is shown", Question{Weights: two, Errors: true, MaxErrorRate: 0.01, MaxErrorRateSet: true}, failing(of(0, 70000, 30000), 60, 25), Pass, CodeWithinTolerance, fault.Done, "every version fails less than 1 %", 4, 0},
		{"too short", Question{Weights: two}, of(0, 700, 300), Inconclusive, CodeBudget, fault.Inconclusive, "more are wanted; certified within", 0, 4},
		{"on the edge: no number of requests will show it", Question{Weights: two}, of(0, 7200, 2800), Inconclusive, CodeBudget, fault.Inconclusive, "more would not at the share seen", 2, 2},
		{"counts that contradict each other", Question{Weights: two}, &Evidence{Requests: 5, Counts: []uint64{4, 4}}, Inconclusive, CodeInternal, fault.Failed, "contradict", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.q.Names = names
			p := procedure(t, tc.q)
			d := p.Decide(tc.e, nil)
			if d.Verdict != tc.verdict || d.Reasons[0].Code != tc.code || d.Exit != tc.exit {
				t.Errorf("got %v %v exit %d, want %v %s exit %d", d.Verdict, d.Reasons, d.Exit, tc.verdict, tc.code, tc.exit)
			}
			if !strings.Contains(d.Reasons[0].Message, tc.says) {
				t.Errorf("message %q does not say %q", d.Reasons[0].Message, tc.says)
			}
			if len(d.Latched) != tc.latched || len(d.Open) != tc.openSide {
				t.Errorf("shown %v, open %+v; want %d and %d of them", d.Latched, d.Open, tc.latched, tc.openSide)
			}
			check(t, &d, tc.e, 2)
		})
	}
}

func TestSlowVersion(t *testing.T) {
	e := of(0, 7000, 3000)
	e.Slow = []uint64{10, 900}
	if d := procedure(t, Question{Weights: []int64{70, 30}}).Decide(e, nil); d.Verdict != Pass {
		t.Errorf("latency not asked for: got %v %v", d.Verdict, d.Reasons)
	}
	p := procedure(t, Question{Weights: []int64{70, 30}, Latency: true, Names: []string{"v1", "v2"}})
	if stop := p.Look(e); stop != StopFail {
		t.Errorf("look: got %v, want %v", stop, StopFail)
	}
	if d := p.Decide(e, nil); d.Verdict != Fail || d.Reasons[0].Code != CodeLatency || !strings.HasPrefix(d.Reasons[0].Message, "v2 is slow") {
		t.Errorf("got %v %v", d.Verdict, d.Reasons)
	}
}

// A connection on another gateway withholds PASS and is named; a leaked hit names its connection for certain.
func TestConnections(t *testing.T) {
	row := func(a, b uint64) Evidence { return *of(0, a, b) }
	q := Question{Weights: []int64{50, 50}}
	good := []Evidence{row(1080, 1085), row(1085, 1080), row(0, 0), row(1100, 1070), row(1030, 1070)}
	d := procedure(t, q).Decide(of(0, 4295, 4305), good)
	if d.Verdict != Pass || d.Connections.Total != 4 || len(d.Connections.Differ) > 0 {
		t.Errorf("all alike: got %v, %+v", d.Reasons, d.Connections)
	}
	bad := append(slices.Clone(good), row(70, 0))
	d = procedure(t, q).Decide(of(0, 4365, 4305), bad)
	if d.Reasons[0].Code != CodeHeterogeneous || !slices.Equal(d.Connections.Differ, []int{5}) || !strings.HasPrefix(d.Reasons[0].Message, "1 of 5 connections") {
		t.Errorf("one stale: got %v, %+v", d.Reasons, d.Connections)
	}
	d = procedure(t, Question{Weights: []int64{100, 0}}).Decide(of(0, 299, 1), []Evidence{row(200, 0), row(99, 1)})
	if d.Verdict != Fail || !slices.Equal(d.Connections.Differ, []int{1}) {
		t.Errorf("one leaks: got %v, %+v", d.Reasons, d.Connections)
	}
	check(t, &d, of(0, 299, 1), 2)
}

// Renaming versions renames the answer and nothing else.
func TestVersionsMayTradePlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 5).Draw(t, "k")
		q := Question{Weights: rapid.SliceOfN(rapid.Int64Range(0, 100), k, k).Draw(t, "weights"), Errors: true, MaxErrorRateSet: true}
		q.Weights[0]++
		counts := rapid.SliceOfN(rapid.Uint64Range(0, 5000), k, k).Draw(t, "counts")
		failures := make([]uint64, k)
		for i, c := range counts {
			failures[i] = rapid.Uint64Range(0, c).Draw(t, "failures")
		}
		u := rapid.Uint64Range(0, 30).Draw(t, "u")
		order := rapid.Permutation([]int{0, 1, 2, 3, 4}[:k]).Draw(t, "order")

		e := of(u, counts...)
		e.Failures = failures
		other, moved := Question{Weights: make([]int64, k), Errors: true, MaxErrorRateSet: true}, of(u, make([]uint64, k)...)
		moved.Requests = e.Requests
		for i, j := range order {
			other.Weights[j], moved.Counts[j], moved.Failures[j] = q.Weights[i], counts[i], failures[i]
		}
		a, b := mustNew(t, q), mustNew(t, other)
		if x, y := a.Look(e), b.Look(moved); x != y {
			t.Fatalf("looks: %v and %v", x, y)
		}
		d, m := a.Decide(e, nil), b.Decide(moved, nil)
		if d.Verdict != m.Verdict || d.Reasons[0].Code != m.Reasons[0].Code || len(d.Latched) != len(m.Latched) {
			t.Errorf("%v %v %v became %v %v %v", d.Verdict, d.Reasons, d.Latched, m.Verdict, m.Reasons, m.Latched)
		}
		for i, j := range order {
			for side := range 2 {
				if math.Abs(d.Intervals[i][side]-m.Intervals[j][side]) > 1e-9 {
					t.Errorf("interval %v became %v", d.Intervals[i], m.Intervals[j])
				}
			}
			if math.Abs(d.ErrorRateUpper[i]-m.ErrorRateUpper[j]) > 1e-9 {
				t.Errorf("error rate bound %v became %v", d.ErrorRateUpper[i], m.ErrorRateUpper[j])
			}
		}
	})
}

func mustNew(t *rapid.T, q Question) *Procedure {
	p, err := New(q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Hiding versions never helps PASS nor FAIL: unattributed requests are the adversary's.
func TestHiddenVersionsNeverHelp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Question{Weights: []int64{rapid.Int64Range(1, 99).Draw(t, "w"), 100}, MaxUnattributed: 0.9}
		c := []uint64{rapid.Uint64Range(10, 3000).Draw(t, "c0"), rapid.Uint64Range(10, 3000).Draw(t, "c1")}
		hide := []uint64{rapid.Uint64Range(0, 10).Draw(t, "hidden of 0"), rapid.Uint64Range(0, 10).Draw(t, "hidden of 1")}
		full, part := mustNew(t, q), mustNew(t, q)
		full.Look(of(0, c...))
		part.Look(of(hide[0]+hide[1], c[0]-hide[0], c[1]-hide[1]))
		if part.failed && !full.failed {
			t.Error("FAIL only because versions were hidden")
		}
		for i := range part.sides {
			if part.sides[i].latched && !full.sides[i].latched {
				t.Errorf("%+v shown only because versions were hidden", part.sides[i])
			}
		}
	})
}

func TestLookAllocatesNothing(t *testing.T) {
	for _, weights := range [][]int64{{100}, {50, 50}, {70, 30, 0}, {8, 1, 1, 1, 1, 1, 1, 1}} {
		p := procedure(t, Question{Weights: weights, Errors: true, MaxErrorRateSet: true, Latency: true})
		e := onTarget(weights, 3000)
		e.Slow = make([]uint64, len(weights))
		if n := testing.AllocsPerRun(100, func() { p.Look(e) }); n != 0 {
			t.Errorf("weights %v: %v allocations a look, want none", weights, n)
		}
	}
}

// Counts at 2^53 are counts like others: no NaN, and the right answer.
func TestHugeCounts(t *testing.T) {
	const n = 1 << 53
	for _, tc := range []struct {
		e    *Evidence
		want Verdict
	}{
		{of(0, n/2, n/2), Pass},
		{of(0, n/2+n/100, n/2-n/100), Pass},
		{of(0, n/2+n/10, n/2-n/10), Fail},
		{of(n, 0, 0), Inconclusive},
		{of(0, n, 0), Fail},
	} {
		d := procedure(t, Question{Weights: []int64{1, 1}, Errors: true}).Decide(tc.e, []Evidence{*tc.e})
		if d.Verdict != tc.want {
			t.Errorf("%v: got %v %v, want %v", tc.e.Counts, d.Verdict, d.Reasons, tc.want)
		}
		check(t, &d, tc.e, 2)
	}
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	many := make([]int64, 33)
	for i := range many {
		many[i] = 1
	}
	ok := []int64{1, 1}
	for _, tc := range []struct {
		q    Question
		says string
	}{
		{Question{}, "0 versions; 1 to 32 are allowed"},
		{Question{Weights: many}, "33 versions"},
		{Question{Weights: []int64{0, 0}}, "sum to 0"},
		{Question{Weights: []int64{-1, 2}}, "weight -1"},
		{Question{Weights: ok, Alpha: 0.5}, "alpha 0.5"},
		{Question{Weights: ok, Alpha: math.NaN()}, "alpha NaN"},
		{Question{Weights: ok, Tolerance: []float64{0.02}}, "1 tolerances for 2 versions"},
		{Question{Weights: ok, Tolerance: []float64{-0.02, 0.02}}, "tolerance -0.02"},
		{Question{Weights: ok, Tolerance: []float64{math.NaN(), 1}}, "tolerance 1 is"},
		{Question{Weights: ok, LeakBound: 1}, "leak bound"},
		{Question{Weights: ok, MaxUnattributed: 1}, "unattributed"},
		{Question{Weights: ok, MaxErrorRate: 2}, "error rate 2"},
	} {
		_, err := New(tc.q)
		var e *fault.Error
		if err == nil || !strings.Contains(err.Error(), tc.says) || !errors.As(err, &e) || e.Exit != fault.Usage {
			t.Errorf("%+v: got %v, want a usage error that says %q", tc.q, err, tc.says)
		}
	}
}

func TestExpected(t *testing.T) {
	// Section 18's second table: mean and p90, simulated by its authors. A tenth is close enough for a plan.
	for _, tc := range []struct {
		q         Question
		mean, p90 float64
	}{
		{Question{Weights: []int64{50, 50}}, 6075, 10120},
		{Question{Weights: []int64{50, 50}, Alpha: 0.01}, 8791, 13560},
		{Question{Weights: []int64{70, 30}}, 5138, 8600},
		{Question{Weights: []int64{90, 10}}, 2245, 3740},
		{Question{Weights: []int64{95, 5}}, 4683, 7800},
		{Question{Weights: []int64{99, 1}}, 3943, 6720},
		{Question{Weights: []int64{80, 15, 5}}, 5411, 8720},
		{Question{Weights: []int64{100, 0}}, 3066, 3066},
		{Question{Weights: []int64{100}, Alpha: 0.01}, 4685, 4685},
	} {
		mean, p90 := tc.q.Expected()
		if math.Abs(float64(mean)/tc.mean-1) > 0.1 || math.Abs(float64(p90)/tc.p90-1) > 0.1 {
			t.Errorf("%v alpha %v: got %d and %d, want about %v and %v", tc.q.Weights, tc.q.Alpha, mean, p90, tc.mean, tc.p90)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, tc := range []struct {
		q    Question
		want []string
	}{
		{Question{Weights: []int64{50, 50}}, nil},
		{Question{Weights: []int64{50, 50}, MaxRequests: 11519}, nil}, // 2.5 N
		{Question{Weights: []int64{50, 50}, MaxRequests: 11518}, []string{CodeSmallBudget}},
		{Question{Weights: []int64{999, 1}}, []string{CodeSmallBudget}},
		{Question{Weights: []int64{99, 1}, Tolerance: []float64{0.02, 0.02}}, []string{CodeWideTolerance}},
		{Question{Weights: []int64{100, 0}}, nil},
		{Question{Weights: []int64{100, 0}, MaxRequests: 3000}, []string{CodeSmallBudget}},
	} {
		var got []string
		for _, w := range tc.q.Warnings() {
			got = append(got, w.Code)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%+v: %s", tc.q, diff)
		}
	}
}
