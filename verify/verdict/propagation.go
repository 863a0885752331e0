package verdict

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// MaxTimedSpan is how wide the confidence set of a delay may be for traffic to have timed it; above, a delay is reported as
// not timed. A choice: people compare the number with gateways' configuration, which comes in tens
// of milliseconds.
const MaxTimedSpan = 250 * time.Millisecond

// Change is a change of weights whose arrival at each connection should be told from labels.
type Change struct {
	Old, New    []int64       // weights before and after, by label index; labels beyond are passed over
	Connections int           // slots, numbered from 0
	Rate        float64       // requests/s over all connections; +Inf when unpaced
	Cap         time.Duration // how long to wait for all connections
	Alpha       float64       // level of the confidence sets; 0: DefaultAlpha
}

// Propagation watches labels per connection for the moment where old weights turn into new ones. It is fed in this way:
//
//	p, err := verdict.NewPropagation(change)     // before the load; err: weights that are no split
//	if !p.Feasible() { … }                       // labels cannot tell in time: use --settle alone
//	p.Arm(sent)                                  // when the patch is sent; all times are since one common moment
//	p.Observe(connection, dial, label, sent)     // every routed request, each connection in its send order
//	if p.AllMoved() { begin the evidence }       // or at the cap, naming p.Result(answered).Waiting
//	p.Result(answered)                           // answered: when the API server confirmed the patch
//
// Requests that were observed are never evidence: the evidence begins with a request sent after AllMoved. It is not safe
// for concurrent use. Its memory is bounded by what the rate can send on a connection within the cap, at least 4000 labels.
type Propagation struct {
	change Change
	old    []float64
	new    []float64
	armed  time.Duration
	on     bool
	slots  []slot
	moved  int
}

// slot is one connection slot: the sequence of labels of the connection it now holds, and what earlier ones have shown.
type slot struct {
	detector *stats.Change
	dial     int
	renewed  bool // the present connection was opened after the patch was sent
	delay    delay
}

type delay struct {
	known       bool
	at          time.Duration // estimate of when the first request under the new weights was sent
	first, last time.Duration // its confidence set
	bounded     bool          // the set is closed at both ends
}

// NewPropagation prepares the detectors. Errors are usage errors.
func NewPropagation(c Change) (*Propagation, error) {
	if c.Alpha == 0 {
		c.Alpha = DefaultAlpha
	}
	p := &Propagation{change: c, old: portions(c.Old), new: portions(c.New)}
	if p.old == nil || p.new == nil || len(p.old) != len(p.new) {
		return nil, fault.Usagef("", "weights %v and %v are not two splits of the same versions", c.Old, c.New)
	}
	if c.Connections < 1 {
		return nil, fault.Usagef("", "%d connections; at least one is needed to see a change", c.Connections)
	}
	window := stats.ChangeWindow
	if labels := 2 * c.Rate * c.Cap.Seconds() / float64(c.Connections); labels > float64(window) {
		window = int(math.Min(labels, 1<<17)) // 2 MB a connection; unpaced runs on fast gateways get no more
	}
	p.slots = make([]slot, c.Connections)
	for i := range p.slots {
		p.slots[i].detector = stats.NewChange(p.old, p.new, stats.ChangeThreshold, window)
		p.slots[i].dial = -1
	}
	return p, nil
}

// portions are the shares of weights; nil if they are no split.
func portions(weights []int64) []float64 {
	sum := 0.0
	for _, w := range weights {
		if w < 0 {
			return nil
		}
		sum += float64(w)
	}
	if sum == 0 {
		return nil
	}
	out := make([]float64, len(weights))
	for i, w := range weights {
		out[i] = float64(w) / sum
	}
	return out
}

// Feasible says whether the change is large enough to be seen on every connection within the cap: at KL(new || old) per
// label a detector needs about 1.5 ln A / KL of them.
func (p *Propagation) Feasible() bool {
	gain := 0.0
	for i, q := range p.new {
		if q > 0 {
			gain += q * math.Log(q/math.Max(p.old[i], 1e-6))
		}
	}
	if gain <= 0 {
		return false
	}
	return float64(p.change.Connections)*1.5*math.Log(stats.ChangeThreshold)/gain <= p.change.Rate*p.change.Cap.Seconds()
}

// Arm says that the patch is being sent now; requests sent before are passed over from here on.
func (p *Propagation) Arm(sent time.Duration) { p.armed, p.on = sent, true }

// Observe takes one routed request: which slot sent it, the how-many-th connection of that slot it went over, the index of
// its label (below 0: it has none) and when it was sent. Each slot's requests come in send order. A new connection may hang
// on another gateway, so it begins anew and has to show the new weights too.
func (p *Propagation) Observe(connection, dial, label int, sent time.Duration) {
	if !p.on || sent < p.armed || connection < 0 || connection >= len(p.slots) {
		return
	}
	s := &p.slots[connection]
	if dial != s.dial {
		if s.renewed = s.dial >= 0; s.renewed {
			if s.detector.Done() {
				p.moved--
			}
			s.detector.Reset()
		}
		s.dial = dial
	}
	if s.detector.Done() || label < 0 || label >= len(p.new) {
		return
	}
	if s.detector.Observe(label, int64(sent)) {
		p.moved++
		p.time(s)
	}
}

// time notes when a connection changed. One that was opened after the patch and may never have seen the old weights tells
// nothing about that.
func (p *Propagation) time(s *slot) {
	if s.delay.known {
		return
	}
	if s.renewed {
		if set := s.detector.Set(p.change.Alpha); len(set) == 0 || set[0] == 0 {
			return
		}
	}
	at, ok := s.detector.TauSent()
	if !ok {
		return
	}
	first, last, bounded := s.detector.Span(p.change.Alpha)
	s.delay = delay{true, time.Duration(at), time.Duration(first), time.Duration(last), bounded}
}

// AllMoved says whether every connection was shown to have the new weights.
func (p *Propagation) AllMoved() bool { return p.moved == len(p.slots) }

// Delay is how long after the API server's answer a connection drew its first request by the new weights. It may be below
// 0: gateways can be faster than the answer.
type Delay struct {
	Connection  int
	Delay       time.Duration
	First, Last time.Duration // confidence set, at 1-alpha
	Timed       bool          // the set is at most MaxTimedSpan wide; else say "not timed by traffic"
}

// PropagationResult is what the detectors have seen.
type PropagationResult struct {
	Connections int
	Moved       int     // connections shown to have the new weights
	Waiting     []int   // slots that were not
	Delays      []Delay // of connections whose change was seen, earliest first; reconnecting may leave fewer than Moved

	First, Median, Last *Delay // of Delays; nil without any. Median is the lower one of an even number
}

// Result sums up; answered is when the API server confirmed the patch.
func (p *Propagation) Result(answered time.Duration) PropagationResult {
	r := PropagationResult{Connections: len(p.slots), Moved: p.moved}
	for i := range p.slots {
		s := &p.slots[i]
		if !s.detector.Done() {
			r.Waiting = append(r.Waiting, i)
		}
		if d := s.delay; d.known {
			r.Delays = append(r.Delays, Delay{i, d.at - answered, d.first - answered, d.last - answered, d.bounded && d.last-d.first <= MaxTimedSpan})
		}
	}
	slices.SortStableFunc(r.Delays, func(a, b Delay) int { return cmp.Compare(a.Delay, b.Delay) })
	if n := len(r.Delays); n > 0 {
		r.First, r.Median, r.Last = &r.Delays[0], &r.Delays[(n-1)/2], &r.Delays[n-1]
	}
	return r
}
