package verify

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// findings is what was measured, by one run or by several side by side, and what was asked of it.
type findings struct {
	target     Split // none when only loading
	confidence float64
	slowerThan time.Duration // asked about latency; 0: not

	load     report.Load // what was sent where, as announced
	totals   load.Totals
	seconds  float64 // of evidence, from its beginning to the last request
	inFlight uint64  // at the stop
}

// document is a Report without a verdict.
func (f *findings) document() *Report {
	e, s := &f.totals.Evidence, &f.totals.Snapshot
	out := &Report{APIVersion: report.APIVersion, Kind: report.Kind, Unattributed: e.Unattributed, UnattributedErrors: e.UnattributedErrors,
		Outcomes: outcomes(s), GatewayMade: gatewayMade(s), GRPCStatuses: grpcStatuses(s)}
	out.UnattributedStatuses, out.Statuses = statuses(&s.Unversioned), statuses(append(pointers(s.Versions), &s.Unversioned)...)
	out.Requests = report.Requests{Sent: s.Sent, Settling: s.Sent - e.Sent, Evidence: e.Requests, Drained: min(f.inFlight, e.Sent)}
	out.Load = f.load
	out.Load.Requests, out.Load.Seconds = e.Sent, f.seconds
	if f.seconds > 0 {
		out.Load.RequestsPerSecond = float64(e.Sent) / f.seconds
	}
	out.Load.Slowed, out.Load.Schedule = s.Slowed, schedule(s)
	out.Load.Failures, out.Load.FailedDials = latency(&s.FailedService), latency(&s.FailedDials)
	out.Load.Backoffs, out.Load.Events, out.Examples = backoffs(s), events(s), examples(s)
	out.Load.Busy, out.Load.Limits = s.Own.Busy, limits(s, &out.Load)
	out.Versions, out.Peers = f.versions(), f.peers()
	if f.target.Len() == 0 {
		out.Times = times(s)
	}
	if i := slices.Index(f.totals.Labels, load.Other); i >= 0 && i < len(e.Counts) && e.Counts[i] > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("more than %d versions answered; the %s replies of those beyond are counted together, as %s: does --identify read what changes with each request?",
			load.MaxLabels, report.Count(e.Counts[i]), load.Other))
	}
	if f.load.Insecure {
		out.Warnings = append(out.Warnings, "the certificate was not verified (--insecure): whoever answered was believed")
	}
	if s.RenewError != "" {
		out.Warnings = append(out.Warnings, "a reply said 401, and the credential could not be renewed: "+s.RenewError)
	}
	return out
}

// judge decides on the evidence, which the procedure may have seen growing, and writes the decision into the report.
func (f *findings) judge(out *Report, p *verdict.Procedure, e *verdict.Evidence) error {
	k := f.target.Len()
	connections := make([]verdict.Evidence, len(f.totals.Connections))
	for i := range connections {
		fold(&f.totals.Connections[i], &connections[i], k)
	}
	d := p.Decide(e, connections)
	if err := d.Err(); err != nil {
		if err.Name == verdict.CodeIdentify {
			err.Hint = f.identifyHint()
		}
		return err
	}
	out.Verdict, out.Confidence = d.Verdict.String(), f.confidence
	out.CertifiedWithin = &d.CertifiedWithin
	out.Connections = differing(&d, f.totals.Connections, f.totals.Labels)
	for i := range out.Versions[:k] {
		v := &out.Versions[i]
		v.Tolerance, v.Interval = &d.Tolerance[i], &d.Intervals[i]
		if i < len(d.ErrorRateUpper) {
			v.ErrorRateUpper = &d.ErrorRateUpper[i]
		}
	}
	if d.Verdict == verdict.Inconclusive {
		out.RequestsWanted = wanted(d.Open)
	}
	for _, reason := range d.Reasons {
		out.Reasons = append(out.Reasons, report.Reason{Code: reason.Code, Message: reason.Message})
	}
	for _, n := range d.Notes {
		out.Warnings = append(out.Warnings, n.Message)
	}
	f.turnAway(out)
	return nil
}

// undecided makes a report of what cannot be judged at all.
func (f *findings) undecided(out *Report, code, message string) {
	out.Verdict, out.Confidence = verdict.Inconclusive.String(), f.confidence
	out.Reasons = []report.Reason{{Code: code, Message: message}}
	for i := range out.Versions {
		out.Versions[i].Tolerance = nil // none was applied
	}
}

// versions makes a row per label: targets in their order, then whatever else answered.
func (f *findings) versions() []report.Version {
	e, s := &f.totals.Evidence, &f.totals.Snapshot
	rows := make([]report.Version, len(f.totals.Labels))
	for i, name := range f.totals.Labels {
		v := &rows[i]
		v.Name = name
		if f.target.Len() > 0 {
			target, zero := f.target.Share(name), 0.0
			v.Target, v.Tolerance = &target, &zero
		}
		if i < len(e.Counts) {
			v.Requests, v.Errors, v.Slow = e.Counts[i], e.Failures[i], e.Slow[i]
		}
		if e.Requests > 0 {
			v.Observed = float64(v.Requests) / float64(e.Requests)
		}
		if i < len(s.Versions) {
			v.ClientErrors, v.Statuses = s.Versions[i].Status[4], statuses(&s.Versions[i])
			v.Service = latency(&s.Versions[i].Service)
			if f.load.RateAsked > 0 {
				v.Response = latency(&s.Versions[i].Response)
			}
		}
	}
	return rows
}

// peers makes a row per address connected to; one alone says nothing that is not said already.
func (f *findings) peers() []report.Peer {
	if len(f.totals.Peers) < 2 {
		return nil
	}
	rows := make([]report.Peer, len(f.totals.Peers))
	for i := range rows {
		p := &f.totals.Peers[i]
		rows[i] = report.Peer{Address: p.Address, Requests: p.Requests, Errors: p.UnattributedErrors, Unattributed: p.Unattributed,
			NeverSent: p.Sent - min(p.Sent, p.Requests), Shares: shares(&p.Evidence, f.totals.Labels)}
		for _, n := range p.Failures {
			rows[i].Errors += n
		}
	}
	return rows
}

// unanswerable is the error of a run that can have no verdict: nothing came back that speaks HTTP. A head that names a version has
// spoken: what broke behind it is that version's failure. Nor does a run that a person ended prove that nothing would have come.
func (f *findings) unanswerable(secure, interrupted bool) error {
	s := &f.totals.Snapshot
	counts := outcomes(s)
	http := counts["answered"] + counts["no_label"] + counts["bad_label"] + counts["gateway"]
	if http > 0 || f.attributed() > 0 || interrupted {
		return nil
	}
	hint := "is the address right, and does the gateway listen there?"
	var all uint64
	for _, n := range counts {
		all += n
	}
	switch {
	case s.Own.NoPort > 0:
		hint = load.RemedyPorts
	case s.Own.NoFile > 0:
		hint = load.RemedyFiles
	case counts["tls_error"] > 0:
		hint = load.Remedy(load.TLSError, s.LastError)
	case counts["dial_error"]+counts["refused"] > 0:
		hint = load.Remedy(load.DialError, s.LastError)
	case 2*counts["timeout"] > all:
		hint = "it takes connections and does not answer: raise --reply-timeout, or does it wait for something else (https://, --http 2, --proxy-protocol)?"
	case 2*(counts["reset"]+counts["reset_reused"]) > all && !secure:
		hint = "it ends connections without a reply: it may speak TLS (https://) or HTTP/2 (--http 2), or want --proxy-protocol"
	case counts["malformed"] > 0 && !secure:
		hint = "the far side may speak TLS: try https://"
	}
	var list []string
	for name, n := range counts {
		if n > 0 {
			list = append(list, fmt.Sprintf("%s × %s", name, report.Count(n)))
		}
	}
	what := strings.Join(list, ", ")
	if s.LastError != "" {
		what += ": " + s.LastError
	}
	return fault.New(fault.Failed, hint, "no HTTP reply from %s: %s", strings.Join(f.load.Addresses, ", "), what)
}

// attributed is how many requests of the evidence have a version.
func (f *findings) attributed() (n uint64) {
	for _, c := range f.totals.Evidence.Counts {
		n += c
	}
	return n
}

func (f *findings) identifyHint() string {
	return fmt.Sprintf("labels seen: %s; name them in --expect, or say where the version stands with --identify", strings.Join(f.totals.Labels[f.target.Len():], ", "))
}

func outcomes(s *load.Snapshot) map[string]uint64 {
	counts := map[string]uint64{}
	for o, n := range s.Outcomes {
		if n > 0 {
			counts[load.Outcome(o).String()] = n
		}
	}
	return counts
}

func grpcStatuses(s *load.Snapshot) map[string]uint64 {
	if len(s.GRPC) == 0 {
		return nil
	}
	counts := map[string]uint64{}
	for status, n := range s.GRPC {
		name := "none"
		if status >= 0 {
			name = fmt.Sprint(status)
		}
		counts[name] = n
	}
	return counts
}

func gatewayMade(s *load.Snapshot) map[string]uint64 {
	if len(s.Gateway) == 0 {
		return nil
	}
	counts := map[string]uint64{}
	for status, n := range s.Gateway {
		counts[fmt.Sprint(status)] = n
	}
	return counts
}

func latency(h *load.Histogram) *report.Latency {
	if h.Count == 0 {
		return nil
	}
	return &report.Latency{P50: h.Quantile(0.5).Seconds(), P90: h.Quantile(0.9).Seconds(), P99: h.Quantile(0.99).Seconds(), Max: h.Max.Seconds()}
}

func schedule(s *load.Snapshot) *report.Schedule {
	if s.Lag.Count == 0 {
		return nil
	}
	return &report.Schedule{LagP50: s.Lag.Quantile(0.5).Seconds(), LagP99: s.Lag.Quantile(0.99).Seconds(), LagMax: s.Lag.Max.Seconds(),
		Overdue: s.Overdue, Behind: s.Behind, Cause: s.Cause, Needed: s.ConnectionsNeeded}
}

// differing names the connections that see another split, with what they saw.
func differing(d *verdict.Decision, slots []load.Evidence, labels []string) *report.Connections {
	c := &report.Connections{Total: d.Connections.Total}
	for _, slot := range d.Connections.Differ {
		c.Differ = append(c.Differ, report.Connection{Slot: slot, Requests: slots[slot].Requests, Shares: shares(&slots[slot], labels)})
	}
	return c
}

// shares names what a part of the evidence saw.
func shares(e *load.Evidence, labels []string) map[string]float64 {
	shares := map[string]float64{}
	for i, n := range e.Counts {
		if n > 0 && i < len(labels) {
			shares[labels[i]] = float64(n) / float64(e.Requests)
		}
	}
	return shares
}

// wanted is how many more requests the open sides want, nil when more would not help.
func wanted(open []verdict.OpenSide) *uint64 {
	most := 0.0
	for _, side := range open {
		if side.Wanted < 0 {
			return nil
		}
		most = max(most, side.Wanted)
	}
	if most == 0 || most > math.MaxInt64 {
		return nil
	}
	n := uint64(math.Ceil(most))
	return &n
}
