package verify

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/stream"
)

// Work sends the load of a Config as one of several workers and judges nothing: what it counts goes to out, a line of
// verify/stream every 100 ms, and [Merge] decides on what all of them counted. The last line is written when every reply is
// in, and is exact. name tells this worker from the others; empty: the run's identifier.
//
// A cancelled ctx is the usual end of a worker, and no error. A reader that goes away ends the load too; the error is then
// that of writing. Other errors are those of Run, and stand in the last line as well.
func Work(ctx context.Context, c Config, name string, out io.Writer) error {
	if len(name) > stream.MaxText {
		return fault.Usagef("give a shorter --id", "the name of the worker has %d octets; %d are allowed", len(name), stream.MaxText)
	}
	c.LoadOnly, c.Target, c.Progress = true, Split{}, nil
	if err := c.Validate(); err != nil {
		return err
	}
	c = c.withDefaults()
	p, where, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	if name == "" {
		name = c.RunID
	}
	if c.Announce != nil {
		c.Announce(where.Load, Plan{MaxRequests: c.MaxRequests, MaxSeconds: c.MaxTime.Seconds()})
	}
	if err := where.speak(ctx, &c, p); err != nil {
		return err
	}
	r := &run{config: c, plan: p, where: where, started: time.Now(), recorder: load.NewRecorder(nil, p)}
	r.teller = newTeller(r, name, out)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.teller.out.Broken():
			cancel()
		case <-ctx.Done():
		}
	}()
	err = r.send(ctx)
	if e := new(fault.Error); errors.As(err, &e) && e.Exit == fault.Interrupted {
		err = nil // stopped while settling: it has counted nothing, and says so
	}
	f := r.findings()
	if err == nil {
		err = f.unanswerable(p.TLS != nil, r.interrupted)
	}
	if broken := r.teller.end(&f, err); broken != nil {
		return fault.New(fault.Failed, "whoever reads the stream ended before the worker", "writing the stream: %w", broken)
	}
	return err
}

// teller tells a run to whoever joins it with others.
type teller struct {
	run   *run
	out   *stream.Writer
	line  stream.Line // what is the same in all lines
	next  *time.Timer
	of    *load.Recorder // that the cuts are of
	cuts  []cut          // that have requests without an outcome before them
	at    int64          // the instant cut at last, Unix ms
	count load.Evidence
}

// cut is a moment whose evidence is still to be told.
type cut struct {
	mark uint64
	at   int64 // Unix ms
}

func newTeller(r *run, name string, out io.Writer) *teller {
	return &teller{run: r, out: stream.NewWriter(out), next: time.NewTimer(toInstant(time.Now())), line: stream.Line{
		Stream: stream.Format, Worker: name, RunID: r.config.RunID, Load: r.where.Load, Identify: r.config.Identify.String(),
		SlowerThan: r.config.SlowerThan.Seconds()}}
}

// toInstant is how long it is from now to the next common instant.
func toInstant(now time.Time) time.Duration {
	return stream.Interval - time.Duration(now.UnixNano())%stream.Interval
}

// due gives the channel of the instants; nil, on which nothing ever comes, for a run that nobody listens to.
func (t *teller) due() <-chan time.Time {
	if t == nil {
		return nil
	}
	return t.next.C
}

// tell cuts at the instant that is now, and tells those whose requests have all ended. A timer that is late by itself
// moves the cut by as much, not the instant: draws do not depend on each other, so it is all the same on which side of a
// cut a request falls, as long as its label has no say in it.
func (t *teller) tell() {
	now := time.Now()
	t.next.Reset(toInstant(now))
	if t.of != t.run.recorder { // another load began
		t.of, t.cuts = t.run.recorder, nil
	}
	if at := now.Truncate(stream.Interval).UnixMilli(); at > t.at { // else the clock was set back
		t.at, t.cuts = at, append(t.cuts, cut{t.of.Cut(), at})
	}
	for len(t.cuts) > 0 && t.of.EvidenceBefore(t.cuts[0].mark, &t.count) {
		l := t.line
		l.At, l.Began = t.cuts[0].at, unixMilli(t.run.evidenceSince)
		l.Labels, l.Evidence, l.Sent = t.of.Labels(), t.count, t.run.earlierSent+t.of.Sent()
		_ = t.out.Offer(&l) // counts can always be written as JSON
		t.cuts = t.cuts[1:]
	}
}

// end writes the final line.
func (t *teller) end(f *findings, failure error) error {
	t.next.Stop()
	l := t.line
	l.At, l.Began = max(t.at, time.Now().UnixMilli()+1), unixMilli(t.run.evidenceSince)
	l.Labels, l.Evidence, l.Sent = f.totals.Labels, f.totals.Evidence, f.totals.Snapshot.Sent
	l.Final = &stream.Final{Seconds: f.seconds, InFlight: f.inFlight, Snapshot: f.totals.Snapshot, Connections: f.totals.Connections, Peers: f.totals.Peers}
	if failure != nil {
		l.Final.Error = report.Safe(failure.Error())
	}
	return t.out.Close(&l)
}

func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
