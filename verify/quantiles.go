package verify

import (
	"fmt"

	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// quantiles are those whose intervals are reported.
var quantiles = []float64{0.5, 0.99}

// boundLatencies adds intervals to the quantiles of every target version and, where latency is asked about, says whose p99 is
// higher than another's. Nothing is judged by them: they hold only for latencies that do not depend on each other.
func (f *findings) boundLatencies(out *Report) {
	k := f.target.Len()
	p99 := make([]verdict.QuantileInterval, k)
	for i := range k {
		v := &out.Versions[i]
		if v.Service == nil {
			continue
		}
		h := &f.totals.Snapshot.Versions[i].Service
		intervals := verdict.Quantiles(h.Count, h.Buckets, quantiles, k, alpha(f.confidence))
		v.Service.P50Interval, v.Service.P99Interval = seconds(intervals[0]), seconds(intervals[1])
		p99[i] = intervals[1]
	}
	if f.slowerThan == 0 {
		return
	}
	for i, a := range p99 {
		for j, b := range p99 {
			if verdict.Slower(a, b) {
				out.Warnings = append(out.Warnings, fmt.Sprintf("the p99 of %s is higher than that of %s: above %s, against at most %s (if latencies do not depend on each other)",
					out.Versions[i].Name, out.Versions[j].Name, report.Seconds(a.Lo.Seconds()), report.Seconds(b.Hi.Seconds())))
			}
		}
	}
}

func seconds(q verdict.QuantileInterval) *[2]float64 {
	if !q.Bounded {
		return nil
	}
	return &[2]float64{q.Lo.Seconds(), q.Hi.Seconds()}
}
