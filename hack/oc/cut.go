package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// The table of section 4: what happens to people who count what has completed so far. A closed loop whose second version is
// twenty times slower than the first.

// loop is a simulated closed loop: each connection sends its next request when the reply of the last one is in.
type loop struct {
	labels   dice
	r        *rand.Rand
	inFlight events
	label    []bool // per request in send order: is it the slow version's?
	done     []bool // per request in send order
	resolved int    // length of the resolved prefix

	completed, slowCompleted uint64 // counts of "completed so far"
	slowResolved             uint64 // of the resolved prefix
}

type event struct {
	at      float64
	request int
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newLoop(r *rand.Rand, connections int, slow float64) *loop {
	l := &loop{labels: newDice(1-slow, slow), r: r}
	for range connections {
		l.inFlight = append(l.inFlight, l.send(0))
	}
	heap.Init(&l.inFlight)
	return l
}

// send draws the version and how long its reply takes: exponential, mean 1 ms and 20 ms.
func (l *loop) send(now float64) event {
	slow := l.labels.one(l.r) == 1
	mean := 1.0
	if slow {
		mean = 20
	}
	l.label, l.done = append(l.label, slow), append(l.done, false)
	return event{now + mean*l.r.ExpFloat64(), len(l.label) - 1}
}

// step takes the next reply; again says whether its connection goes on sending.
func (l *loop) step(again bool) {
	ev := l.inFlight[0]
	l.completed++
	if l.label[ev.request] {
		l.slowCompleted++
	}
	l.done[ev.request] = true
	for l.resolved < len(l.done) && l.done[l.resolved] {
		if l.label[l.resolved] {
			l.slowResolved++
		}
		l.resolved++
	}
	if again {
		l.inFlight[0] = l.send(ev.at)
		heap.Fix(&l.inFlight, 0)
	} else {
		heap.Pop(&l.inFlight)
	}
}

var (
	cutAfter       = []uint64{2000, 5000, 20000}
	cutConnections = []int{16, 64, 256}
)

// cutRun is one run of one column.
type cutRun struct {
	atCut     [3]float64 // share of the slow version among completed requests at the cuts
	drained   float64    // after the last cut and its drain
	falseFail [2]bool    // completed, resolved prefix
	falsePass [2]bool
}

// look is a pair of decision rules fed by counts of the slow version; target 10 ± 2 %.
type look struct {
	out    *stats.Outside
	hi, lo stats.Hybrid
	limit  float64
	last   uint64
	sides  [2]bool
}

func newLook() *look {
	b := stats.NewBand(10, 100, 0.02)
	return &look{out: stats.NewOutside([]stats.Band{stats.NewBand(90, 100, 0.02), b}), hi: stats.NewHybrid(b, true),
		lo: stats.NewHybrid(b, false), limit: math.Log(20)}
}

func (l *look) fails(s, n uint64) bool {
	if n < l.last+20 {
		return false
	}
	l.last = n
	return l.out.LogE([]uint64{n - s, s}, n, 0) >= l.limit
}

func (l *look) passes(s, n uint64) bool {
	if n < l.last+20 {
		return false
	}
	l.last = n
	l.sides[0] = l.sides[0] || l.hi.LogE(float64(s), float64(n)) >= l.limit
	l.sides[1] = l.sides[1] || l.lo.LogE(float64(s), float64(n)) >= l.limit
	return l.sides[0] && l.sides[1] && n >= 100
}

func cuts(t *tables) {
	t.text("## Counting what has completed, against the resolved prefix\n\nClosed loop, target 10 ± 2 %%, exponential latencies of mean 1 ms (v1) and 20 ms (v2), " +
		"looks every 20. Left of a slash: counts of completed requests; right of it: counts of the resolved prefix of the send order, as mesh-split counts.")
	columns := []string{""}
	var atCut [3][]string
	var drained, fails, passes []string
	for i, c := range cutConnections {
		columns = append(columns, fmt.Sprintf("%d connections", c))
		failEnd := uint64(5000)
		if c == 256 {
			failEnd = 20000
		}
		onTarget := each(t.sim, fmt.Sprintf("cut 10 %% %d", c), func(r *rand.Rand) (run cutRun) {
			l, rules := newLoop(r, c, 0.1), [2]*look{newLook(), newLook()}
			for l.completed < cutAfter[2] {
				l.step(true)
				if l.completed <= failEnd {
					run.falseFail[0] = run.falseFail[0] || rules[0].fails(l.slowCompleted, l.completed)
					run.falseFail[1] = run.falseFail[1] || rules[1].fails(l.slowResolved, uint64(l.resolved))
				}
				for j, n := range cutAfter {
					if l.completed == n {
						run.atCut[j] = float64(l.slowCompleted) / float64(n)
					}
				}
			}
			for len(l.inFlight) > 0 {
				l.step(false)
			}
			run.drained = float64(l.slowResolved) / float64(l.resolved)
			return run
		})
		onEdge := each(t.sim, fmt.Sprintf("cut 12 %% %d", c), func(r *rand.Rand) (run cutRun) {
			l, rules := newLoop(r, c, 0.12), [2]*look{newLook(), newLook()}
			for l.completed < cutAfter[2] {
				l.step(true)
				run.falsePass[0] = run.falsePass[0] || rules[0].passes(l.slowCompleted, l.completed)
				run.falsePass[1] = run.falsePass[1] || rules[1].passes(l.slowResolved, uint64(l.resolved))
			}
			return run
		})
		mean := func(of func(cutRun) float64) float64 {
			x := make(sample, len(onTarget))
			for i, r := range onTarget {
				x[i] = of(r)
			}
			return x.mean()
		}
		for j := range cutAfter {
			v := mean(func(r cutRun) float64 { return r.atCut[j] })
			ref := [3][3]string{{"9.58", "8.15", "3.60"}, {"9.84", "9.26", "7.02"}, {"9.96", "9.82", "9.25"}}[j][i]
			atCut[j] = append(atCut[j], fmt.Sprintf("%.2f %% (%s)", 100*v, ref))
		}
		drained = append(drained, percent(mean(func(r cutRun) float64 { return r.drained }))+" (10.0)")
		cell := func(completed, prefix float64, name string, refs [3]string) string {
			t.promised(fmt.Sprintf("%s, %d connections, resolved prefix", name, c), prefix, 0.05)
			return fmt.Sprintf("%s / %s (%s)", percent(completed), percent(prefix), refs[i])
		}
		fails = append(fails, cell(share(pick(onTarget, func(r cutRun) bool { return r.falseFail[0] })),
			share(pick(onTarget, func(r cutRun) bool { return r.falseFail[1] })), "false FAIL", [3]string{"30 / 0.1", "99 / 0.1", "100 / 0.1"}))
		passes = append(passes, cell(share(pick(onEdge, func(r cutRun) bool { return r.falsePass[0] })),
			share(pick(onEdge, func(r cutRun) bool { return r.falsePass[1] })), "false PASS", [3]string{"30 / 3.1", "100 / 2.5", "100 / 1.4"}))
	}
	t.head(columns...)
	for j, n := range cutAfter {
		t.row(append([]string{fmt.Sprintf("truth 10 %%: share of v2 at a cut after %d completions", n)}, atCut[j]...)...)
	}
	t.row(append([]string{"the same runs after draining"}, drained...)...)
	t.row(append([]string{"truth 10 %: false FAIL in 5000 (256: 20000)"}, fails...)...)
	t.row(append([]string{"truth 12 %, the band's edge: false PASS in 20000"}, passes...)...)
	t.text("In brackets: the reference.")
}
