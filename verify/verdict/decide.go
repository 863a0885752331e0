package verdict

import (
	"math"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// Decide takes the evidence after the drain, when every request sent as evidence has its outcome, and the same evidence by
// connection (nil if it is not known). It does the last look itself. It may be called once.
func (p *Procedure) Decide(e *Evidence, connections []Evidence) Decision {
	p.look(e)
	d := Decision{Tolerance: p.q.Tolerance, Observed: make([]float64, len(p.bands)), DriftP: 1}
	if p.broken {
		return p.without(d, CodeInternal, "counts contradict each other, or a probability could not be computed: %d requests, %d without a version",
			e.Requests, e.Unattributed)
	}
	p.describe(&d, e)
	p.homogeneity(&d, connections)
	attributed := e.Requests - e.Unattributed
	switch {
	case e.Requests == 0:
		return p.without(d, CodeNoEvidence, "no request reached the gateway's choice: nothing was measured")
	case attributed > 0 && attributed == e.Foreign:
		return p.without(d, CodeIdentify, "none of %d versions in the replies is a version of the target: names differ, or replies are identified by the wrong thing", attributed)
	case p.hit:
		return d.end(Fail, CodeZeroWeight, p.zeroWeightMessage(e))
	case p.failed:
		return d.end(Fail, CodeOutsideTolerance, p.outsideMessage(e))
	case p.quality.moreOf >= 0, p.quality.muchOf >= 0:
		return d.end(Fail, CodeErrors, p.errorsMessage(e))
	case p.quality.slowOf >= 0:
		return d.end(Fail, CodeLatency, p.latencyMessage(e))
	case attributed == 0, p.tooManyLost(e):
		return d.end(Inconclusive, CodeUnattributed, p.unattributedMessage(e))
	case e.Requests < p.q.MinRequests:
		return d.end(Inconclusive, CodeTooFew, p.tooFewMessage(e))
	case !p.shown():
		return d.end(Inconclusive, CodeBudget, p.openMessage(&d, e))
	case d.Connections.LnE >= p.limit:
		return d.end(Inconclusive, CodeHeterogeneous, heterogeneousMessage(&d))
	}
	return d.end(Pass, CodeWithinTolerance, p.passMessage())
}

// end puts the deciding reason first.
func (d Decision) end(v Verdict, code, message string) Decision {
	d.Verdict = v
	d.Exit = [...]fault.Code{Inconclusive: fault.Inconclusive, Pass: fault.Done, Fail: fault.Fail}[v]
	d.Reasons = append([]Reason{{code, message}}, d.Reasons...)
	return d
}

// describe fills in what is printed whatever the verdict is.
func (p *Procedure) describe(d *Decision, e *Evidence) {
	d.DriftP = math.Min(1, math.Exp(-p.drift))
	for i, c := range e.Counts {
		if e.Requests > 0 {
			d.Observed[i] = float64(c) / float64(e.Requests)
		}
	}
	d.Intervals = p.intervals(e)
	for i, iv := range d.Intervals {
		d.CertifiedWithin = math.Max(d.CertifiedWithin, math.Max(iv[1]-p.bands[i].T, p.bands[i].T-iv[0]))
	}
	if p.q.Errors {
		d.ErrorRateUpper = p.errorRateUpper(e)
	}
	for i := range p.sides {
		if s := &p.sides[i]; s.latched {
			d.Latched = append(d.Latched, sideName(s.version, s.upper))
		}
	}
	if p.leakUsed && !p.leakOpen {
		d.Latched = append(d.Latched, "leak")
	}
	if d.Latched == nil {
		d.Latched = []string{}
	}
	d.Open = p.open(e)
	p.note(d, e)
}

// intervals are the confidence sequences of the shares. With replies that have no version, or a version that should have
// none, the joint multinomial set does not apply: each version then gets the Bernoulli interval at alpha/k, from all hidden
// replies being other versions' to all of them being its own.
func (p *Procedure) intervals(e *Evidence) [][2]float64 {
	out := make([][2]float64, len(p.bands))
	if e.Unattributed == 0 && !p.zeroHit(e) {
		stats.Multinomial(out, e.Counts, p.shares, p.q.Alpha)
		for i, t := range p.shares {
			if t == 0 {
				out[i][1] = stats.NoHitUpper(e.Requests, p.q.Alpha)
			}
		}
		return out
	}
	a := p.q.Alpha / float64(len(p.bands))
	for i, c := range e.Counts {
		out[i][0], _ = stats.Bernoulli(c, e.Requests, a)
		_, out[i][1] = stats.Bernoulli(c+e.Unattributed, e.Requests, a)
	}
	return out
}

// errorRateUpper bounds each version's error rate, jointly: failures without a version count against every version.
func (p *Procedure) errorRateUpper(e *Evidence) []float64 {
	out := make([]float64, len(p.bands))
	for i, c := range e.Counts {
		s := e.UnattributedFailures
		if e.Failures != nil {
			s += e.Failures[i]
		}
		out[i] = stats.RateUpper(s, c+e.UnattributedFailures, p.q.Alpha/float64(len(p.bands)))
	}
	return out
}

// homogeneity compares connections with the bands, once, on final counts: running maxima are not e-values and would break
// both the average and the names. A connection that saw a version of weight 0 is outside for certain.
func (p *Procedure) homogeneity(d *Decision, connections []Evidence) {
	var mean stats.Sum
	var logE []float64
	var index []int
	for j := range connections {
		c := &connections[j]
		if c.Requests == 0 || len(c.Counts) != len(p.bands) {
			continue
		}
		v := p.outside.LogE(c.Counts, c.Requests, c.Unattributed)
		if p.zeroHit(c) {
			v = math.Inf(1)
		}
		mean.Add(v)
		logE, index = append(logE, v), append(index, j)
	}
	d.Connections.Total = len(index)
	for _, j := range stats.EBH(logE, p.q.Alpha) {
		d.Connections.Differ = append(d.Connections.Differ, index[j])
	}
	d.Connections.LnE = math.Max(-1e6, math.Min(1e6, mean.LogMean())) // JSON has no infinities
}
