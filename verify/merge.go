package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/stream"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Merge joins the streams of several workers and decides as if they were one run: it looks at every instant that all
// streams know, and judges once more when all of them have ended. Of the Config only what is judged matters, and Progress;
// what was sent stands in the streams. Merge closes the sources.
//
// A worker whose stream ends without its final line is lost: nobody knows what became of its last requests. What the others
// and it had in common still proves a FAIL, but no PASS; the Report is INCONCLUSIVE then, and names the worker. Errors are
// usage errors, and streams that cannot be read or are no parts of one run.
//
// A cancelled ctx ends the reading. Workers that have not ended count as lost, and Interrupted is set.
func Merge(ctx context.Context, c Config, sources []stream.Source) (*Report, error) {
	m := &merge{config: c.withDefaults(), join: stream.NewJoin(c.Target.Names(), sources)}
	defer m.join.Close()
	if len(sources) == 0 {
		return nil, fault.Usagef("name the files of the workers, or - for stdin", "no stream to merge")
	}
	m.config.URL, m.config.LoadOnly = "http://unused/", false
	if err := m.config.Validate(); err != nil {
		return nil, err
	}
	q, err := m.config.question()
	if err != nil {
		return nil, err
	}
	if m.procedure, err = verdict.New(q); err != nil {
		return nil, err
	}
	if err := m.read(ctx); err != nil {
		return nil, err
	}
	return m.report()
}

// merge is several streams on their way to one report.
type merge struct {
	config      Config
	join        *stream.Join
	procedure   *verdict.Procedure
	prefix      load.Totals // the evidence at the last common instant
	evidence    verdict.Evidence
	looked      uint64
	interrupted bool
}

// read looks at every common instant until the streams end.
func (m *merge) read(ctx context.Context) error {
	for first := true; ; first = false {
		sum, err := m.join.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && ctx.Err() != nil:
			m.interrupted = true
			return nil
		case err != nil:
			return err
		}
		if first {
			if err := m.sameLimit(); err != nil {
				return err
			}
		}
		m.prefix = sum
		fold(&sum.Evidence, &m.evidence, m.config.Target.Len())
		if m.evidence.Requests >= m.looked+minStep {
			m.looked = m.evidence.Requests
			m.procedure.Look(&m.evidence)
		}
		if m.config.Progress != nil {
			m.config.Progress(m.progress())
		}
	}
}

// sameLimit says when latency is to be judged by another limit than the workers counted by.
func (m *merge) sameLimit() error {
	theirs := time.Duration(m.join.Last()[0].SlowerThan * float64(time.Second)).Round(time.Nanosecond)
	if asked := m.config.SlowerThan; asked > 0 && asked != theirs {
		return fault.Usagef("give the workers the same --slower-than", "--slower-than %v: the workers counted by %v", asked, theirs)
	}
	return nil
}

func (m *merge) progress() Progress {
	e := &m.prefix.Evidence
	p := Progress{Evidence: e.Requests, Versions: m.prefix.Labels, Shares: make([]float64, len(m.prefix.Labels)), Errors: e.UnattributedErrors}
	for _, l := range m.join.Last() {
		p.Sent += l.Sent
		if l.Began > 0 {
			p.Elapsed = max(p.Elapsed, time.Duration(l.At-l.Began)*time.Millisecond)
		}
	}
	for i, n := range e.Counts {
		if e.Requests > 0 {
			p.Shares[i] = float64(n) / float64(e.Requests)
		}
		p.Errors += e.Failures[i]
	}
	return p
}

// report decides on all there is: the final counts of all workers, or, when one was lost, the last instant known of all.
func (m *merge) report() (*Report, error) {
	f, workers, hidden := m.findings()
	lost := slices.ContainsFunc(workers, func(w report.Worker) bool { return !w.Complete })
	if !lost {
		if err := f.unanswerable(strings.HasPrefix(f.load.URL, "https:"), m.interrupted); err != nil {
			return nil, err
		}
	}
	fold(&f.totals.Evidence, &m.evidence, m.config.Target.Len())
	out := f.document()
	out.Workers, out.Interrupted, out.Requests.Settling = workers, m.interrupted, m.settling()
	if began := m.started(); began.UnixMilli() > 0 {
		out.StartedAt = began.UTC().Format(time.RFC3339)
	}
	if lost && m.evidence.Requests == 0 { // what each of them told is of another moment: nothing can be judged
		f.undecided(out, verdict.CodeIncomplete, "no moment is known of all workers: "+incomplete(workers))
		return out, nil
	}
	if err := f.judge(out, m.procedure, &m.evidence); err != nil {
		e := new(fault.Error)
		if errors.As(err, &e) && e.Name == verdict.CodeIdentify && len(hidden) > 0 {
			f.undecided(out, verdict.CodeManyVersions, strings.Join(hidden, "; "))
			return out, nil
		}
		if lost && e.Name != "" {
			e.Hint = incomplete(workers)
		}
		return nil, err
	}
	out.Warnings = append(out.Warnings, hidden...)
	f.boundLatencies(out)
	if lost {
		reason := report.Reason{Code: verdict.CodeIncomplete, Message: incomplete(workers)}
		at := len(out.Reasons)
		if out.Verdict == verdict.Pass.String() {
			out.Verdict, at = verdict.Inconclusive.String(), 0
		}
		out.Reasons = slices.Insert(out.Reasons, at, reason)
	}
	for _, w := range workers {
		if w.Error != "" {
			out.Warnings = append(out.Warnings, fmt.Sprintf("worker %s ended early: %s", w.Name, w.Error))
		}
	}
	return out, nil
}

// findings adds up what the workers counted. hidden says which of them, who know no target, had met as many versions as they tell
// apart before one of the target.
func (m *merge) findings() (_ findings, _ []report.Worker, hidden []string) {
	k := m.config.Target.Len()
	f := findings{target: m.config.Target, confidence: m.config.Confidence, slowerThan: m.config.SlowerThan, load: report.Load{Addresses: []string{}}}
	f.totals = load.Totals{Labels: m.config.Target.Names(), Snapshot: load.Snapshot{Versions: make([]load.VersionStats, k)}}
	var workers []report.Worker
	var sent uint64
	var ended int64
	whole := true
	for _, l := range m.join.Last() {
		if l == nil { // interrupted before its first line
			workers = append(workers, report.Worker{Name: "without a name"})
			whole = false
			continue
		}
		w := report.Worker{Name: report.Safe(l.Worker), RunID: report.Safe(l.RunID), Sent: l.Sent, Complete: l.Final != nil}
		end := l.At
		t := l.Totals()
		if n := t.HideOther(m.config.Target.Names()); n > 0 {
			hidden = append(hidden, fmt.Sprintf("worker %s met %d other versions before it met all of the target: %s of its replies may be of any version",
				l.Worker, load.MaxLabels, report.Count(n)))
		}
		if l.Final != nil {
			w.Error = report.Safe(l.Final.Error)
			f.inFlight += l.Final.InFlight
			end = l.Began + int64(1000*l.Final.Seconds)
			f.totals.Add(&t)
		}
		whole = whole && w.Complete
		ended = max(ended, end)
		sent += l.Sent
		workers = append(workers, w)
		f.load = joined(f.load, l.Load)
	}
	if !whole {
		// Connections and addresses are known of whole workers only, and up to another moment.
		f.totals.Evidence, f.totals.Connections, f.totals.Peers = load.Evidence{}, nil, nil
		f.totals.Add(&load.Totals{Labels: m.prefix.Labels, Evidence: m.prefix.Evidence})
	}
	f.totals.Snapshot.Sent = sent
	if began := m.started(); ended > began.UnixMilli() {
		f.seconds = time.UnixMilli(ended).Sub(began).Seconds()
	}
	return f, workers, hidden
}

// settling is how many requests whole workers sent before their evidence began.
func (m *merge) settling() (n uint64) {
	for _, l := range m.join.Last() {
		if l != nil && l.Final != nil {
			n += l.Sent - l.Evidence.Sent
		}
	}
	return n
}

// started is when the first of them began to measure.
func (m *merge) started() time.Time {
	var first int64
	for _, l := range m.join.Last() {
		if l != nil && l.Began > 0 && (first == 0 || l.Began < first) {
			first = l.Began
		}
	}
	return time.UnixMilli(first)
}

// joined describes two loads side by side as one.
func joined(a, b report.Load) report.Load {
	a.Insecure = a.Insecure || b.Insecure
	if a.URL == "" {
		return b
	}
	for _, address := range b.Addresses {
		if !slices.Contains(a.Addresses, address) {
			a.Addresses = append(slices.Clone(a.Addresses), address)
		}
	}
	if !slices.Contains(strings.Split(a.Engine, ", "), b.Engine) {
		a.Engine += ", " + b.Engine
	}
	a.Connections += b.Connections
	a.RateAsked += b.RateAsked
	return a
}

// incomplete names the workers that were lost.
func incomplete(workers []report.Worker) string {
	var lost []string
	for _, w := range workers {
		if !w.Complete {
			lost = append(lost, fmt.Sprintf("worker %s ended without its final counts, after %s requests that it told of", w.Name, report.Count(w.Sent)))
		}
	}
	return strings.Join(lost, "; ")
}
