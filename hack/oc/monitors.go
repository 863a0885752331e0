package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/mesh-split/mesh-split/verify/stats"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// monitors measures what works beside the split's verdict: the change point of a connection, connections that differ, the
// error alarm, and the watch after a PASS.
func monitors(t *tables) {
	changes(t)
	connections(t)
	alarms(t)
	watches(t)
}

// located is one run of a change detector.
type located struct {
	early, covered bool
	delay, missed  float64 // requests after the change until it is proved; distance of the estimate from the truth
}

func changes(t *tables) {
	const before = 1500
	t.text("## When did a connection change?\n\nShares change after %d requests of the connection; threshold 1e6, window 4000, level 0.05.", before)
	t.head("second version", "proved after, mean / p99", "estimate off by, p50 / p90", "set holds the truth", "proved too early", "reference")
	for _, c := range []struct {
		old, new  float64
		reference string
	}{
		{0.1, 0.5, "23 / 55, 2 / 8, 99.9 %"}, {0.1, 0.2, "209 / 516, 19 / 95, 99.9 %"},
		{0.1, 0, "100 / 110, 6 / 22, 99.9 %"}, {0, 0.1, "10 / 43, 6 / 21, 100 %"},
	} {
		cell := fmt.Sprintf("change %s to %s", percent(c.old), percent(c.new))
		ends := each(t.sim, cell, func(r *rand.Rand) located {
			d := stats.NewChange([]float64{1 - c.old, c.old}, []float64{1 - c.new, c.new}, stats.ChangeThreshold, 0)
			old, new := newDice(1-c.old, c.old), newDice(1-c.new, c.new)
			for i := 0; ; i++ {
				dice := new
				if i < before {
					dice = old
				}
				if d.Observe(dice.one(r), int64(i)) {
					return located{i < before, slices.Contains(d.Set(0.05), before), float64(i + 1 - before), math.Abs(float64(d.Tau() - before))}
				}
			}
		})
		var delay, missed sample
		for _, e := range ends {
			if !e.early {
				delay, missed = append(delay, e.delay), append(missed, e.missed)
			}
		}
		missing := share(pick(ends, func(e located) bool { return !e.covered }))
		early := share(pick(ends, func(e located) bool { return e.early }))
		t.row(percent(c.old)+" to "+percent(c.new), whole(delay.mean())+" / "+whole(delay.quantile(0.99)),
			whole(missed.quantile(0.5))+" / "+whole(missed.quantile(0.9)), percent(1-missing), percent(early), c.reference)
		t.promised(cell+", set misses the truth", missing, 0.05)
	}
}

// apart is what one run says about its connections.
type apart struct {
	noticed bool
	named   float64 // fraction of the stale ones that are named
	wrong   float64 // fraction of the names that are wrong
}

func connections(t *tables) {
	const all, stale, requests = 64, 8, 40
	run := func(cell string, bad int) []apart {
		return each(t.sim, cell, func(r *rand.Rand) (a apart) {
			p, err := verdict.New(verdict.Question{Weights: []int64{1, 1}})
			if err != nil {
				panic(err)
			}
			good, old := newDice(0.5, 0.5), newDice(0.1, 0.9)
			rows := make([]verdict.Evidence, all)
			total := verdict.Evidence{Counts: make([]uint64, 2)}
			for j := range rows {
				d := good
				if j < bad {
					d = old
				}
				counts := make([]uint64, 2)
				d.add(r, counts, requests)
				rows[j] = verdict.Evidence{Requests: requests, Counts: counts}
				total.Requests += requests
				total.Counts[0] += counts[0]
				total.Counts[1] += counts[1]
			}
			c := p.Decide(&total, rows).Connections
			a.noticed = c.LnE >= math.Log(20)
			for _, j := range c.Differ {
				if j < bad {
					a.named += 1 / math.Max(1, float64(bad))
				} else {
					a.wrong += 1 / float64(len(c.Differ))
				}
			}
			return a
		})
	}
	mean := func(ends []apart, of func(apart) float64) float64 {
		sum := 0.0
		for _, e := range ends {
			sum += of(e)
		}
		return sum / float64(len(ends))
	}
	t.text("## Do connections differ?\n\n%d connections of %d requests, target 50 %%; some hang on a gateway that still draws 10 %%.", all, requests)
	t.head("stale connections", "noticed", "of the stale ones, named", "of the names, wrong", "reference")
	bad, good := run("connections, 8 stale", stale), run("connections, none stale", 0)
	for _, c := range []struct {
		name, reference string
		ends            []apart
	}{{"8", "always, 96 %", bad}, {"none", "at most 5 %", good}} {
		named := percent(mean(c.ends, func(a apart) float64 { return a.named }))
		if c.name == "none" {
			named = "-"
		}
		t.row(c.name, percent(share(pick(c.ends, func(a apart) bool { return a.noticed }))), named,
			percent(mean(c.ends, func(a apart) float64 { return a.wrong })), c.reference)
	}
	t.promised("connections, none stale, noticed", share(pick(good, func(a apart) bool { return a.noticed })), 0.05)
	t.promised("connections, wrong names", mean(bad, func(a apart) float64 { return a.wrong }), 0.05)
}

func alarms(t *tables) {
	t.text("## How soon does a failing version raise the alarm?\n\nTwo versions, alpha 0.05; requests until the label test says that the second one fails more.")
	t.head("share of the second", "errors of first / second", "mean / p90", "reference")
	for _, c := range []struct {
		share, d      float64
		first, second float64
		mean          float64
		reference     string
	}{
		{0.1, 0.02, 0.01, 0.03, 6810, "6810 / 13800"}, {0.1, 0.02, 0.001, 0.01, 5410, "5410 / 10700"}, {0.5, 0.02, 0.01, 0.02, 6830, "6830 / 13500"},
	} {
		cell := fmt.Sprintf("alarm %v %v %v", c.share, c.first, c.second)
		fails := (1-c.share)*c.first + c.share*c.second
		ends := each(t.sim, cell, func(r *rand.Rand) float64 {
			b := stats.BandOf(c.share, c.d)
			side, limit := stats.Above(1, 1, b.Hi, b.Hic), math.Log(2/0.05)
			mine := newDice(1-c.share*c.second/fails, c.share*c.second/fails)
			n, s := 0.0, 0.0
			for m := 1.0; ; m++ {
				n += 1 + math.Floor(math.Log1p(-r.Float64())/math.Log1p(-fails)) // requests to the next failure
				s += float64(mine.one(r))
				if side.LogE(s, m) >= limit {
					return n
				}
			}
		})
		x := sample(ends)
		t.row(percent(c.share), percent(c.first)+" / "+percent(c.second), whole(x.mean())+" / "+whole(x.quantile(0.9)), c.reference)
		t.below(cell, x, c.mean)
	}
}

func watches(t *tables) {
	t.text("## How soon does a watch notice?\n\nBlocks of 100 requests, a false alarm wanted in 604800 blocks at most; default tolerances. Blocks after a change that follows 200 blocks on target.")
	t.head("first version", "mean / p99", "reference")
	for _, c := range []struct {
		weight    int64
		truth     float64
		mean      float64
		reference string
	}{
		{50, 0.6, 12, "12 / 22"}, {50, 0.55, 72, "72 / 134"}, {10, 0.15, 34, "34 / 65"}, {10, 0.5, 1, "1 / 1"},
	} {
		cell := fmt.Sprintf("watch %d to %v", c.weight, c.truth)
		x := sample(each(t.sim, cell, func(r *rand.Rand) float64 {
			w := stats.NewWatch([]stats.Band{stats.NewBand(c.weight, 100, 0.02), stats.NewBand(100-c.weight, 100, 0.02)}, 604800)
			block := func(truth float64) bool {
				counts := make([]uint64, 2)
				newDice(truth, 1-truth).add(r, counts, 100)
				return w.Block(counts, 100, 0)
			}
			for range 200 {
				block(float64(c.weight) / 100)
			}
			for blocks := 1.0; ; blocks++ {
				if block(c.truth) {
					return blocks
				}
			}
		}))
		t.row(fmt.Sprintf("%d %% to %s", c.weight, percent(c.truth)), whole(x.mean())+" / "+whole(x.quantile(0.99)), c.reference)
		t.near(cell, x, c.mean+0.5, 500)
	}
}
