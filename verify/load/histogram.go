package load

import (
	"math/bits"
	"time"
)

// Size of a [Histogram]: a choice between memory (36 KiB) and error (< 1/128). The top bucket ends at 2^42 ns, 73 min.
const (
	histogramBuckets = 4608
	histogramTop     = 1<<42 - 1
)

// Histogram counts durations in buckets of less than 0.79 % width. Merging is addition, so shards equal one. The zero
// Histogram is empty and small; its buckets come with the first duration. Not safe for concurrent use.
type Histogram struct {
	Count   uint64        // of all durations
	Clamped uint64        // of those above 2^42 ns, which are in the top bucket
	Sum     time.Duration // of all, clamped ones as they were
	Max     time.Duration // the largest, exact
	buckets *[histogramBuckets]uint64
}

// bucketOf is the index: v below 128, else e·128 + (v >> e) with e = bitlen(v) − 8. v is in [0, 2^42).
func bucketOf(v uint64) int {
	if v < 128 {
		return int(v)
	}
	e := bits.Len64(v) - 8
	return e<<7 + int(v>>e)
}

// upperEdge is the largest duration in a bucket: what is reported, never too low.
func upperEdge(i int) time.Duration {
	if i < 256 {
		return time.Duration(i)
	}
	e := i>>7 - 1
	return time.Duration((uint64(i-e<<7)+1)<<e - 1)
}

// Record counts one duration; a negative one counts as 0.
func (h *Histogram) Record(d time.Duration) {
	if h.buckets == nil {
		h.buckets = new([histogramBuckets]uint64)
	}
	v := uint64(max(d, 0))
	h.Count++
	h.Sum += time.Duration(v)
	h.Max = max(h.Max, time.Duration(v))
	if v > histogramTop {
		h.Clamped++
		v = histogramTop
	}
	h.buckets[bucketOf(v)]++
}

// Merge adds what other counted.
func (h *Histogram) Merge(other *Histogram) {
	if other.buckets == nil {
		return
	}
	if h.buckets == nil {
		h.buckets = new([histogramBuckets]uint64)
	}
	h.Count += other.Count
	h.Clamped += other.Clamped
	h.Sum += other.Sum
	h.Max = max(h.Max, other.Max)
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
}

// Quantile is the upper edge of the bucket that holds the ⌈q·Count⌉-th smallest duration (the first for q = 0), q in
// [0, 1]; never more than Max, never below the true value unless that was clamped, and 0 for an empty histogram.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.Count))
	if float64(rank) < q*float64(h.Count) || rank == 0 {
		rank++
	}
	if rank >= h.Count { // also when there is none
		return h.Max
	}
	var seen uint64
	for i, n := range h.buckets {
		if seen += n; seen >= rank {
			return min(upperEdge(i), h.Max)
		}
	}
	return h.Max
}

// Mean is the average, 0 for an empty histogram.
func (h *Histogram) Mean() time.Duration {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / time.Duration(h.Count)
}

// Buckets calls f for each bucket that is not empty, from the shortest: the largest duration in it and its count.
func (h *Histogram) Buckets(f func(upTo time.Duration, count uint64)) {
	if h.buckets == nil {
		return
	}
	for i, n := range h.buckets {
		if n > 0 {
			f(upperEdge(i), n)
		}
	}
}
