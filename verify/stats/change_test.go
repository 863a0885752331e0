package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Without a change, R minus the number of labels is a martingale: the mean of R after n labels is n. Exact would need all
// 2^n paths; 2^12 it is.
func TestChangeIsAMartingale(t *testing.T) {
	const n = 12
	mean := 0.0
	for path := range 1 << n {
		c := NewChange([]float64{0.9, 0.1}, []float64{0.6, 0.4}, math.Inf(1), 0)
		p := 1.0
		for i := range n {
			label := path >> i & 1
			p *= []float64{0.9, 0.1}[label]
			c.Observe(label, int64(i))
		}
		mean += p * math.Exp(c.LogR())
	}
	if !close(mean, n) {
		t.Errorf("mean of R after %d labels without a change: got %v, want %d", n, mean, n)
	}
}

func TestChangeForgetsAndIsBounded(t *testing.T) {
	c := NewChange([]float64{1, 0}, []float64{0.5, 0.5}, ChangeThreshold, 100)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10000 {
		c.Observe(0, int64(i))
		if len(c.path) > 101 || len(c.sent) > 101 {
			t.Fatalf("after %d labels: %d sums and %d times kept, window 100", i, len(c.path), len(c.sent))
		}
	}
	if _, _, ok := c.Span(0.05); ok {
		t.Error("a change beyond the window was located")
	}
	c.Reset()
	c.Observe(1, 1000) // a label that the old shares never drew
	for i := int64(1); !c.Observe(r.IntN(2), 1000+i); i++ {
	}
	at, ok := c.TauSent()
	first, last, located := c.Span(0.05)
	if !ok || !located || at != 1000 || first != 1000 || last < first {
		t.Errorf("all labels new after Reset: change at %v (%v), between %v and %v (%v); want from the first label on", at, ok, first, last, located)
	}
}

func TestWatchOnZeroWeight(t *testing.T) {
	w := NewWatch([]Band{NewBand(100, 100, 0), NewBand(0, 100, 0)}, 1e6)
	if w.Block([]uint64{100, 0}, 100, 0) {
		t.Error("alarm on a clean block")
	}
	if !w.Block([]uint64{99, 1}, 100, 0) {
		t.Error("no alarm on a hit of a version with weight 0")
	}
}

// The mean number of blocks to a false alarm is at least A, with the shares on the band's very edge too.
func TestWatchFalseAlarms(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	const wanted, runs = 50.0, 400
	total := 0.0
	for range runs {
		w := NewWatch([]Band{NewBand(1, 2, 0.02), NewBand(1, 2, 0.02)}, wanted)
		for total++; ; total++ {
			var s uint64
			for range 100 {
				if r.Float64() < 0.52 {
					s++
				}
			}
			if w.Block([]uint64{s, 100 - s}, 100, 0) {
				break
			}
		}
	}
	if mean := total / runs; mean < wanted*(1-4/math.Sqrt(runs)) {
		t.Errorf("mean blocks to a false alarm at the edge: got %v, want at least %v", mean, wanted)
	}
}
