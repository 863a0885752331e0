package load

import (
	"fmt"
	"sync/atomic"
	"time"
)

// lane is one connection slot and its successors, as every engine has it: what to send next, what became of it, whether
// the connection can be kept. It does no I/O. Nothing is ever sent twice: HTTP lets a client repeat a GET, but a second
// try draws the version anew and would move the very share being measured (RFC 9110, 9.2.2).
type lane struct {
	x      *run
	slot   int
	scribe *scribe
	parser *Parser
	vary   vary
	ticket ticket
	ready  func() // called once, after the first dial

	served int           // replies on this connection
	dials  int           // connections opened or tried
	opened int           // connections opened
	dialed time.Duration // when the last was begun
	failed int           // dials in a row that led to nothing; 0 while connected
	before int           // failed, until this connection has carried a request
	pause  time.Duration // to wait before the next dial
	peer   int           // the index of the address dialled last
	cause  error         // why the connection broke under a request, if the system says
}

// A failed dial is followed by a pause, doubling from dialPause to dialPauseMax, by each lane for itself.
const (
	dialPause    = 10 * time.Millisecond
	dialPauseMax = time.Second
)

func newLane(x *run, slot int, s *scribe, ready func()) lane {
	return lane{x: x, slot: slot, scribe: s, parser: NewParser(x.plan.Identify, x.plan.Marks), vary: newVary(x), ready: ready}
}

// isReady tells the run that this lane's first dial is over.
func (l *lane) isReady() {
	if l.ready != nil {
		l.ready()
		l.ready = nil
	}
}

// dialTo picks the address of the next dial: slots begin side by side, and each reconnect moves on by one.
func (l *lane) dialTo() address {
	to := l.x.places.pick(l.slot, l.dials)
	l.dials++
	l.dialed, l.pause = l.x.r.now(), 0
	l.peer = l.x.r.peers.index([]byte(to.dial), l.peer)
	return to
}

// connected begins a connection.
func (l *lane) connected() {
	l.served = 0
	l.opened++
	l.parser.blanks, l.parser.blank = 0, 0
	l.x.r.events.opened.Add(1)
	if l.failed >= deadDials {
		l.x.failing.Add(-1)
	}
	l.before, l.failed = l.failed, 0
	l.isReady()
}

// fails counts a dial that led to nothing, the n-th in a row.
func (l *lane) fails(n int) {
	if l.failed < deadDials && n >= deadDials && int(l.x.failing.Add(1)) == l.x.plan.Connections {
		l.x.dead.Store(true)
		l.x.stop()
	}
	l.failed, l.pause = n, min(dialPause<<min(n-1, 10), dialPauseMax)
}

// unused is called when the far side has ended a connection while no request was outstanding. If it never carried one and was
// young, that is as good as a dial that failed, so that nobody is flooded with connections. It costs no request, unless the
// far side said why: what it thinks of a client's certificate comes behind the handshake (RFC 8446, 4.4.2).
func (l *lane) unused(err error) {
	if l.served > 0 || l.x.stopping.Load() || l.x.r.now()-l.dialed >= dialPauseMax {
		return // an old one waited for its first turn longer than the far side has patience
	}
	n := l.before + 1
	if isAlert(err) {
		if !l.refusal(TLSError, err) {
			return
		}
	} else {
		l.x.r.notes.add(DialError, func() string {
			return fmt.Sprintf("%s ends connections before a request is sent", l.x.r.peers.names()[l.peer])
		})
	}
	l.fails(n)
}

// refused counts a dial or a handshake that failed; l.pause is how long to wait before the next. False when nothing more is
// to be sent.
func (l *lane) refused(o Outcome, err error) bool {
	l.isReady()
	if l.x.stopping.Load() || !l.refusal(o, err) {
		return false // cut by the stop: nobody refused anything
	}
	l.fails(l.failed + 1)
	return !l.x.stopping.Load()
}

// refusal counts a request that failed for want of a connection, with an index and an outcome; false when no more may be sent.
func (l *lane) refusal(o Outcome, err error) bool {
	if !l.x.r.budget.take(l.scribe.number) {
		return false
	}
	l.x.r.own.failedDial(err)
	l.x.r.notes.add(o, err.Error)
	l.scribe.end(result{epoch: l.scribe.begin(), intended: l.dialed, sent: l.dialed, received: l.x.r.now(),
		slot: uint16(l.slot), peer: uint8(l.peer), outcome: o, label: Unattributed})
	l.scribe.flush()
	return true
}

// over says that there is nothing more to connect for.
func (l *lane) over() bool { return l.x.stopping.Load() || l.x.r.budget.empty() }

// begin takes the index of the next request, just before its first octet, and says whether it is the connection's last.
// ok is false when nothing more is to be sent. sent is now.
func (l *lane) begin(sent time.Duration) (res result, last, ok bool) {
	x := l.x
	if x.stopping.Load() {
		return res, false, false
	}
	if !x.r.budget.take(l.scribe.number) {
		x.stop()
		return res, false, false
	}
	l.parser.Begin(x.plan.Head)
	l.before = 0
	res = result{slot: uint16(l.slot), peer: uint8(l.peer), dial: uint32(l.opened), label: Unattributed, sent: sent, intended: sent}
	if l.ticket.intended >= 0 {
		res.intended = l.ticket.intended
	}
	res.epoch = l.scribe.begin()
	return res, x.plan.ConnRequests > 0 && l.served+1 >= x.plan.ConnRequests, true
}

// octets are what is sent for a request of HTTP/1.1, valid until the next.
func (l *lane) octets(last bool) []byte {
	m := l.x.message.Load()
	if last {
		return l.vary.fresh(m.last, m.slotsWhenLast)
	}
	return l.vary.fresh(m.octets, m.slots)
}

// end records how the request ended.
func (l *lane) end(res *result, end End) {
	p := l.parser
	if end == GivenUp && res.received-res.sent >= l.x.plan.ReplyTimeout {
		end = Deadline // the drain is over at the same moment, but this reply was late by itself
	}
	res.outcome = p.Outcome(end, l.served > 0)
	if res.outcome.Complete() && res.received-res.sent > l.x.plan.ReplyTimeout {
		res.outcome = Timeout // whether a deadline or the reply is seen first is chance, and no engine's choice
	}
	res.status = uint16(p.Status())
	if label := p.Label(); label != nil && attributable(res.outcome) {
		res.label = l.scribe.label(label)
	}
	l.scribe.end(*res)
	l.served++
	if p.Both() {
		l.x.r.events.both.Add(1)
	}
	if why := p.Why(); why != "" {
		l.x.r.notes.add(res.outcome, p.Why)
	} else if l.cause != nil {
		l.x.r.notes.add(res.outcome, l.cause.Error)
	}
	l.cause = nil
	if res.status == 401 && l.x.plan.Renew != nil {
		l.x.renew()
	}
	if p.Overloaded() {
		l.x.ease(p)
	}
}

// attributable says whether a label counts. A body's label needs the complete body, which the parser sees to.
func attributable(o Outcome) bool {
	return o == Answered || o >= Truncated && o <= Aborted
}

// dropFor is the counter of the reason why the connection cannot carry another request, nil if it can. surplus: something
// else than line ends followed the reply; sent: the whole request had left before it.
func (l *lane) dropFor(o Outcome, last, surplus, sent bool) *atomic.Uint64 {
	e := &l.x.r.events
	switch {
	case !o.Complete():
		return &e.failed
	case surplus:
		return &e.surplus
	case last: // we asked for it, and a reply that says close only agrees
		return &e.reconnected
	case !l.parser.Reusable() || !sent:
		return &e.saidClose
	}
	return nil
}
