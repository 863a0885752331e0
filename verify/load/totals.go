package load

import "slices"

// Totals is all that a run counted, as a report needs it. Those of runs side by side add up, version by version.
type Totals struct {
	Labels      []string   // the versions, by label index
	Evidence    Evidence   // since BeginEvidence
	Snapshot    Snapshot   // since the start
	Connections []Evidence // the evidence by connection slot
	Peers       []Peer     // and by address
}

// Totals copies everything; it is exact after the run.
func (r *Recorder) Totals() Totals {
	t := Totals{Snapshot: r.Snapshot(), Connections: r.Connections(), Peers: r.Peers()}
	r.Evidence(&t.Evidence)
	t.Labels = r.Labels()
	return t
}

// Add adds what another run counted: its versions and addresses are found by name, its connections come behind t's.
func (t *Totals) Add(o *Totals) {
	at := t.indexes(o.Labels)
	t.Evidence.add(&o.Evidence, at)
	t.Snapshot.add(&o.Snapshot, at)
	for i := range o.Connections {
		t.Connections = append(t.Connections, Evidence{})
		t.Connections[len(t.Connections)-1].add(&o.Connections[i], at)
	}
	for i := range o.Peers {
		p := &o.Peers[i]
		j := slices.IndexFunc(t.Peers, func(have Peer) bool { return have.Address == p.Address })
		if j < 0 {
			j = len(t.Peers)
			t.Peers = append(t.Peers, Peer{Address: p.Address})
		}
		t.Peers[j].Evidence.add(&p.Evidence, at)
	}
}

// indexes says where each of another's labels stands here, new ones at the end.
func (t *Totals) indexes(labels []string) []int {
	at := make([]int, len(labels))
	for i, name := range labels {
		if at[i] = slices.Index(t.Labels, name); at[i] < 0 {
			at[i] = len(t.Labels)
			t.Labels = append(t.Labels, name)
		}
	}
	return at
}

// add adds o, whose label i is label at[i] here.
func (e *Evidence) add(o *Evidence, at []int) {
	e.Requests += o.Requests
	e.Unattributed += o.Unattributed
	e.UnattributedFailures += o.UnattributedFailures
	e.UnattributedSlow += o.UnattributedSlow
	e.UnattributedErrors += o.UnattributedErrors
	e.Sent += o.Sent
	for i := range o.Counts {
		for at[i] >= len(e.Counts) {
			e.Counts, e.Failures, e.Slow = append(e.Counts, 0), append(e.Failures, 0), append(e.Slow, 0)
		}
		e.Counts[at[i]] += o.Counts[i]
		e.Failures[at[i]] += o.Failures[i]
		e.Slow[at[i]] += o.Slow[i]
	}
}

// add adds a run side by side with s: requests and rates sum up, the longer time stands. What is said in words of being
// late is that of the run that was later.
func (s *Snapshot) add(o *Snapshot, at []int) {
	s.Elapsed = max(s.Elapsed, o.Elapsed)
	s.Sent += o.Sent
	for i, n := range o.Outcomes {
		s.Outcomes[i] += n
	}
	for i := range o.Versions {
		for at[i] >= len(s.Versions) {
			s.Versions = append(s.Versions, VersionStats{})
		}
		s.Versions[at[i]].Name = o.Versions[i].Name
		s.Versions[at[i]].merge(&o.Versions[i])
	}
	s.Unversioned.merge(&o.Unversioned)
	if s.Gateway == nil && len(o.Gateway) > 0 {
		s.Gateway = map[int]uint64{}
	}
	for status, n := range o.Gateway {
		s.Gateway[status] += n
	}
	if s.GRPC == nil && len(o.GRPC) > 0 {
		s.GRPC = map[int]uint64{}
	}
	for status, n := range o.GRPC {
		s.GRPC[status] += n
	}
	s.Connections.add(&o.Connections)
	s.FailedService.Merge(&o.FailedService)
	s.FailedDials.Merge(&o.FailedDials)

	if o.Behind && (!s.Behind || o.Lag.Quantile(0.99) > s.Lag.Quantile(0.99)) {
		s.Cause = o.Cause
	}
	s.Behind = s.Behind || o.Behind
	s.RateAsked += o.RateAsked
	s.RateAchieved += o.RateAchieved
	s.Lag.Merge(&o.Lag)
	s.Overdue += o.Overdue
	s.ConnectionsNeeded += o.ConnectionsNeeded
	s.Slowed += o.Slowed
	s.Renewals += o.Renewals
	if o.RenewError != "" {
		s.RenewError = o.RenewError
	}
	s.Own.add(&o.Own)
	s.Backoffs = append(s.Backoffs, o.Backoffs...)
	for i, text := range o.Examples {
		if s.Examples[i] == "" {
			s.Examples[i] = text
		}
	}
	if s.LastError == "" {
		s.LastError = o.LastError
	}
}

func (c *ConnectionEvents) add(o *ConnectionEvents) {
	c.Opened += o.Opened
	c.ClosedIdle += o.ClosedIdle
	c.Unsolicited += o.Unsolicited
	c.BothFramed += o.BothFramed
	c.Surplus += o.Surplus
	c.SaidClose += o.SaidClose
	c.Failed += o.Failed
	c.Reconnected += o.Reconnected
}
