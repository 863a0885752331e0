package main

import (
	"math"
	"math/rand/v2"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// The first table of section 18: rules that look again and again, at the target and at the band's edge.
const (
	ruleEvery = 100
	ruleLast  = 50000
)

// falseAlarms are the rules that ever said "not the target" on a run exactly on target.
type falseAlarms struct {
	once, peek5, peek01 bool // chi-square: one look at 5000; p < 0.05 at any look; p < 0.001 at any look
	dirichlet           [3]bool
	drift, outside      bool
}

// falsePasses are the rules that ever said "inside" on a run exactly on the band's upper edge.
type falsePasses struct{ estimate, wilson, point, mixture, hybrid, outside bool }

func rules(t *tables) {
	band, alpha := stats.NewBand(1, 2, 0.02), 0.05
	limit := math.Log(1 / alpha)
	bands := []stats.Band{band, band}

	on := each(t.sim, "rules at 50 %", func(r *rand.Rand) (f falseAlarms) {
		out, shares := stats.NewOutside(bands), []float64{0.5, 0.5}
		counts := make([]uint64, 2)
		half := newDice(0.5, 0.5)
		for n := uint64(ruleEvery); n <= ruleLast; n += ruleEvery {
			half.add(r, counts, ruleEvery)
			x := float64(counts[0]) - float64(n)/2
			chi := x * x / (float64(n) / 4)
			f.once = f.once || n == 5000 && chi > 3.841458820694124 // the 0.95 quantile of chi-square with 1 degree of freedom
			f.peek5 = f.peek5 || chi > 3.841458820694124
			f.peek01 = f.peek01 || chi > 10.827566170662733 // and the 0.999 quantile
			for i, kappa := range stats.Kappas {
				f.dirichlet[i] = f.dirichlet[i] || stats.DriftWith(counts, shares, []float64{kappa}) >= limit
			}
			f.drift = f.drift || stats.Drift(counts, shares) >= limit
			f.outside = f.outside || out.LogE(counts, n, 0) >= limit
		}
		return f
	})
	edge := each(t.sim, "rules at 52 %", func(r *rand.Rand) (f falsePasses) {
		out := stats.NewOutside(bands)
		hi, lo := stats.NewHybrid(band, true), stats.NewHybrid(band, false)
		counts := make([]uint64, 2)
		d := newDice(0.52, 0.48)
		var sides [3][2]bool // point, mixture, hybrid: upper, lower side latched
		for n := uint64(ruleEvery); n <= ruleLast; n += ruleEvery {
			d.add(r, counts, ruleEvery)
			s, all := float64(counts[0]), float64(n)
			if p := s / all; n >= 1000 && p >= 0.48 && p <= 0.52 {
				f.estimate = true
			}
			if a, b := wilson(s, all); a >= 0.48 && b <= 0.52 {
				f.wilson = true
			}
			for i, v := range [3][2]float64{{hi.Point(s, all), lo.Point(s, all)}, {hi.Mixture(s, all), lo.Mixture(s, all)},
				{hi.LogE(s, all), lo.LogE(s, all)}} {
				sides[i][0] = sides[i][0] || v[0] >= limit
				sides[i][1] = sides[i][1] || v[1] >= limit
			}
			f.outside = f.outside || out.LogE(counts, n, 0) >= limit
		}
		f.point, f.mixture, f.hybrid = sides[0][0] && sides[0][1], sides[1][0] && sides[1][1], sides[2][0] && sides[2][1]
		return f
	})

	t.text("## How often each rule is wrong\n\nBand 50 ± 2 %%, alpha 0.05, a look every %d requests up to %d. The first three and the two in italics are what "+
		"people do; they are shown to be seen.", ruleEvery, ruleLast)
	t.head("rule", "wrong", "reference")
	alarm := func(name, reference string, promise bool, of func(falseAlarms) bool) {
		t.rate(name, reference, promise, alpha, pick(on, of))
	}
	pass := func(name, reference string, promise bool, of func(falsePasses) bool) {
		t.rate(name, reference, promise, alpha, pick(edge, of))
	}
	alarm("false alarm at 50 %: chi-square p < 0.05, one look at 5000", "5.1 %", true, func(f falseAlarms) bool { return f.once })
	alarm("_false alarm at 50 %: chi-square p < 0.05, peeking_", "49.2 %", false, func(f falseAlarms) bool { return f.peek5 })
	alarm("_false alarm at 50 %: chi-square p < 0.001, peeking_", "2.3 %", false, func(f falseAlarms) bool { return f.peek01 })
	for i, ref := range []string{"0.8 %", "3.0 %", "1.2 %"} {
		alarm("false alarm at 50 %: Dirichlet, kappa "+whole(stats.Kappas[i]), ref, true, func(f falseAlarms) bool { return f.dirichlet[i] })
	}
	alarm("false alarm at 50 %: Dirichlet, their mean (drift)", "1.5 %", true, func(f falseAlarms) bool { return f.drift })
	pass("_false PASS at 52 %: point estimate in the band, n ≥ 1000, peeking_", "94.1 %", false, func(f falsePasses) bool { return f.estimate })
	pass("_false PASS at 52 %: Wilson 95 % interval in the band, peeking_", "18.0 %", false, func(f falsePasses) bool { return f.wilson })
	pass("false PASS at 52 %: point e-process", "3.9 %", true, func(f falsePasses) bool { return f.point })
	pass("false PASS at 52 %: mixture e-process", "3.8 %", true, func(f falsePasses) bool { return f.mixture })
	pass("**false PASS at 52 %: hybrid e-process (ours)**", "3.9 %", true, func(f falsePasses) bool { return f.hybrid })
	alarm("**false FAIL at 50 % (ours)**", "0.06 %", true, func(f falseAlarms) bool { return f.outside })
	pass("**false FAIL at 52 %, the edge (ours)**", "0.4 %", true, func(f falsePasses) bool { return f.outside })
}

func pick[T any](from []T, of func(T) bool) []bool {
	out := make([]bool, len(from))
	for i, v := range from {
		out[i] = of(v)
	}
	return out
}

// rate prints a rate beside its reference, and checks it where something is promised.
func (t *tables) rate(name, reference string, promise bool, alpha float64, hits []bool) {
	v := share(hits)
	t.row(name, percent(v), reference)
	if promise {
		t.promised(name, v, alpha)
	}
}

// wilson is the Wilson score interval at 95 %.
func wilson(s, n float64) (lo, hi float64) {
	const z = 1.959963984540054
	p := s / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return middle - half, middle + half
}
