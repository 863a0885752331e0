package verdict

import (
	"math"
	"strconv"

	"github.com/mesh-split/mesh-split/verify/stats"
)

func sideName(version int, upper bool) string {
	if upper {
		return strconv.Itoa(version) + ":hi"
	}
	return strconv.Itoa(version) + ":lo"
}

// open lists what PASS still wants, and for how many requests at the shares seen so far.
func (p *Procedure) open(e *Evidence) []OpenSide {
	var out []OpenSide
	n, u := float64(e.Requests), float64(e.Unattributed)
	for i := range p.sides {
		s := &p.sides[i]
		if s.latched {
			continue
		}
		b := &p.bands[s.version]
		hits, edge, edgec := float64(e.Counts[s.version]), b.Lo, b.Loc
		if s.upper {
			hits, edge, edgec = hits+u, b.Hi, b.Hic
		}
		o := OpenSide{Version: s.version, Upper: s.upper, Wanted: -1}
		// At the share that the process is fed, hidden replies at their worst: that is the pace at which it grows.
		if share := hits / n; n > 0 && (s.upper && share < edge || !s.upper && share > edge) {
			o.Wanted = wanted(p.limit+math.Ln2-s.logE, stats.KL(share, 1-share, edge, edgec))
		}
		out = append(out, o)
	}
	if p.leakOpen {
		out = append(out, OpenSide{Version: -1, Upper: true, Wanted: p.leakWanted(n, u)})
	}
	if w := &p.quality; w.proof {
		for i, ok := range w.proved {
			if ok || !w.served[i] {
				continue
			}
			o := OpenSide{Version: i, Upper: true, Errors: true, Wanted: -1}
			s := float64(e.UnattributedFailures)
			if e.Failures != nil {
				s += float64(e.Failures[i])
			}
			served := float64(e.Counts[i]) + float64(e.UnattributedFailures)
			if rate, bound := s/served, p.q.MaxErrorRate; served > 0 && rate < bound {
				o.Wanted = wanted(p.limit+math.Ln2-w.proofAt[i], stats.KL(rate, 1-rate, bound, 1-bound)*served/n)
			}
			out = append(out, o)
		}
	}
	return out
}

// wanted is how many requests evidence missing takes at a pace of gain per request.
func wanted(missing, gain float64) float64 {
	if !(gain > 0) || math.IsInf(missing, 0) {
		return -1
	}
	return math.Max(1, math.Ceil(missing/gain))
}

// leakWanted is how many requests more the leak bound takes if replies keep losing their version at the pace seen.
func (p *Procedure) leakWanted(n, u float64) float64 {
	pace := 0.0
	if u > 0 {
		pace = u / n
	}
	if p.hit || pace >= p.q.LeakBound {
		return -1
	}
	all := leakRequests(&p.leak, pace, p.limit)
	if all < 0 {
		return -1
	}
	return math.Max(1, all-n)
}

// leakRequests is after how many requests the leak process reaches limit when a fraction pace of them has no version; -1 if
// that takes more than 1e12.
func leakRequests(leak *stats.Leak, pace, limit float64) float64 {
	lo, hi := 0.0, 1.0
	for leak.LogE(pace*hi, hi) < limit {
		if lo, hi = hi, 2*hi; hi > 1e12 {
			return -1
		}
	}
	for hi-lo > 1 {
		if mid := math.Floor((lo + hi) / 2); leak.LogE(pace*mid, mid) >= limit {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}
