package load

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Snapshot is everything since the start, warm-up included.
type Snapshot struct {
	Elapsed     time.Duration    `json:"elapsed"` // since the first request might leave, until sending stopped
	Sent        uint64           `json:"sent"`    // requests that took an index; after the run the sum of Outcomes
	Outcomes    OutcomeCounts    `json:"outcomes"`
	Versions    []VersionStats   `json:"versions"`          // by label index
	Unversioned VersionStats     `json:"unversioned"`       // routed requests without a version
	Gateway     map[int]uint64   `json:"gateway,omitempty"` // the gateway's own replies, by status
	GRPC        map[int]uint64   `json:"grpc,omitempty"`    // of a gRPC plan: complete replies by grpc-status, -1 without one
	Connections ConnectionEvents `json:"connections"`       // what happened to connections

	FailedService Histogram `json:"failedService,omitzero"` // first octet sent to the end, of requests without a complete reply
	FailedDials   Histogram `json:"failedDials,omitzero"`   // of dials and handshakes

	RateAsked         float64   `json:"rateAsked,omitempty"`         // requests/s; 0: closed loop
	RateAchieved      float64   `json:"rateAchieved,omitempty"`      // requests/s, of everything sent
	Lag               Histogram `json:"lag,omitzero"`                // actual minus intended start; empty in a closed loop
	Overdue           uint64    `json:"overdue,omitempty"`           // slots whose time had come and that were not sent when sending stopped
	Behind            bool      `json:"behind,omitempty"`            // lag p99 above 10 ms, of ten starts or more, or slots overdue
	Cause             string    `json:"cause,omitempty"`             // of being behind
	ConnectionsNeeded int       `json:"connectionsNeeded,omitempty"` // that would keep the rate: ⌈rate × mean service time × 1.2 / streams⌉; 0 in a closed loop
	Slowed            uint64    `json:"slowed,omitempty"`            // how often the rate was halved
	Backoffs          []Backoff `json:"backoffs,omitempty"`          // the first of these, with their causes

	Own OwnLimits `json:"own,omitzero"`

	Renewals   uint64 `json:"renewals,omitempty"`   // how often the plan's Renew gave another request
	RenewError string `json:"renewError,omitempty"` // why it did not, the last time that it failed

	Examples  Examples `json:"examples,omitzero"`   // one error in words, for outcomes that have one
	LastError string   `json:"lastError,omitempty"` // of those, the one that says most
}

// The causes of being behind schedule.
const (
	CauseConnections = "connections"
	CauseCPU         = "our cpu"
	CauseFarSide     = "the far side"
)

// Backoff is one halving of the rate because the far side asked for less.
type Backoff struct {
	At    time.Duration `json:"at"`    // since the first request
	Cause string        `json:"cause"` // "status 429" or "x-envoy-overloaded"
	From  float64       `json:"from"`  // requests/s
	To    float64       `json:"to"`
}

// paceNotes is what the schedule tells the recorder.
type paceNotes struct {
	free     atomic.Uint64 // slots that found a connection free
	lateIdle atomic.Uint64 // and were late all the same: our own doing
	lateBusy atomic.Uint64 // late because none was
	overdue  atomic.Uint64

	mu       sync.Mutex // guards what follows
	backoffs []Backoff
	slowed   uint64

	renewals   uint64
	renewError string
}

// lateOurselves says whether slots were late that no reply was awaited for. When we are starved of the processor, replies
// that have arrived wait unread too, and their connections look busy: so what became of the slots that did find one free
// decides. A quarter is a choice: of a starved generator it was three in four or more, on a machine that merely is loaded
// one in ten.
func (n *paceNotes) lateOurselves() bool {
	late := n.lateIdle.Load()
	return late > n.lateBusy.Load() || late >= 10 && 4*late > n.free.Load()
}

// behindLag is the lag that counts as being behind schedule, once so many starts had it: of 50 the 99th percentile is the latest
// alone, and one hiccup of a machine no finding. Both are choices.
const (
	behindLag    = 10 * time.Millisecond
	behindStarts = 10
)

// Snapshot copies the totals. It may be called at any time; after the run it is exact.
func (r *Recorder) Snapshot() Snapshot {
	out := Snapshot{Sent: r.budget.sent(), Gateway: map[int]uint64{}}
	for _, name := range r.Labels() {
		out.Versions = append(out.Versions, VersionStats{Name: name})
	}
	for _, s := range r.shards {
		s.mu.Lock()
		for i, n := range s.outcomes {
			out.Outcomes[i] += n
		}
		for i, l := range s.byLabel {
			if l == nil {
				continue
			}
			for i >= len(out.Versions) { // seen since Labels was called
				out.Versions = append(out.Versions, VersionStats{})
			}
			out.Versions[i].merge(l)
		}
		out.Unversioned.merge(s.none)
		out.FailedService.Merge(&s.broken)
		out.FailedDials.Merge(&s.dials)
		out.Lag.Merge(&s.lag)
		for status, n := range s.gateway {
			out.Gateway[status] += n
		}
		for status, n := range s.grpc {
			if out.GRPC == nil {
				out.GRPC = map[int]uint64{}
			}
			out.GRPC[status] += n
		}
		s.mu.Unlock()
	}
	for i, name := range r.Labels() {
		if i < len(out.Versions) {
			out.Versions[i].Name = name
		}
	}
	out.Elapsed = r.elapsed()
	out.Own = r.own.read(out.Elapsed)
	r.judgeSchedule(&out)
	r.pace.mu.Lock()
	out.Backoffs, out.Slowed = slices.Clone(r.pace.backoffs), r.pace.slowed
	out.Renewals, out.RenewError = r.pace.renewals, r.pace.renewError
	r.pace.mu.Unlock()
	out.Connections = r.events.read()
	r.notes.mu.Lock()
	out.Examples = r.notes.text
	r.notes.mu.Unlock()
	for _, o := range []Outcome{DialError, TLSError, Timeout, Reset, Truncated, Limit, Malformed} { // least telling first
		if out.Examples[o] != "" {
			out.LastError = out.Examples[o]
		}
	}
	return out
}

func (r *Recorder) elapsed() time.Duration {
	began, ended := time.Duration(r.began.Load()), time.Duration(r.ended.Load())
	switch {
	case began == 0:
		return 0
	case ended == 0:
		ended = r.now()
	}
	return ended - began
}

// late says whether the schedule was not kept.
func (s *Snapshot) late() bool {
	var starts uint64
	s.Lag.Buckets(func(upTo time.Duration, n uint64) {
		if upTo > behindLag {
			starts += n
		}
	})
	return s.Overdue > 0 || starts >= behindStarts && s.Lag.Quantile(0.99) > behindLag
}

// judgeSchedule says how well the rate was kept, and why it was not.
func (r *Recorder) judgeSchedule(s *Snapshot) {
	s.RateAsked, s.Overdue = r.plan.Rate, r.pace.overdue.Load()
	if s.Elapsed > 0 {
		s.RateAchieved = float64(s.Sent) / s.Elapsed.Seconds()
	}
	if r.plan.Rate == 0 {
		return
	}
	var service Histogram
	for i := range s.Versions {
		service.Merge(&s.Versions[i].Service)
	}
	service.Merge(&s.Unversioned.Service)
	s.ConnectionsNeeded = max(1, int(math.Ceil(r.plan.Rate*service.Mean().Seconds()*1.2/float64(r.plan.Streams))))
	if s.Behind = s.late(); !s.Behind {
		return
	}
	switch {
	case r.pace.lateOurselves(), s.Own.Busy > MaxBusy:
		s.Cause = CauseCPU
	case s.ConnectionsNeeded > r.plan.Connections:
		s.Cause = CauseConnections
	default:
		s.Cause = CauseFarSide
	}
}
