package verdict

import "testing"

// onTarget is evidence of n requests as near to the weights as counts get.
func onTarget(weights []int64, n uint64) *Evidence {
	var sum uint64
	for _, w := range weights {
		sum += uint64(w)
	}
	e := &Evidence{Requests: n, Counts: make([]uint64, len(weights)), Failures: make([]uint64, len(weights))}
	rest := n
	for i := len(weights) - 1; i > 0; i-- {
		e.Counts[i] = n * uint64(weights[i]) / sum
		e.Failures[i] = e.Counts[i] / 100
		rest -= e.Counts[i]
	}
	e.Counts[0] = rest
	e.Failures[0] = rest / 100
	return e
}

func BenchmarkLook(b *testing.B) {
	for _, bc := range []struct {
		name    string
		weights []int64
		n       uint64
	}{
		{"2 versions/n=1e3", []int64{50, 50}, 1e3},
		{"2 versions/n=1e4", []int64{70, 30}, 1e4},
		{"2 versions/n=1e6", []int64{50, 50}, 1e6},
		{"2 versions/n=1e9", []int64{50, 50}, 1e9},
		{"8 versions/n=1e4", []int64{30, 20, 10, 10, 10, 10, 5, 5}, 1e4},
		{"32 versions/n=1e4", []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 1e4},
	} {
		b.Run(bc.name, func(b *testing.B) {
			p, err := New(Question{Weights: bc.weights, Errors: true, MaxErrorRateSet: true})
			if err != nil {
				b.Fatal(err)
			}
			e := onTarget(bc.weights, bc.n)
			b.ReportAllocs()
			for b.Loop() {
				for i := range p.sides {
					p.sides[i].latched = false // the dearest look: nothing shown yet
				}
				for i := range p.quality.proved {
					p.quality.proved[i] = false
				}
				p.Look(e)
			}
		})
	}
}
