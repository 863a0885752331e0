package verdict

import (
	"math"

	"github.com/mesh-split/mesh-split/verify/stats"
)

// quality judges failures and slowness per version, beside the split. Each alarm has a level alpha of its own, shared by
// the versions.
type quality struct {
	errors, latency, proof bool // what is asked; proof: PASS must show every error rate below the bound

	more   []stats.Side // per version: against "v's part of the failures is at most its largest share"; may not exist
	much   stats.Side   // against "the error rate is at most the bound"
	within stats.Side   // against "the error rate is the bound or more"

	alarm   float64 // ln(k/alpha)
	limit   float64 // ln(1/alpha)
	moreOf  int     // first version to fail more than the others, or -1
	muchOf  int     // first version to fail more than the bound, or -1
	slowOf  int     // first version to be slow more than the others, or -1
	served  []bool  // versions with a target above 0
	proved  []bool  // versions whose error rate is shown to be below the bound
	broken  bool
	proofAt []float64 // ln of the evidence for that, at the last look
}

// newQuality prepares what the question asks for.
//
// The label test: of m failing requests, the part of v is at most hi_v if v fails no more than the rest and its share is in
// its band, however the common failure rate moves. Using the edge instead of the target costs requests and frees it from
// assuming the share exactly.
func newQuality(q Question, bands []stats.Band) quality {
	k := len(bands)
	w := quality{errors: q.Errors, latency: q.Latency, proof: q.Errors && q.MaxErrorRateSet, moreOf: -1, muchOf: -1, slowOf: -1,
		alarm: math.Log(float64(k) / q.Alpha), limit: math.Log(1 / q.Alpha), more: make([]stats.Side, k), served: make([]bool, k),
		proved: make([]bool, k), proofAt: make([]float64, k), much: stats.Above(1, 1, q.MaxErrorRate, 1-q.MaxErrorRate),
		within: stats.Below(1, 1, q.MaxErrorRate, 1-q.MaxErrorRate)}
	for i, b := range bands {
		w.served[i] = b.T > 0
		if b.Judged() && b.Hic > 0 && (q.Raised == nil || q.Raised[i]) {
			w.more[i] = stats.Above(1, 1, b.Hi, b.Hic)
		}
	}
	return w
}

func (w *quality) alarmed() bool { return w.moreOf >= 0 || w.muchOf >= 0 || w.slowOf >= 0 }

func (w *quality) shown() bool {
	if w.proof {
		for i, ok := range w.proved {
			if w.served[i] && !ok {
				return false
			}
		}
	}
	return true
}

func (w *quality) look(e *Evidence) {
	if w.errors && e.Failures != nil {
		w.moreOf = w.compare(w.moreOf, e.Failures, e.ForeignFailures+e.UnattributedFailures)
		hidden := e.Unattributed - e.UnattributedFailures // may all have been this version's, and did not fail
		for i, s := range e.Failures {
			if s > 0 && w.muchOf < 0 && w.reached(w.much.LogE(float64(s), float64(e.Counts[i]+hidden)), w.alarm) {
				w.muchOf = i
			}
		}
	}
	if w.proof {
		for i, c := range e.Counts {
			if !w.served[i] || w.proved[i] {
				continue
			}
			s := e.UnattributedFailures // may all have been this version's
			if e.Failures != nil {
				s += e.Failures[i]
			}
			w.proofAt[i] = w.within.LogE(float64(s), float64(c+e.UnattributedFailures))
			w.proved[i] = w.reached(w.proofAt[i], w.limit)
		}
	}
	if w.latency && e.Slow != nil {
		w.slowOf = w.compare(w.slowOf, e.Slow, e.ForeignSlow+e.UnattributedSlow)
	}
}

// compare is the label test for events per version, others of which belong to no version of the question. It returns the
// version it named before, if any.
func (w *quality) compare(named int, events []uint64, others uint64) int {
	if named >= 0 {
		return named
	}
	m := others
	for _, s := range events {
		m += s
	}
	for i, s := range events {
		if s > 0 && w.more[i].Exists() && w.reached(w.more[i].LogE(float64(s), float64(m)), w.alarm) {
			return i
		}
	}
	return -1
}

func (w *quality) reached(logE, limit float64) bool {
	if math.IsNaN(logE) {
		w.broken = true
	}
	return logE >= limit
}

// consistent says whether failures and slow requests can be among the requests of e.
func (w *quality) consistent(e *Evidence) bool {
	among := func(part []uint64, foreign, unattributed uint64) bool {
		if part == nil {
			return foreign == 0 && unattributed == 0
		}
		if len(part) != len(e.Counts) || foreign > e.Foreign || unattributed > e.Unattributed {
			return false
		}
		for i, s := range part {
			if s > e.Counts[i] {
				return false
			}
		}
		return true
	}
	return (!w.errors || among(e.Failures, e.ForeignFailures, e.UnattributedFailures)) &&
		(!w.latency || among(e.Slow, e.ForeignSlow, e.UnattributedSlow))
}
