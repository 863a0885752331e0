package stats

import "math"

// Band is the range of shares that a version may have: its target plus or minus a tolerance, cut at 0 and 1. Complements
// are kept apart, from integers where there are integers.
type Band struct {
	T, Tc   float64 // target and 1 - target
	D       float64 // tolerance
	Hi, Hic float64 // upper edge and 1 - upper edge
	Lo, Loc float64 // lower edge and 1 - lower edge
}

// edgeGrain is how close to 0 or 1 an edge counts as being there: 0.9 + 0.1 must end at 1 however the decimals round.
const edgeGrain = 1e-12

// NewBand makes the band of a version with the given weight among weights that sum to total > 0, 0 <= weight <= total.
func NewBand(weight, total int64, d float64) Band {
	return bandOf(float64(weight)/float64(total), float64(total-weight)/float64(total), d)
}

// BandOf makes the band around a target share t in [0, 1] that is known only as a decimal.
func BandOf(t, d float64) Band { return bandOf(t, 1-t, d) }

func bandOf(t, tc, d float64) Band {
	b := Band{T: t, Tc: tc, D: d, Hi: t + d, Hic: tc - d, Lo: t - d, Loc: tc + d}
	if b.Hic < edgeGrain {
		b.Hi, b.Hic = 1, 0
	}
	if b.Lo < edgeGrain {
		b.Lo, b.Loc = 0, 1
	}
	b.Hi, b.Loc = math.Min(1, b.Hi), math.Min(1, b.Loc)
	return b
}

// Judged says whether the target is strictly between 0 and 1. Others have no band: for 0 one hit decides, for 1 the leak
// bound of the others.
func (b *Band) Judged() bool { return b.T > 0 && b.Tc > 0 }

// KL is the Kullback-Leibler divergence of a coin with probability p from one with probability q, in nats per toss:
// p ln(p/q) + (1-p) ln((1-p)/(1-q)); pc = 1-p, qc = 1-q. +Inf where q rules out what p allows.
func KL(p, pc, q, qc float64) float64 {
	v := 0.0
	if p > 0 {
		v += p * math.Log(p/q)
	}
	if pc > 0 {
		v += pc * math.Log(pc/qc)
	}
	return math.Max(0, v)
}
