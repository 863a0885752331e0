package report

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/mesh-split/mesh-split/verify/verdict"
)

// RouteReport is one of several routes of an object, measured by requests of its own.
type RouteReport struct {
	Route        string        `json:"route"`                  // "http[0]", with the route's name behind it where it has one
	Verdict      string        `json:"verdict,omitempty"`      // absent when it was not measured
	Verification *Verification `json:"verification,omitempty"` // its own report, likewise
}

// OfRoutes is the report of several routes: the worst verdict of them, and what was sent for all together. The confidence is that
// of all verdicts together. Nil when none was measured.
func OfRoutes(routes []RouteReport) *Verification {
	r := &Verification{APIVersion: APIVersion, Kind: Kind, Verdict: Worst(routes), Routes: routes,
		Versions: []Version{}, Outcomes: map[string]uint64{}, Load: Load{Addresses: []string{}}}
	for _, one := range routes {
		v := one.Verification
		if v == nil {
			continue
		}
		if r.StartedAt == "" {
			r.RunID, r.StartedAt, r.Confidence = v.RunID, v.StartedAt, together(routes)
		}
		r.Interrupted = r.Interrupted || v.Interrupted
		if v.Verdict == r.Verdict && len(v.Reasons) > 0 {
			r.Reasons = append(r.Reasons, Reason{v.Reasons[0].Code, one.Route + ": " + v.Reasons[0].Message})
		}
		for outcome, n := range v.Outcomes {
			r.Outcomes[outcome] += n
		}
		r.Statuses, r.UnattributedStatuses = plus(r.Statuses, v.Statuses), plus(r.UnattributedStatuses, v.UnattributedStatuses)
		r.Unattributed += v.Unattributed
		r.UnattributedErrors += v.UnattributedErrors
		r.Requests.Sent += v.Requests.Sent
		r.Requests.Settling += v.Requests.Settling
		r.Requests.Evidence += v.Requests.Evidence
		r.Requests.Drained += v.Requests.Drained
		r.Load.Requests += v.Load.Requests
		r.Load.Seconds += v.Load.Seconds
	}
	if r.StartedAt == "" {
		return nil
	}
	if r.Load.Seconds > 0 {
		r.Load.RequestsPerSecond = float64(r.Load.Requests) / r.Load.Seconds
	}
	return r
}

// together is with what probability none of the verdicts is wrong, at least: the errors add up.
func together(routes []RouteReport) float64 {
	wrong := 0.0
	for _, r := range routes {
		if r.Verification != nil {
			wrong += 1 - r.Verification.Confidence
		}
	}
	return math.Round((1-wrong)*1e9) / 1e9 // sums of parts of 0.05 are not 0.05
}

// plus adds counts by name; nil for none.
func plus(sum, more map[string]uint64) map[string]uint64 {
	for name, n := range more {
		if sum == nil {
			sum = map[string]uint64{}
		}
		sum[name] += n
	}
	return sum
}

// Worst is the verdict of several routes: a FAIL outweighs what could not be settled, and that a PASS. A route that was not
// measured is not settled, once another was; "" when none was.
func Worst(routes []RouteReport) string {
	var seen []string
	for _, r := range routes {
		seen = append(seen, r.Verdict)
	}
	switch {
	case slices.Contains(seen, verdict.Fail.String()):
		return verdict.Fail.String()
	case !slices.ContainsFunc(seen, func(s string) bool { return s != "" }):
		return ""
	case slices.ContainsFunc(seen, func(s string) bool { return s != verdict.Pass.String() }):
		return verdict.Inconclusive.String()
	}
	return verdict.Pass.String()
}

// WriteRoutes writes the verdict of each route, and then that of all; what is as good as the worst of them. Nothing is written
// when none was measured.
func WriteRoutes(w io.Writer, routes []RouteReport, what string) {
	overall := Worst(routes)
	if overall == "" {
		return
	}
	rows, same := [][]string{{"route", "verdict"}}, 0
	for _, r := range routes {
		said := r.Verdict
		if said == overall {
			same++
		}
		if said == "" {
			said = "not measured"
		}
		rows = append(rows, []string{Safe(r.Route), said})
	}
	fmt.Fprintln(w)
	WriteColumns(w, rows)
	fmt.Fprintf(w, "%s  %d of %d routes; %s is as good as the worst of them (confidence %s of all together)\n", overall, same, len(routes), what, Percent(together(routes), 1))
}
