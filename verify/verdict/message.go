package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// CodeHiddenReplies is a note: replies without a version are many enough to cost requests or the verdict.
const CodeHiddenReplies = "hidden-replies"

// Err is the error that stands for a decision without a verdict (no evidence, names that do not match, a broken number);
// nil if there is a verdict, FAIL and INCONCLUSIVE included. Callers that know the labels seen add them to its hint.
func (d *Decision) Err() *fault.Error {
	if d.Exit != fault.Failed {
		return nil
	}
	r, hint := d.Reasons[0], ""
	switch r.Code {
	case CodeIdentify:
		hint = "compare the names in --expect with the versions in the replies, or choose another --identify"
	case CodeNoEvidence:
		hint = "see the outcomes: was the gateway reached, and did the run last long enough?"
	}
	return fault.New(fault.Failed, hint, "%s", r.Message).Named(r.Code)
}

// without ends in no verdict at all.
func (p *Procedure) without(d Decision, code, format string, args ...any) Decision {
	d.Verdict, d.Exit = Inconclusive, fault.Failed
	d.Reasons = []Reason{{code, fmt.Sprintf(format, args...)}}
	return d
}

// percent writes a share as people say it: "30 %", "0.1 %", "29.94 %".
func percent(x float64) string { return digits(100*x) + " %" }

// seen writes a measured share to three digits: more would look certain.
func seen(x float64) string {
	switch x *= 100; {
	case x >= 10:
		x = math.Round(10*x) / 10
	case x >= 1:
		x = math.Round(100*x) / 100
	}
	return digits(x) + " %"
}

// outwards rounds a certified distance up to the next hundredth of a point: rounding down would certify too much.
func outwards(d float64) float64 { return math.Ceil(1e4*d-1e-9) / 1e4 }

// points writes a tolerance: "2 points", "0.5 points".
func points(d float64) string {
	if s := digits(100 * d); s != "1" {
		return s + " points"
	}
	return "1 point"
}

// digits keeps three significant digits, two decimals where they say something.
func digits(x float64) string {
	places := 2
	if a := math.Abs(x); a > 0 && a < 0.1 {
		places = 1 - int(math.Floor(math.Log10(a)))
	}
	s := strconv.FormatFloat(x, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func (p *Procedure) confidence() string { return "(confidence " + Confidence(1-p.q.Alpha) + ")" }

// Confidence writes a level with all its nines: 0.95 is "95 %", 0.9999999 "99.99999 %". Only certainty itself would be 100 %.
func Confidence(level float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(100*level, 'f', 10, 64), "0"), ".") + " %"
}

// tolerance is the common tolerance, or "their own tolerances".
func (p *Procedure) tolerance() string {
	common := 0.0
	for _, b := range p.bands {
		if !b.Judged() {
			continue
		}
		if common != 0 && math.Abs(common-b.D) > 1e-12 {
			return "its own tolerance"
		}
		common = b.D
	}
	return points(common)
}

func (p *Procedure) passMessage() string {
	var parts []string
	if len(p.sides) > 0 {
		parts = append(parts, "every version gets its target ± "+p.tolerance())
	}
	if p.leakUsed {
		parts = append(parts, "nothing else got "+percent(p.q.LeakBound)+" or more")
	}
	if p.q.Errors {
		switch {
		case p.q.MaxErrorRateSet:
			parts = append(parts, "every version fails less than "+percent(p.q.MaxErrorRate))
		case len(p.sides) > 0:
			parts = append(parts, "no sign that one fails more than the other")
		}
	}
	return strings.Join(parts, "; ") + " " + p.confidence()
}

func (p *Procedure) zeroWeightMessage(e *Evidence) string {
	var parts []string
	for i, c := range e.Counts {
		if c > 0 && p.shares[i] == 0 {
			parts = append(parts, fmt.Sprintf("%s answered %d of %d requests; its weight is 0", p.q.Names[i], c, e.Requests))
		}
	}
	if e.Foreign > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d replies came from versions that the target does not name", e.Foreign, e.Requests))
	}
	return strings.Join(parts, "; ")
}

// outsideMessage names the version that speaks loudest against its band.
func (p *Procedure) outsideMessage(e *Evidence) string {
	worst, loudest := 0, math.Inf(-1)
	louder := func(v float64, i int) bool {
		const rounding = 1e-6 // of two versions, one's upper side is the other's lower: the smaller target is the news
		return v > loudest+rounding || v > loudest-rounding && p.shares[i] < p.shares[worst]
	}
	for i, c := range e.Counts {
		above, below := p.outside.Sides(i)
		if above.Exists() {
			if v := above.LogE(float64(c), float64(e.Requests)); louder(v, i) {
				worst, loudest = i, v
			}
		}
		if below.Exists() {
			if v := below.LogE(float64(c+e.Unattributed), float64(e.Requests)); louder(v, i) {
				worst, loudest = i, v
			}
		}
	}
	b, share := p.bands[worst], float64(e.Counts[worst])/float64(e.Requests)
	if share >= b.Lo && share <= b.Hi {
		return fmt.Sprintf("%s left %s ± %s during the run, though it now stands at %s %s", p.q.Names[worst], digits(100*b.T), percent(b.D),
			seen(share), p.confidence())
	}
	return fmt.Sprintf("%s got %s, not %s ± %s %s", p.q.Names[worst], seen(share), digits(100*b.T), percent(b.D), p.confidence())
}

func (p *Procedure) errorsMessage(e *Evidence) string {
	var parts []string
	if v := p.quality.moreOf; v >= 0 {
		all := e.ForeignFailures + e.UnattributedFailures
		for _, s := range e.Failures {
			all += s
		}
		parts = append(parts, fmt.Sprintf("%s fails more than the others: %d of its %d requests, %s of all failures with %s of the requests",
			p.q.Names[v], e.Failures[v], e.Counts[v], seen(ratio(e.Failures[v], all)), seen(ratio(e.Counts[v], e.Requests))))
	}
	if v := p.quality.muchOf; v >= 0 {
		parts = append(parts, fmt.Sprintf("%s fails more than %s: %d of its %d requests", p.q.Names[v], percent(p.q.MaxErrorRate),
			e.Failures[v], e.Counts[v]))
	}
	return strings.Join(parts, "; ") + " " + p.confidence()
}

func (p *Procedure) latencyMessage(e *Evidence) string {
	v := p.quality.slowOf
	return fmt.Sprintf("%s is slow more often than the others: %d of its %d requests %s", p.q.Names[v], e.Slow[v], e.Counts[v], p.confidence())
}

func (p *Procedure) unattributedMessage(e *Evidence) string {
	if e.Unattributed == e.Requests {
		return fmt.Sprintf("not one of %d requests brought back a version", e.Requests)
	}
	return fmt.Sprintf("%d of %d requests brought back no version, more than the %s allowed", e.Unattributed, e.Requests, percent(p.q.MaxUnattributed))
}

func (p *Procedure) tooFewMessage(e *Evidence) string {
	return fmt.Sprintf("%d requests are too few: at least %d are wanted", e.Requests, p.q.MinRequests)
}

// openMessage says what PASS still wants, the most demanding part first.
func (p *Procedure) openMessage(d *Decision, e *Evidence) string {
	var most *OpenSide
	for i := range d.Open {
		if o := &d.Open[i]; most == nil || o.Wanted < 0 || most.Wanted >= 0 && o.Wanted > most.Wanted {
			if most != nil && most.Wanted < 0 {
				break
			}
			most = o
		}
	}
	what := ""
	switch {
	case most.Version < 0:
		what = "that versions of weight 0 together get less than " + percent(p.q.LeakBound)
	case most.Errors:
		what = p.q.Names[most.Version] + " fails less than " + percent(p.q.MaxErrorRate)
	case most.Upper:
		what = p.q.Names[most.Version] + " gets less than " + percent(p.bands[most.Version].Hi)
	default:
		what = p.q.Names[most.Version] + " gets more than " + percent(p.bands[most.Version].Lo)
	}
	if most.Wanted < 0 {
		return fmt.Sprintf("%d requests did not show that %s, and more would not at the share seen; certified within %s", e.Requests,
			strings.TrimPrefix(what, "that "), points(outwards(d.CertifiedWithin)))
	}
	return fmt.Sprintf("%d requests did not show that %s: about %.0f more are wanted; certified within %s", e.Requests,
		strings.TrimPrefix(what, "that "), most.Wanted, points(outwards(d.CertifiedWithin)))
}

func heterogeneousMessage(d *Decision) string {
	if n := len(d.Connections.Differ); n > 0 {
		return fmt.Sprintf("%d of %d connections see another split: a stale gateway, or sticky routing", n, d.Connections.Total)
	}
	return fmt.Sprintf("the %d connections do not see the same split, though none can be named", d.Connections.Total)
}

// note says when replies without a version are many: they count against every version.
func (p *Procedure) note(d *Decision, e *Evidence) {
	if e.Unattributed == 0 {
		return
	}
	tightest := math.Inf(1)
	for _, b := range p.bands {
		if b.Judged() {
			tightest = math.Min(tightest, b.D)
		}
	}
	if p.leakUsed {
		tightest = math.Min(tightest, p.q.LeakBound)
	}
	if share := ratio(e.Unattributed, e.Requests); share > tightest/2 {
		d.Notes = append(d.Notes, Reason{CodeHiddenReplies, fmt.Sprintf(
			"%d of %d requests (%s) brought back no version; they count against every version, so PASS takes longer or stays out of reach",
			e.Unattributed, e.Requests, seen(share))})
	}
}

func ratio(part, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}
