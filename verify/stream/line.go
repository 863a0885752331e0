package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Format heads every line. The number behind the slash rises when an old reader would misread a line; fields are added
// without that.
const (
	Format = family + "1"
	family = "mesh-split.dev/worker-stream/"
)

// Interval lies between lines, and between the instants at which workers cut.
const Interval = 100 * time.Millisecond

// Line is a worker's counts at one instant, complete in itself.
type Line struct {
	Stream string `json:"stream"` // Format
	Worker string `json:"worker"` // its name, different from every other worker's
	RunID  string `json:"runId"`  // as sent in header x-mesh-split-run
	At     int64  `json:"at"`     // Unix time in ms, a multiple of Interval but for the final line: requests sent before are counted
	Began  int64  `json:"began"`  // Unix time in ms at which the evidence began; 0: not yet

	Load       report.Load `json:"load"`                 // what is sent where; its counts and times are empty
	Identify   string      `json:"identify"`             // where replies name their version
	SlowerThan float64     `json:"slowerThan,omitempty"` // seconds above which a request counts as slow; absent: none does

	Sent     uint64        `json:"sent"`     // all requests so far, in flight and settling included
	Labels   []string      `json:"labels"`   // the versions seen, in the order of all counts
	Evidence load.Evidence `json:"evidence"` // of the requests sent before At, all of which have ended

	Final *Final `json:"final,omitempty"` // only in the last line: what is exact once every reply is in
}

// Final is what a worker knows at its end. Durations in it are nanoseconds.
type Final struct {
	Error       string          `json:"error,omitempty"` // why the worker ended before its time
	Seconds     float64         `json:"seconds"`         // of sending, since the evidence began
	InFlight    uint64          `json:"inFlight"`        // at the stop: replies that were awaited
	Snapshot    load.Snapshot   `json:"snapshot"`        // everything since the start, settling included
	Connections []load.Evidence `json:"connections"`     // the evidence by connection
	Peers       []load.Peer     `json:"peers"`           // and by address
}

// Totals are the line's counts; before the final line only labels and evidence.
func (l *Line) Totals() load.Totals {
	t := load.Totals{Labels: l.Labels, Evidence: l.Evidence}
	if f := l.Final; f != nil {
		t.Snapshot, t.Connections, t.Peers = f.Snapshot, f.Connections, f.Peers
	}
	return t
}

// MaxText bounds names, which are shown to people.
const MaxText = 256

// check says what is wrong with a line that is JSON.
func (l *Line) check() error {
	switch {
	case strings.HasPrefix(l.Stream, family) && l.Stream != Format:
		return fmt.Errorf("it is in version %q of the stream, this program reads %q", strings.TrimPrefix(l.Stream, family), strings.TrimPrefix(Format, family))
	case l.Stream != Format:
		return errors.New("it is not a worker's")
	case l.Worker == "" || len(l.Worker) > MaxText:
		return errors.New("its worker has no name, or a very long one")
	case l.At <= 0 || l.Began < 0:
		return errors.New("it names no time")
	case len(l.Labels) > load.MaxLabels+1:
		return fmt.Errorf("it names %d versions; a worker tells %d apart", len(l.Labels), load.MaxLabels)
	}
	for i, name := range l.Labels {
		if len(name) > MaxText || slices.Contains(l.Labels[:i], name) {
			return errors.New("a version is named twice, or at great length")
		}
	}
	if !consistent(&l.Evidence, len(l.Labels)) || l.Evidence.Sent > l.Sent {
		return errors.New("its counts contradict each other")
	}
	if l.Final != nil {
		return l.Final.check(l)
	}
	return nil
}

// check: at the end every request has one outcome, and all the ways to count agree.
func (f *Final) check(l *Line) error {
	s := &f.Snapshot
	var ended, routed, labelled, connections, peers uint64
	for _, o := range load.Outcomes() {
		ended += s.Outcomes[o]
		if o.Routed() {
			routed += s.Outcomes[o]
		}
	}
	for i := range s.Versions {
		labelled += s.Versions[i].Requests
	}
	for i := range f.Connections {
		connections += f.Connections[i].Requests
		if !consistent(&f.Connections[i], len(l.Labels)) {
			return fmt.Errorf("the counts of connection %d contradict each other", i)
		}
	}
	for i := range f.Peers {
		peers += f.Peers[i].Requests
		if !consistent(&f.Peers[i].Evidence, len(l.Labels)) {
			return fmt.Errorf("the counts of address %d contradict each other", i)
		}
	}
	n := l.Evidence.Requests
	if ended != s.Sent || s.Sent != l.Sent || len(s.Versions) > len(l.Labels) || labelled+s.Unversioned.Requests > routed ||
		n > routed || connections != n || peers != n || !(f.Seconds >= 0) {
		return errors.New("its final counts contradict each other")
	}
	return nil
}

// consistent says whether e can be evidence with so many labels.
func consistent(e *load.Evidence, labels int) bool {
	if len(e.Counts) > labels || len(e.Failures) != len(e.Counts) || len(e.Slow) != len(e.Counts) {
		return false
	}
	rest := e.Requests // subtracting cannot overflow as a sum could
	for i, c := range e.Counts {
		if c > rest || e.Failures[i] > c || e.Slow[i] > c {
			return false
		}
		rest -= c
	}
	return e.Unattributed == rest && e.UnattributedFailures <= rest && e.UnattributedSlow <= rest && e.UnattributedErrors <= rest && e.Sent >= e.Requests
}

// follows says what is wrong with a line behind another of the same stream: counts only grow.
func (l *Line) follows(before *Line) error {
	switch {
	case before.Final != nil:
		return errors.New("it stands behind the final one")
	case l.Worker != before.Worker:
		return fmt.Errorf("it is of worker %q, the line before of %q", l.Worker, before.Worker)
	case l.At < before.At || l.At == before.At && l.Final == nil:
		return errors.New("it is older than the line before")
	case len(l.Labels) < len(before.Labels) || !slices.Equal(l.Labels[:len(before.Labels)], before.Labels):
		return errors.New("its versions are not those of the line before")
	}
	shrunk := l.Sent < before.Sent || l.Evidence.Requests < before.Evidence.Requests || l.Evidence.Unattributed < before.Evidence.Unattributed ||
		len(l.Evidence.Counts) < len(before.Evidence.Counts)
	for i, n := range before.Evidence.Counts {
		shrunk = shrunk || l.Evidence.Counts[i] < n
	}
	if shrunk {
		return errors.New("its counts are smaller than those of the line before")
	}
	return nil
}

// sameLoad says in what a line's load differs from another's, so that the two cannot be parts of one run; nil if they can.
func (l *Line) sameLoad(o *Line) error {
	for _, row := range []struct{ what, here, there string }{
		{"url", l.Load.URL, o.Load.URL},
		{"host", l.Load.Host, o.Load.Host},
		{"method", l.Load.Method, o.Load.Method},
		{"protocol", l.Load.Protocol, o.Load.Protocol},
		{"--identify", l.Identify, o.Identify},
		{"--slower-than", fmt.Sprint(l.SlowerThan), fmt.Sprint(o.SlowerThan)},
		{"constant rate", fmt.Sprint(l.Load.RateAsked > 0), fmt.Sprint(o.Load.RateAsked > 0)},
	} {
		if row.here != row.there {
			return fmt.Errorf("%s of worker %q is %q, of worker %q %q", row.what, o.Worker, row.there, l.Worker, row.here)
		}
	}
	return nil
}
