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
	Elapsed    time.Duration // since the first request might leave, until sending stopped
	Sent       uint64        // requests that took an index; after the run the sum of Outcomes
	Outcomes   [outcomes]uint64
	Labels     []LabelStats  // by label index
	Unlabelled LabelStats    // routed requests without a version
	Broken     Histogram     // response times of requests without a complete reply
	Dials      Histogram     // of dials and handshakes that failed
	Gateway    []StatusCount // the gateway's own replies, by status
	Schedule   Schedule
	Backoffs   []Backoff
	Connection ConnectionEvents
	Examples   [outcomes]string // one error in words for outcomes that have one
}

// StatusCount is how often a status came.
type StatusCount struct {
	Status int
	Count  uint64
}

// Schedule says how well the asked rate was kept.
type Schedule struct {
	Asked    float64 // requests/s; 0: closed loop
	Achieved float64 // requests/s
	LagP50   time.Duration
	LagP99   time.Duration
	LagMax   time.Duration // actual minus intended start
	Overdue  uint64        // slots whose time had come and that were not sent when sending stopped
	Behind   bool          // lag p99 above 10 ms, or slots overdue
	Cause    string        // of being behind: "connections", "our cpu" or "the far side"
	Needed   int           // connections that would have kept the rate: ⌈rate × mean service time × 1.2⌉
}

// The causes of being behind schedule.
const (
	CauseConnections = "connections"
	CauseCPU         = "our cpu"
	CauseFarSide     = "the far side"
)

// Backoff is one halving of the rate because the far side asked for less.
type Backoff struct {
	At       time.Duration // since the first request
	Cause    string        // "status 429" or "x-envoy-overloaded"
	From, To float64       // requests/s
}

// ConnectionEvents counts what happened to connections, apart from requests.
type ConnectionEvents struct {
	Opened      uint64
	ClosedIdle  uint64 // by the far side, while no request was outstanding
	Unsolicited uint64 // closed by us: octets came while no request was outstanding
	BothFramed  uint64 // te_cl: Transfer-Encoding and Content-Length in one reply
	Surplus     uint64 // dropped: octets behind a reply
	SaidClose   uint64 // dropped: the reply, its version or its framing does not allow reuse
	Failed      uint64 // dropped: a fault, a time-out, an end inside a reply
	Reconnected uint64 // dropped: ConnRequests was reached
}

type connectionCounters struct {
	opened, closedIdle, unsolicited, both, surplus, saidClose, failed, reconnected atomic.Uint64
}

// paceNotes is what the schedule tells the recorder.
type paceNotes struct {
	lateIdle atomic.Uint64 // late although a connection was free: ours
	lateBusy atomic.Uint64 // late because none was
	overdue  atomic.Uint64
	cpu      atomic.Int64 // our processor time over the run, in ns

	mu       sync.Mutex // guards backoffs
	backoffs []Backoff
}

// behindLag is the lag that counts as being behind schedule.
const behindLag = 10 * time.Millisecond

// Snapshot copies the totals. It may be called at any time; after the run it is exact.
func (r *Recorder) Snapshot() *Snapshot {
	out := &Snapshot{Sent: r.budget.sent()}
	for _, name := range r.Labels() {
		out.Labels = append(out.Labels, LabelStats{Name: name})
	}
	var lag Histogram
	gateway := map[int]uint64{}
	for _, s := range r.shards {
		s.mu.Lock()
		for i, n := range s.outcomes {
			out.Outcomes[i] += n
		}
		for i, l := range s.byLabel {
			if l == nil {
				continue
			}
			for i >= len(out.Labels) { // seen since Labels was called
				out.Labels = append(out.Labels, LabelStats{})
			}
			out.Labels[i].merge(l)
		}
		out.Unlabelled.merge(s.none)
		out.Broken.Merge(&s.broken)
		out.Dials.Merge(&s.dials)
		lag.Merge(&s.lag)
		for status, n := range s.gateway {
			gateway[status] += n
		}
		s.mu.Unlock()
	}
	for i, name := range r.Labels() {
		if i < len(out.Labels) {
			out.Labels[i].Name = name
		}
	}
	for status, n := range gateway {
		out.Gateway = append(out.Gateway, StatusCount{status, n})
	}
	slices.SortFunc(out.Gateway, func(a, b StatusCount) int { return a.Status - b.Status })
	out.Elapsed = r.elapsed()
	out.Schedule = r.schedule(out, &lag)
	r.pace.mu.Lock()
	out.Backoffs = slices.Clone(r.pace.backoffs)
	r.pace.mu.Unlock()
	out.Connection = r.events.read()
	r.notes.mu.Lock()
	out.Examples = r.notes.text
	r.notes.mu.Unlock()
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

// schedule judges how well the rate was kept, and why it was not.
func (r *Recorder) schedule(s *Snapshot, lag *Histogram) Schedule {
	out := Schedule{Asked: r.plan.Rate, LagP50: lag.Quantile(0.5), LagP99: lag.Quantile(0.99), LagMax: lag.Max, Overdue: r.pace.overdue.Load()}
	if s.Elapsed > 0 {
		out.Achieved = float64(s.Sent) / s.Elapsed.Seconds()
	}
	if r.plan.Rate == 0 {
		return out
	}
	var service Histogram
	for i := range s.Labels {
		service.Merge(&s.Labels[i].Service)
	}
	service.Merge(&s.Unlabelled.Service)
	out.Needed = max(1, int(math.Ceil(r.plan.Rate*service.Mean().Seconds()*1.2)))
	out.Behind = out.LagP99 > behindLag || out.Overdue > 0
	if !out.Behind {
		return out
	}
	cpu := time.Duration(r.pace.cpu.Load())
	switch {
	case r.pace.lateIdle.Load() > r.pace.lateBusy.Load(), float64(cpu) > 0.9*float64(s.Elapsed)*float64(len(r.shards)):
		out.Cause = CauseCPU
	case out.Needed > r.plan.Connections:
		out.Cause = CauseConnections
	default:
		out.Cause = CauseFarSide
	}
	return out
}

func (c *connectionCounters) read() ConnectionEvents {
	return ConnectionEvents{Opened: c.opened.Load(), ClosedIdle: c.closedIdle.Load(), Unsolicited: c.unsolicited.Load(),
		BothFramed: c.both.Load(), Surplus: c.surplus.Load(), SaidClose: c.saidClose.Load(), Failed: c.failed.Load(),
		Reconnected: c.reconnected.Load()}
}

// Connections is the evidence by connection slot, for tests whether they all see the same split. It holds every resolved
// request, not a prefix, and so is fit to be judged only after the drain, when the two are the same.
func (r *Recorder) Connections() []Evidence {
	unlock := r.lock()
	defer unlock()
	out := make([]Evidence, r.plan.Connections)
	for i := range out {
		out[i].reset(r.labels.count())
		r.shards[i%len(r.shards)].slots[i/len(r.shards)].evidence.addTo(&out[i])
	}
	return out
}
