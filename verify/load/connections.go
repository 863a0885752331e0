package load

import "sync/atomic"

// Connections is the evidence by connection slot, for tests whether they all see the same split. It holds every resolved
// request, not a prefix, and so is fit to be judged only after the drain, when the two are the same.
func (r *Recorder) Connections() []Evidence {
	r.lock()
	defer r.unlock()
	out := make([]Evidence, r.plan.Connections)
	for i := range out {
		out[i].reset(r.labels.count())
		r.shards[i%len(r.shards)].slots[i/len(r.shards)].addTo(&out[i])
	}
	return out
}

// Peer is the evidence of the connections to one address.
type Peer struct {
	Address string `json:"address"` // ip:port
	Evidence
}

// Peers is the evidence by address connected to, in the order of first use; like Connections it is for after the drain.
// Beyond MaxLabels addresses the rest is Other.
func (r *Recorder) Peers() []Peer {
	r.lock()
	defer r.unlock()
	names := r.peers.names()
	out := make([]Peer, len(names))
	for i := range out {
		out[i].Address = names[i]
		out[i].reset(r.labels.count())
		for _, s := range r.shards {
			if s.byPeer[i] != nil {
				s.byPeer[i].addTo(&out[i].Evidence)
			}
		}
	}
	return out
}

// ConnectionEvents counts what happened to connections, apart from requests.
type ConnectionEvents struct {
	Opened      uint64 `json:"opened"`
	ClosedIdle  uint64 `json:"closedIdle,omitempty"`  // by the far side, while no request was outstanding
	Unsolicited uint64 `json:"unsolicited,omitempty"` // closed by us: octets came while no request was outstanding
	BothFramed  uint64 `json:"bothFramed,omitempty"`  // te_cl: Transfer-Encoding and Content-Length in one reply
	Surplus     uint64 `json:"surplus,omitempty"`     // dropped: octets behind a reply
	SaidClose   uint64 `json:"saidClose,omitempty"`   // dropped: the reply, its version or its framing does not allow reuse
	Failed      uint64 `json:"failed,omitempty"`      // dropped: a fault, a time-out, an end inside a reply
	Reconnected uint64 `json:"reconnected,omitempty"` // dropped: ConnRequests was reached
}

type connectionCounters struct {
	opened, closedIdle, unsolicited, both, surplus, saidClose, failed, reconnected atomic.Uint64
}

func (c *connectionCounters) read() ConnectionEvents {
	return ConnectionEvents{Opened: c.opened.Load(), ClosedIdle: c.closedIdle.Load(), Unsolicited: c.unsolicited.Load(),
		BothFramed: c.both.Load(), Surplus: c.surplus.Load(), SaidClose: c.saidClose.Load(), Failed: c.failed.Load(),
		Reconnected: c.reconnected.Load()}
}
