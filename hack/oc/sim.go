package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// sim runs cells. Its results depend on runs and seed only.
type sim struct {
	runs    int
	seed    uint64
	workers int
}

// each calls run for every run of a cell, on all workers, and collects what it returns. The random source belongs to the
// cell and the run.
func each[T any](s sim, cell string, run func(*rand.Rand) T) []T {
	h := fnv.New64a()
	h.Write([]byte(cell))
	stream := h.Sum64()
	out := make([]T, s.runs)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range s.workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(s.runs); i = next.Add(1) - 1 {
				out[i] = run(rand.New(rand.NewPCG(s.seed+uint64(i)<<20, stream)))
			}
		})
	}
	wg.Wait()
	return out
}

// sample is a set of numbers of requests, or of other things with a mean.
type sample []float64

func (x sample) mean() float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// standardError is the standard error of the mean.
func (x sample) standardError() float64 {
	m, sum := x.mean(), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1) / float64(len(x)))
}

// quantile is the smallest number with at least a fraction q of the sample at or below it.
func (x sample) quantile(q float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	y := slices.Clone(x)
	slices.Sort(y)
	return y[max(0, int(math.Ceil(q*float64(len(y))))-1)]
}

// dice draws labels with fixed probabilities.
type dice struct{ upTo []uint64 } // label i for draws below upTo[i]; the last takes the rest

func newDice(p ...float64) dice {
	d := dice{make([]uint64, len(p))}
	sum := 0.0
	for i, v := range p {
		sum += v
		d.upTo[i] = uint64(math.Min(sum, 1) * (1 << 63) * 2 * (1 - 1e-16))
		if sum >= 1-1e-12 {
			d.upTo[i] = math.MaxUint64
		}
	}
	return d
}

// add draws n labels into counts.
func (d dice) add(r *rand.Rand, counts []uint64, n uint64) {
	for range n {
		counts[d.one(r)]++
	}
}

func (d dice) one(r *rand.Rand) int {
	x := r.Uint64()
	for i, limit := range d.upTo {
		if x < limit {
			return i
		}
	}
	return len(d.upTo) - 1
}
