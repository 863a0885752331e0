package stats

import "math"

// Watch looks for a share that leaves its band some time after a PASS: per side and strength a bet that restarts at every
// block, m <- (1+m) (q/e)^s ((1-q)/(1-e))^(b-s), and M, the mean of all m. While shares stay in their bands, the expected
// number of blocks before M reaches A is at least A: a watch has no alpha, for it never ends.
//
// It is not safe for concurrent use.
type Watch struct {
	bets []bet
	zero []int   // versions whose target is 0: one hit is proof
	logA float64 // ln A
	logM float64
}

type bet struct {
	version   int
	upper     bool
	win, loss float64 // ln of the factors at a hit and at a miss
	logm      float64
}

// NewWatch makes a watch over these bands; blocks is the wanted mean time between false alarms, in blocks.
func NewWatch(bands []Band, blocks float64) *Watch {
	w := &Watch{logA: math.Log(blocks), logM: math.Inf(-1)}
	for i, b := range bands {
		if b.T <= 0 {
			w.zero = append(w.zero, i)
		}
		if !b.Judged() {
			continue
		}
		for j, reach := 0, b.D/2; j < 6; j, reach = j+1, reach*2 {
			if q := b.Hi + reach; q < 1-edgeGrain {
				w.bets = append(w.bets, bet{i, true, math.Log(q / b.Hi), math.Log((b.Hic - reach) / b.Hic), math.Inf(-1)})
			}
			if q := b.Lo - reach; q > edgeGrain {
				w.bets = append(w.bets, bet{i, false, math.Log(q / b.Lo), math.Log((b.Loc + reach) / b.Loc), math.Inf(-1)})
			}
		}
	}
	return w
}

// Block takes the counts of a block of n requests of closed epochs, u of which have no version, and says whether to raise
// the alarm. A hit on a version of weight 0 raises it at once.
func (w *Watch) Block(counts []uint64, n, u uint64) bool {
	for _, i := range w.zero {
		if counts[i] > 0 {
			w.logM = math.Inf(1)
		}
	}
	var sum Sum
	for i := range w.bets {
		b := &w.bets[i]
		s := counts[b.version]
		if !b.upper {
			s += u
		}
		b.logm = logAdd(0, b.logm) + float64(s)*b.win + float64(n-s)*b.loss
		sum.Add(b.logm)
	}
	if sum.Len() > 0 && !math.IsInf(w.logM, 1) {
		w.logM = sum.LogMean()
	}
	return w.logM >= w.logA
}

// Bets is how many bets the watch averages.
func (w *Watch) Bets() int { return len(w.bets) }

// LogM is ln M after the last block; +Inf after a hit on a version of weight 0.
func (w *Watch) LogM() float64 { return w.logM }
