package verify

import (
	"fmt"

	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// leftEvidence says whether a far side that went away had answered before: what it said still counts.
func (r *run) leftEvidence() bool {
	if r.gone == nil {
		return false
	}
	f := r.findings()
	return f.totals.Evidence.Requests > 0 && f.unanswerable(r.plan.TLS != nil, false) == nil
}

// withoutEnd says in a report that the load broke off: the far side went away, or there was no port left to connect from. A FAIL
// stands: it was proved by then. A run that only loads has no verdict that could say it; then the error does.
func (r *run) withoutEnd(out *Report) error {
	if r.gone == nil {
		return nil
	}
	if out.Verdict == "" {
		return r.gone
	}
	reason := report.Reason{Code: verdict.CodeUnreachable,
		Message: fmt.Sprintf("the load broke off %s into the measurement: %v", report.Seconds(out.Load.Seconds), r.gone)}
	if out.Verdict == verdict.Fail.String() {
		out.Reasons = append(out.Reasons, reason)
		return nil
	}
	out.Verdict, out.RequestsWanted = verdict.Inconclusive.String(), nil // more requests would not have been answered
	out.Reasons = append([]report.Reason{reason}, out.Reasons...)
	return nil
}
