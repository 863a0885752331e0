package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHistogramBuckets(t *testing.T) {
	// Worked by hand from index = v below 128, else e·128 + (v >> e), e = bitlen(v) − 8.
	for _, row := range []struct {
		v     uint64
		index int
		upTo  time.Duration
	}{{0, 0, 0}, {127, 127, 127}, {128, 128, 128}, {255, 255, 255}, {256, 256, 257}, {257, 256, 257}, {511, 383, 511}, {512, 384, 515},
		{1 << 41, 34*128 + 128, 1<<41 + 1<<34 - 1}, {1<<42 - 1, histogramBuckets - 1, 1<<42 - 1}} {
		if i := bucketOf(row.v); i != row.index || upperEdge(i) != row.upTo {
			t.Errorf("%d is in bucket %d up to %d, want %d up to %d", row.v, i, upperEdge(i), row.index, row.upTo)
		}
	}
	for i := 1; i < histogramBuckets; i++ {
		if lower := uint64(upperEdge(i-1)) + 1; bucketOf(lower) != i || bucketOf(uint64(upperEdge(i))) != i {
			t.Fatalf("bucket %d does not hold %d to %d", i, lower, upperEdge(i))
		}
	}
}

func TestHistogramSpecial(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram has a median or a mean")
	}
	h.Buckets(func(time.Duration, uint64) { t.Error("an empty histogram has buckets") })
	h.Record(-5)
	h.Record(2 << 42)
	if h.Count != 2 || h.Clamped != 1 || h.Quantile(0) != 0 || h.Quantile(1) != 2<<42 || h.Max != 2<<42 {
		t.Errorf("of -5 and 2^43: count %d, clamped %d, quantiles %d and %d", h.Count, h.Clamped, h.Quantile(0), h.Quantile(1))
	}
}

// Quantiles are never low, high by less than 0.79 %, and rise; merged shards equal one; buckets sum to the count.
func TestHistogramProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, histogramTop), 1, 200).Draw(t, "durations")
		var all, a, b Histogram
		for i, v := range values {
			all.Record(time.Duration(v))
			if i%3 == 0 {
				a.Record(time.Duration(v))
			} else {
				b.Record(time.Duration(v))
			}
		}
		a.Merge(&b)
		slices.Sort(values)
		last := time.Duration(0)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 1} {
			rank := max(int(q*float64(len(values))+0.999999), 1)
			exact, got := time.Duration(values[rank-1]), all.Quantile(q)
			if got < exact || float64(got-exact) > 0.0079*float64(exact) {
				t.Fatalf("quantile %v of %v is %d, want %d or up to 0.79 %% more", q, values, got, exact)
			}
			if got < last || a.Quantile(q) != got {
				t.Fatalf("quantile %v falls from %d to %d, or differs when merged: %d", q, last, got, a.Quantile(q))
			}
			last = got
		}
		sum := uint64(0)
		a.Buckets(func(_ time.Duration, n uint64) { sum += n })
		if sum != uint64(len(values)) || a.Mean() != all.Mean() || a.Max != all.Max {
			t.Fatalf("buckets sum to %d of %d", sum, len(values))
		}
	})
}

func BenchmarkHistogram(b *testing.B) {
	var h Histogram
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]time.Duration, 1024)
	for i := range values {
		values[i] = time.Duration(r.Int64N(1e7))
	}
	for i := 0; b.Loop(); i++ {
		h.Record(values[i&1023])
	}
}
