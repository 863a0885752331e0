package verify

import (
	"context"
	"time"

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
	f := r.findings()
	if err := f.unanswerable(r.plan.TLS != nil, r.interrupted); err != nil {
		return nil, err
	}
	if r.interrupted && r.procedure != nil && f.totals.Evidence.Requests == 0 {
		return nil, unsent(context.Canceled)
	}
	out := f.document()
	out.RunID, out.StartedAt, out.Interrupted = r.config.RunID, r.started.UTC().Format(time.RFC3339), r.interrupted
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
		if err := f.judge(out, r.procedure, &r.evidence); err != nil {
			return nil, err
		}
		r.watched(out)
		f.boundLatencies(out)
	}
	return out, nil
}

// findings takes stock after the drain.
func (r *run) findings() findings {
	f := findings{target: r.config.Target, confidence: r.config.Confidence, load: r.where.Load, totals: r.recorder.Totals(), inFlight: r.inFlight,
		slowerThan: r.config.SlowerThan}
	if r.config.LoadOnly {
		f.target = Split{}
	}
	for o, n := range r.earlier {
		f.totals.Snapshot.Outcomes[o] += n
	}
	f.totals.Snapshot.Sent += r.earlierSent
	// A load that its cap ended has drained by the time it is noticed: waiting for the last replies is no sending.
	f.seconds = min(r.measured, f.totals.Snapshot.Elapsed).Seconds()
	return f
}

// watched adds what came of watching after a PASS.
func (r *run) watched(out *Report) {
	if r.watch == nil {
		return
	}
	out.Watched = time.Since(r.watchSince).Seconds()
	if reason := r.watch.Reason(); reason.Code != "" {
		// The PASS was true when it was said; the watch has seen it end.
		out.Verdict = verdict.Fail.String()
		out.Reasons = []report.Reason{{Code: reason.Code, Message: reason.Message}}
	}
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
	p.Errors += r.counts.UnattributedErrors
	return p
}
