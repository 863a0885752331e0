package verify

import (
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
)

// times are those of all whole replies, nil if there are none.
func times(s *load.Snapshot) *report.Times {
	var service, response load.Histogram
	for i := range s.Versions {
		service.Merge(&s.Versions[i].Service)
		response.Merge(&s.Versions[i].Response)
	}
	service.Merge(&s.Unversioned.Service)
	response.Merge(&s.Unversioned.Response)
	if service.Count == 0 {
		return nil
	}
	t := &report.Times{Service: summary(&service)}
	if s.RateAsked > 0 {
		all := summary(&response)
		t.Response = &all
	}
	edge, step := time.Microsecond, 0
	steps := [3]time.Duration{2, 5, 10}
	base := edge
	service.Buckets(func(upTo time.Duration, count uint64) {
		for edge < upTo { // the next of 1, 2, 5, 10, 20, … µs
			edge = base * steps[step]
			if step++; step == len(steps) {
				base, step = edge, 0
			}
		}
		if n := len(t.Histogram); n > 0 && t.Histogram[n-1].To == edge.Seconds() {
			t.Histogram[n-1].Count += count
		} else {
			t.Histogram = append(t.Histogram, report.Bucket{To: edge.Seconds(), Count: count})
		}
	})
	return t
}

func summary(h *load.Histogram) report.Quantiles {
	q := func(p float64) float64 { return h.Quantile(p).Seconds() }
	return report.Quantiles{Mean: h.Mean().Seconds(), P50: q(0.5), P75: q(0.75), P90: q(0.9), P95: q(0.95), P99: q(0.99), P999: q(0.999), Max: h.Max.Seconds()}
}
