package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mesh-split/mesh-split/verify/safe"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// WriteText writes what a person reads after a run: the table of versions, what the run admits about itself, the verdict.
func WriteText(w io.Writer, r *Verification) {
	WriteTable(w, r)
	WriteTimes(w, r)
	WritePeers(w, r)
	WriteNotes(w, r)
	WriteVerdict(w, r)
}

// Measured is the one line behind "✓ measured".
func Measured(r *Verification) string {
	errors := r.UnattributedErrors
	for _, v := range r.Versions {
		errors += v.Errors
	}
	s := fmt.Sprintf("%s requests in %s, %s errors, %s without a version",
		Count(r.Load.Requests), Seconds(r.Load.Seconds), Count(errors), Count(r.Unattributed))
	if n := len(r.Workers); n > 0 {
		s += fmt.Sprintf(", by %d workers", n)
	}
	if r.Load.Slowed > 0 {
		s += fmt.Sprintf("; slowed down %d times because the gateway asked", r.Load.Slowed)
	}
	return s
}

// WriteTable writes a row per version. Users' own requests have no times: a gateway counts them, and keeps no clock on each.
func WriteTable(w io.Writer, r *Verification) {
	judged, passive := r.Verdict != "", r.Load.Engine == Passive
	header := []string{"version", "target", "observed", "95 % interval", "errors", "p50", "p99"}
	header[3] = verdict.Confidence(r.Confidence) + " interval"
	switch {
	case passive:
		header = append([]string{"version", "target", "users get"}, header[3:5]...)
	case !judged:
		header = []string{"version", "requests", "observed", "errors", "p50", "p99"}
	}
	rows := [][]string{header}
	for _, v := range r.Versions {
		p50, p99 := "–", "–"
		if v.Service != nil {
			p50, p99 = Seconds(v.Service.P50), Seconds(v.Service.P99)
		}
		errors := Count(v.Errors)
		if v.Errors > 0 && v.Requests > 0 {
			errors += " (" + Percent(float64(v.Errors)/float64(v.Requests), 1) + ")"
		}
		row := []string{Safe(v.Name), Count(v.Requests), observed(v), errors, p50, p99}
		if judged {
			target, interval := "–", "–"
			if v.Target != nil {
				target = Percent(*v.Target, 2)
			}
			if v.Interval != nil {
				interval = fmt.Sprintf("%s – %s", strings.TrimSuffix(Exact(v.Interval[0], 1), " %"), Exact(v.Interval[1], 1))
			}
			row = []string{Safe(v.Name), target, observed(v), interval, errors, p50, p99}[:len(header)]
		}
		rows = append(rows, row)
	}
	WriteColumns(w, rows)
}

func observed(v Version) string {
	if v.Observed > 0 && v.Observed < 0.005 {
		return Exact(v.Observed, 3)
	}
	return Exact(v.Observed, 1)
}

// WriteColumns writes rows, the first of them the header, in columns: the first flush left, the others flush right.
func WriteColumns(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		b.WriteString("  ")
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("   " + pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
	fmt.Fprintln(w)
}

// WriteNotes writes the warnings and where the generator itself fell short: a reader must see them before the verdict.
func WriteNotes(w io.Writer, r *Verification) {
	wrote := false
	note := func(format string, args ...any) {
		fmt.Fprintf(w, "  note  %s\n", Safe(fmt.Sprintf(format, args...))) // names and headers of replies are in it
		wrote = true
	}
	for _, warning := range r.Warnings {
		note("%s", warning)
	}
	for _, l := range r.Load.Limits {
		note("%s", l.Message)
		fmt.Fprintf(w, "        %s\n", Safe(l.Remedy))
	}
	for _, kind := range []string{neverSent, broken, versionless} {
		if list := outcomesOf(r, kind); list != "" {
			note("%s: %s", kind, list)
		}
	}
	if said := otherStatuses(r); said != "" {
		note("replies other than 2xx: %s", said)
	}
	if made := gatewayMade(r); made != "" {
		note("replies made by the gateway itself: %s", made)
	}
	if statuses := grpcErrors(r); statuses != "" {
		note("errors by grpc-status: %s", statuses)
	}
	for _, line := range connectionLines(r) {
		note("%s", line)
	}
	// When nearly all connections are off, that is the verdict itself; when some are, it points at a gateway.
	if c := r.Connections; c != nil && len(c.Differ) > 0 && 4*len(c.Differ) < 3*c.Total {
		note("%d of %d connections are off (%s), the others are not: a stale gateway, or sticky routing", len(c.Differ), c.Total, pooled(r))
	}
	if wrote {
		fmt.Fprintln(w)
	}
}

// pooled is the split that the differing connections see together.
func pooled(r *Verification) string {
	counts, all := map[string]float64{}, 0.0
	for _, c := range r.Connections.Differ {
		for name, share := range c.Shares {
			counts[name] += share * float64(c.Requests)
		}
		all += float64(c.Requests)
	}
	var list []string
	for _, v := range r.Versions {
		if v.Requests > 0 && all > 0 {
			list = append(list, fmt.Sprintf("%s %s", Safe(v.Name), Exact(counts[v.Name]/all, 0)))
		}
	}
	return strings.Join(list, ", ")
}

// WriteVerdict writes the verdict with its first reason, what is certain, and what would help.
func WriteVerdict(w io.Writer, r *Verification) {
	if r.Verdict == "" {
		return
	}
	for i, reason := range r.Reasons {
		if i == 0 {
			fmt.Fprintf(w, "%s  %s\n", r.Verdict, Safe(reason.Message))
		} else {
			fmt.Fprintf(w, "also  %s\n", Safe(reason.Message))
		}
	}
	if s := certain(r); s != "" {
		fmt.Fprintf(w, "sure  %s\n", s)
	}
	if r.Watched > 0 {
		fmt.Fprintf(w, "note  watched for %s after the PASS\n", Seconds(r.Watched))
	}
	if r.Interrupted {
		fmt.Fprintf(w, "note  interrupted: judged on what had been sent\n")
	}
	if r.RequestsWanted != nil {
		fmt.Fprintf(w, "next  about %s more requests would settle it: raise --max-requests, and --max-time or --rate\n", Count(roundCount(*r.RequestsWanted)))
	}
}

func certain(r *Verification) string {
	if r.CertifiedWithin == nil || *r.CertifiedWithin >= 1 || r.Unattributed == r.Requests.Evidence {
		return ""
	}
	s := fmt.Sprintf("shares lie within %s of their targets (%s requests)", PointsUp(*r.CertifiedWithin), Count(r.Requests.Evidence))
	var worst float64
	for _, v := range r.Versions {
		if v.ErrorRateUpper != nil {
			worst = max(worst, *v.ErrorRateUpper)
		}
	}
	if worst > 0 && worst < 1 {
		s += fmt.Sprintf("; error rates below %s", Percent(roundUp(worst), 2))
	}
	return s
}

// Safe makes text that came from elsewhere harmless on a terminal: control characters are written as escapes.
func Safe(s string) string { return safe.Text(s) }
