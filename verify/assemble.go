package verify

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// read copies the evidence so far from the recorder and folds labels outside the target into Foreign.
func (r *run) read() {
	r.recorder.Evidence(&r.counts)
	fold(&r.counts, &r.evidence, r.config.Target.Len())
}

// fold turns counts by label, targets first, into evidence about k target versions. It reuses what out holds.
func fold(in *load.Evidence, out *verdict.Evidence, k int) {
	if len(out.Counts) != k {
		out.Counts, out.Failures, out.Slow = make([]uint64, k), make([]uint64, k), make([]uint64, k)
	}
	out.Foreign, out.ForeignFailures, out.ForeignSlow = 0, 0, 0
	clear(out.Counts) // a label may be too new to have counts
	clear(out.Failures)
	clear(out.Slow)
	for i, n := range in.Counts {
		if i < k {
			out.Counts[i], out.Failures[i], out.Slow[i] = n, in.Failures[i], in.Slow[i]
		} else {
			out.Foreign += n
			out.ForeignFailures += in.Failures[i]
			out.ForeignSlow += in.Slow[i]
		}
	}
	out.UnattributedSlow = in.UnattributedSlow
	out.Requests, out.Unattributed, out.UnattributedFailures = in.Requests, in.Unattributed, in.UnattributedFailures
}

// report assembles the Report after the drain.
func (r *run) report() (*Report, error) {
	r.read()
	snapshot := r.recorder.Snapshot()
	if err := r.unanswerable(&snapshot); err != nil {
		return nil, err
	}
	out := &Report{
		APIVersion: report.APIVersion, Kind: report.Kind, RunID: r.config.RunID,
		StartedAt: r.started.UTC().Format(time.RFC3339), Interrupted: r.interrupted,
		Unattributed: r.evidence.Unattributed, Outcomes: outcomes(&snapshot), GatewayMade: gatewayMade(&snapshot),
	}
	sent := r.counts.Sent
	total := snapshot.Sent
	for outcome, n := range r.earlier {
		out.Outcomes[outcome] += n
		total += n
	}
	out.Requests = report.Requests{Sent: total, Settling: total - sent, Evidence: r.evidence.Requests, Drained: min(r.inFlight, sent)}
	out.Load = r.where.Load
	// A load that its cap ended has drained by the time it is noticed: waiting for the last replies is no sending.
	seconds := min(r.measured, snapshot.Elapsed).Seconds()
	out.Load.Requests, out.Load.Seconds = sent, seconds
	if seconds > 0 {
		out.Load.RequestsPerSecond = float64(sent) / seconds
	}
	out.Load.Slowed, out.Load.Schedule = snapshot.Slowed, schedule(&snapshot)
	out.Load.Failures = latency(&snapshot.FailedService)
	out.Versions = r.versions(&snapshot)
	if r.config.Change != nil {
		out.Propagation = &report.Propagation{Traffic: &report.TrafficTiming{Untimed: "no load ran while the weights changed: at this rate it would have used up the requests allowed"}}
		switch {
		case r.arrival != nil:
			out.Propagation.Traffic = r.arrival.seen()
		case r.timing != nil:
			out.Propagation.Traffic = r.timing
		}
	}
	if r.procedure != nil {
		if err := r.judge(out); err != nil {
			return nil, err
		}
		r.boundLatencies(out, &snapshot)
	}
	return out, nil
}

// judge decides and writes the decision into the report.
func (r *run) judge(out *Report) error {
	k := r.config.Target.Len()
	slots := r.recorder.Connections()
	connections := make([]verdict.Evidence, len(slots))
	for i := range slots {
		fold(&slots[i], &connections[i], k)
	}
	d := r.procedure.Decide(&r.evidence, connections)
	if err := d.Err(); err != nil {
		if err.Name == verdict.CodeIdentify {
			err.Hint = r.identifyHint()
		}
		return err
	}
	out.Verdict, out.Confidence = d.Verdict.String(), r.config.Confidence
	out.CertifiedWithin = &d.CertifiedWithin
	out.Connections = differing(&d, slots, r.recorder.Labels())
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
	if r.watch != nil {
		out.Watched = time.Since(r.watchSince).Seconds()
		if reason := r.watch.Reason(); reason.Code != "" {
			// The PASS was true when it was said; the watch has seen it end.
			out.Verdict = verdict.Fail.String()
			d.Reasons = []verdict.Reason{reason}
		}
	}
	for _, reason := range d.Reasons {
		out.Reasons = append(out.Reasons, report.Reason{Code: reason.Code, Message: reason.Message})
	}
	for _, n := range d.Notes {
		out.Warnings = append(out.Warnings, n.Message)
	}
	return nil
}

// versions makes a row per label: targets in their order, then whatever else answered.
func (r *run) versions(s *load.Snapshot) []report.Version {
	labels := r.recorder.Labels()
	rows := make([]report.Version, len(labels))
	for i, name := range labels {
		v := &rows[i]
		v.Name = name
		if !r.config.LoadOnly {
			target, zero := r.config.Target.Share(name), 0.0
			v.Target, v.Tolerance = &target, &zero
		}
		if i < len(r.counts.Counts) {
			v.Requests, v.Errors, v.Slow = r.counts.Counts[i], r.counts.Failures[i], r.counts.Slow[i]
		}
		if r.counts.Requests > 0 {
			v.Observed = float64(v.Requests) / float64(r.counts.Requests)
		}
		if i < len(s.Versions) {
			v.ClientErrors = s.Versions[i].Status[4]
			v.Service = latency(&s.Versions[i].Service)
			if r.config.Rate != Unpaced {
				v.Response = latency(&s.Versions[i].Response)
			}
		}
	}
	return rows
}

func (r *run) progress(draining bool) Progress {
	r.read()
	p := Progress{Elapsed: -time.Second, Sent: r.recorder.Sent(), Evidence: r.evidence.Requests, Versions: r.recorder.Labels(), Draining: draining}
	if !r.evidenceSince.IsZero() {
		p.Elapsed = time.Since(r.evidenceSince)
	}
	p.Shares = make([]float64, len(p.Versions))
	for i := range p.Shares {
		if i < len(r.counts.Counts) && r.counts.Requests > 0 {
			p.Shares[i] = float64(r.counts.Counts[i]) / float64(r.counts.Requests)
			p.Errors += r.counts.Failures[i]
		}
	}
	p.Errors += r.counts.UnattributedFailures
	return p
}

// unanswerable is the error of a run that can have no verdict: nothing came back that speaks HTTP.
func (r *run) unanswerable(s *load.Snapshot) error {
	counts := outcomes(s)
	http := counts["answered"] + counts["no_label"] + counts["bad_label"] + counts["gateway"]
	if http > 0 || s.Sent == 0 && r.interrupted {
		return nil
	}
	hint := "is the address right, and does the gateway listen there?"
	switch {
	case counts["tls_error"] > 0:
		hint = "check the certificate and the name: --host, --sni, --ca; or --insecure"
	case counts["malformed"] > 0 && r.plan.TLS == nil:
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
	return fault.New(fault.Failed, hint, "no HTTP reply from %s: %s", strings.Join(r.where.Addresses, ", "), what)
}

func (r *run) identifyHint() string {
	return fmt.Sprintf("labels seen: %s; name them in --expect, or say where the version stands with --identify", strings.Join(r.recorder.Labels()[r.config.Target.Len():], ", "))
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
		one := report.Connection{Slot: slot, Requests: slots[slot].Requests, Shares: map[string]float64{}}
		for i, n := range slots[slot].Counts {
			if n > 0 && i < len(labels) {
				one.Shares[labels[i]] = float64(n) / float64(slots[slot].Requests)
			}
		}
		c.Differ = append(c.Differ, one)
	}
	return c
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
