package verify

import (
	"context"
	"math"
	"sort"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// Change is an edit made while the load runs, so that the traffic itself tells when clients got the new weights. The
// evidence of the verdict begins after it.
type Change struct {
	From  Split                                    // the shares before; the versions of the target
	Apply func(context.Context) (time.Time, error) // makes the edit; the moment the API server answered
	Live  func(context.Context) error              // returns once every gateway's configuration is new; nil: nobody can look
}

// Timing of a change. Statistics choose the cap and the widest confidence set that still counts as a time; the lead gives
// every connection a request or two under the old weights.
const (
	changeLead = 250 * time.Millisecond
	changeCap  = 10 * time.Second
	widestSpan = 250 * time.Millisecond
)

// arrival watches, connection by connection, for the moment where the old weights turn into the new ones.
type arrival struct {
	mutex     sync.Mutex // guards everything below: the loop feeds, the goroutine of the change reads
	recorder  *load.Recorder
	armed     time.Time // the edit was sent; requests before it are none of ours
	answered  time.Time
	alpha     float64
	detectors []*stats.Change // by connection slot; nil: the change is too small to be timed by this much traffic
	dials     []int           // the connection each detector follows: a new one may hang on another gateway
	queue     []load.Change
	all       chan struct{} // closed when every detector has stopped
	void      int
}

// newArrival prepares the detectors of a change.
func newArrival(c *Config, r *load.Recorder) *arrival {
	a := &arrival{recorder: r, alpha: alpha(c.Confidence), all: make(chan struct{})}
	before, after := make([]float64, c.Target.Len()), make([]float64, c.Target.Len())
	for i, name := range c.Target.Names() {
		before[i], after[i] = c.Change.From.Share(name), c.Target.Share(name)
	}
	cost := float64(c.Connections) * 1.5 * math.Log(stats.ChangeThreshold) / divergence(after, before)
	if cost > float64(c.Rate)*changeCap.Seconds() {
		return a
	}
	a.detectors, a.dials = make([]*stats.Change, c.Connections), make([]int, c.Connections)
	for i := range a.detectors {
		a.detectors[i] = stats.NewChange(before, after, stats.ChangeThreshold, 0)
	}
	return a
}

// divergence is KL(p||q), with entries of q below a millionth raised to it: how much one label tells, in nats.
func divergence(p, q []float64) float64 {
	sum := 0.0
	for i := range p {
		if p[i] > 0 {
			sum += p[i] * math.Log(p[i]/max(q[i], 1e-6))
		}
	}
	return sum
}

func (a *arrival) arm(at time.Time) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.armed = at
}

// feed hands new labels to the detectors. The loop of the run calls it at every look.
func (a *arrival) feed() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.queue, a.void = a.recorder.Changes(a.queue[:0])
	if a.detectors == nil || a.armed.IsZero() {
		return
	}
	for _, c := range a.queue {
		d := a.detectors[c.Connection]
		if a.dials[c.Connection] != c.Dial {
			a.dials[c.Connection] = c.Dial
			d.Reset()
		}
		sent := a.recorder.At(c.Sent)
		if c.Label < 0 || c.Label >= d.Versions() || sent.Before(a.armed) {
			continue
		}
		d.Observe(c.Label, sent.UnixNano())
	}
	for _, d := range a.detectors {
		if !d.Done() {
			return
		}
	}
	select {
	case <-a.all:
	default:
		close(a.all)
	}
}

// seen says what the traffic showed so far.
func (a *arrival) seen() report.Propagation {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	t := &report.TrafficTiming{Connections: len(a.detectors)}
	if a.detectors == nil {
		t.Untimed = "the change is too small to be timed by this many requests"
		return report.Propagation{Traffic: t}
	}
	var delays []float64
	for _, d := range a.detectors {
		if !d.Done() {
			continue
		}
		t.Moved++
		first, last, ok := d.Span(a.alpha)
		sent, known := d.TauSent()
		if ok && known && time.Duration(last-first) <= widestSpan {
			delays = append(delays, time.Unix(0, sent).Sub(a.answered).Seconds())
		}
	}
	if t.Timed = len(delays); t.Timed == 0 {
		t.Untimed = "no connection shows the moment closer than " + report.Seconds(widestSpan.Seconds())
		return report.Propagation{Traffic: t}
	}
	sort.Float64s(delays)
	t.First, t.Median, t.Last = delays[0], delays[len(delays)/2], delays[len(delays)-1]
	return report.Propagation{Traffic: t}
}

// ready gives a channel that says once when the evidence may begin, or why it never will. The goroutine behind it ends with
// ctx; the caller waits for it by reading the channel.
func (r *run) ready(ctx context.Context) <-chan error {
	ready := make(chan error, 1)
	go func() { ready <- r.untilReady(ctx) }()
	return ready
}

func (r *run) untilReady(ctx context.Context) error {
	change := r.config.Change
	if change == nil {
		return pause(ctx, r.config.Settle)
	}
	if err := pause(ctx, changeLead); err != nil {
		return err
	}
	if r.arrival != nil {
		r.arrival.arm(time.Now())
	}
	answered, err := change.Apply(ctx)
	if err != nil {
		return err
	}
	if r.arrival != nil {
		r.arrival.mutex.Lock()
		r.arrival.answered = answered
		r.arrival.mutex.Unlock()
	}
	if change.Live != nil {
		if err := change.Live(ctx); err != nil {
			return err
		}
		return pause(ctx, r.config.Settle)
	}
	// Nobody can look into the gateways: the traffic alone tells, within a cap.
	if r.arrival == nil || r.arrival.detectors == nil {
		return pause(ctx, max(r.config.Settle, changeCap))
	}
	select {
	case <-r.arrival.all:
		return nil
	case <-time.After(changeCap):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
