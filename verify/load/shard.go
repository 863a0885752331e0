package load

import (
	"sync"
)

// shard holds the counts of the workers of one core. mu guards everything; workers hold it for a batch, readers for a
// copy.
type shard struct {
	r      *Recorder
	number int
	of     int // how many shards

	mu       sync.Mutex
	resolved uint64 // all outcomes
	stamped  uint64 // those of the evidence
	outcomes OutcomeCounts
	ledger   ledger
	slots    []*sums              // evidence by connection / of
	byPeer   [MaxLabels + 1]*sums // evidence by address
	byLabel  [MaxLabels + 1]*VersionStats
	none     *VersionStats // complete replies without a label
	broken   Histogram     // service times of requests that have no complete reply
	dials    Histogram     // and of dials and handshakes that failed
	lag      Histogram     // actual minus intended start
	gateway  map[int]uint64
	grpc     map[int]uint64 // judged replies by grpc-status
	feed     feed
}

func newShard(r *Recorder, number, of int) *shard {
	s := &shard{r: r, number: number, of: of, none: new(VersionStats), gateway: map[int]uint64{}}
	s.slots = make([]*sums, (r.plan.Connections-number+of-1)/of)
	for i := range s.slots {
		s.slots[i] = new(sums)
	}
	for i := range min(r.targets, MaxLabels) {
		s.byLabel[i] = new(VersionStats)
	}
	s.feed.void = make([]uint32, len(s.slots))
	return s
}

// restart makes the epochs from start on the evidence.
func (s *shard) restart(start uint64) {
	s.stamped = 0
	s.ledger.restart(start)
	for _, c := range s.slots {
		*c = sums{}
	}
	for _, p := range s.byPeer {
		if p != nil {
			*p = sums{}
		}
	}
}

// add counts one result.
func (s *shard) add(res *result) {
	s.resolved++
	s.outcomes[res.outcome]++
	label, flaws := int(res.label), s.flaws(res)
	if !res.outcome.Routed() {
		label = NeverRouted
	}
	s.ledger.add(res.epoch, label, flaws)
	if res.epoch >= s.r.start.Load() {
		s.stamped++
		s.slots[int(res.slot)/s.of].count(label, flaws)
		if s.byPeer[res.peer] == nil {
			s.byPeer[res.peer] = new(sums)
		}
		s.byPeer[res.peer].count(label, flaws)
	}
	service := res.received - res.sent
	switch {
	case label == NeverRouted:
		s.dials.Record(service)
		return
	case label >= 0:
		if s.byLabel[label] == nil {
			s.byLabel[label] = new(VersionStats)
		}
		s.byLabel[label].count(res, flaws, s.r.plan.Rate > 0)
	default:
		s.none.count(res, flaws, s.r.plan.Rate > 0)
	}
	if res.outcome == Gateway {
		s.gateway[int(res.status)]++
	}
	if res.judged {
		if s.grpc == nil {
			s.grpc = map[int]uint64{}
		}
		s.grpc[int(res.grpc)]++
	}
	if s.r.plan.Rate > 0 {
		s.lag.Record(res.sent - res.intended)
	}
	if !res.outcome.Complete() {
		s.broken.Record(service)
	}
	s.feed.add(Change{Sent: res.sent, Label: label, Connection: int(res.slot), Dial: int(res.dial)}, int(res.slot)/s.of)
}

// count adds one outcome.
func (s *sums) count(label int, flaws Flaws) {
	s.resolved++
	switch {
	case label == Unattributed:
		s.unattributed++
		s.hiddenSlow += uint64(flaws & Slow / Slow)
		s.hiddenErrors += uint64(flaws & Erred / Erred)
	case label >= 0:
		s.counts[label]++
		s.failures[label] += uint64(flaws & Failed / Failed)
		s.slow[label] += uint64(flaws & Slow / Slow)
	}
}

// flaws of a result, by the plan's limit.
func (s *shard) flaws(res *result) (f Flaws) {
	said := res.judged && res.grpc != 0
	if said || failing(res.outcome, int(res.status)) {
		f |= Failed
	}
	if said || !res.outcome.Complete() || erring(int(res.status)) {
		f |= Erred
	}
	if limit := s.r.plan.SlowerThan; limit > 0 && res.received-res.sent > limit {
		f |= Slow
	}
	return f
}

// failing says what counts as an error of a version: a 5xx status, a code outside 100 to 599 (RFC 9110, 15: treat as a
// 5xx), or a reply that broke.
func failing(o Outcome, status int) bool {
	return o != Answered || erring(status)
}

func erring(status int) bool { return status >= 500 || status < 100 }

// VersionStats is what is known of one version's replies, or of those that name none.
type VersionStats struct {
	Name       string         `json:"name"`
	Requests   uint64         `json:"requests"`
	Outcomes   OutcomeCounts  `json:"outcomes"`
	Status     [6]uint64      `json:"status"`               // by class, 1xx at 1; 0: no accepted head, or a code outside 100 to 599
	Codes      map[int]uint64 `json:"codes,omitempty"`      // by status code, of accepted heads, without the 2xx
	LastStatus int            `json:"lastStatus,omitempty"` // of one of the latest replies, 0 without an accepted head
	Failures   uint64         `json:"failures,omitempty"`   // see Evidence
	Slower     uint64         `json:"slower,omitempty"`     // with a service time above the plan's SlowerThan, complete or not
	Service    Histogram      `json:"service,omitzero"`     // first octet sent to last received, of complete replies
	Response   Histogram      `json:"response,omitzero"`    // intended start to last received, at a constant rate: what a user would have waited
}

// count adds one result; paced says that it had a planned start, without which there is no response time.
func (l *VersionStats) count(res *result, flaws Flaws, paced bool) {
	l.Requests++
	l.Outcomes[res.outcome]++
	if flaws&Failed != 0 {
		l.Failures++
	}
	if flaws&Slow != 0 {
		l.Slower++
	}
	class := int(res.status) / 100
	if class > 5 {
		class = 0
	}
	l.Status[class]++
	if class != 2 && res.status > 0 {
		l.code(int(res.status), 1)
	}
	l.LastStatus = int(res.status)
	if !res.outcome.Complete() {
		return
	}
	l.Service.Record(res.received - res.sent)
	if paced {
		l.Response.Record(res.received - res.intended)
	}
}

// code counts replies of one status code; there are few codes, and none of them in most runs.
func (l *VersionStats) code(status int, n uint64) {
	if l.Codes == nil {
		l.Codes = map[int]uint64{}
	}
	l.Codes[status] += n
}

// merge adds what other counted.
func (l *VersionStats) merge(other *VersionStats) {
	l.Requests += other.Requests
	if other.Requests > 0 {
		l.LastStatus = other.LastStatus
	}
	l.Failures += other.Failures
	l.Slower += other.Slower
	for i, n := range other.Outcomes {
		l.Outcomes[i] += n
	}
	for i, n := range other.Status {
		l.Status[i] += n
	}
	for status, n := range other.Codes {
		l.code(status, n)
	}
	l.Service.Merge(&other.Service)
	l.Response.Merge(&other.Response)
}
