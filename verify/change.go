package verify

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Change is an edit made while the load runs, so that the traffic itself tells when clients got the new weights. The
// evidence of the verdict begins after it.
type Change struct {
	From  Split                                    // the shares before; the versions of the target
	Apply func(context.Context) (time.Time, error) // makes the edit; the moment the API server answered
	Live  func(context.Context) error              // returns once every gateway's configuration is new; nil: nobody can look
}

// Timing of a change: the lead gives every connection a request or two under the old weights; the cap is how long the
// traffic may take to show the change where nothing else can.
const (
	changeLead = 250 * time.Millisecond
	changeCap  = 10 * time.Second
)

// arrival feeds the labels of the run to the detectors of verify/verdict, and keeps the clock for them.
type arrival struct {
	recorder *load.Recorder
	feasible bool // the change is large enough to be timed by this much traffic

	mutex    sync.Mutex // guards what follows: the loop feeds, the goroutine of the change arms and reads
	watch    *verdict.Propagation
	answered time.Duration // when the API server did, on the recorder's clock
	queue    []load.Change
	moved    chan struct{} // closed when every connection has the new weights
}

func newArrival(c *Config, r *load.Recorder) (*arrival, error) {
	before := make([]int64, c.Target.Len())
	for i, name := range c.Target.Names() {
		if at := c.Change.From.Index(name); at >= 0 {
			before[i] = c.Change.From.Weights()[at]
		}
	}
	rate := float64(c.Rate)
	if c.Rate == Unpaced {
		rate = math.Inf(1)
	}
	watch, err := verdict.NewPropagation(verdict.Change{Old: before, New: c.Target.Weights(), Connections: c.Connections,
		Rate: rate, Cap: changeCap, Alpha: alpha(c.Confidence)})
	if err != nil {
		return nil, err
	}
	return &arrival{recorder: r, feasible: watch.Feasible(), watch: watch, moved: make(chan struct{})}, nil
}

// arm says that the edit is being sent: requests sent before it are passed over.
func (a *arrival) arm() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.watch.Arm(time.Since(a.recorder.At(0)))
}

func (a *arrival) answer(at time.Time) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.answered = at.Sub(a.recorder.At(0))
}

// feed hands over what came since the last look. The loop of the run calls it at every look.
func (a *arrival) feed() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.queue, _ = a.recorder.Changes(a.queue[:0])
	if !a.feasible {
		return
	}
	for _, c := range a.queue {
		a.watch.Observe(c.Connection, c.Dial, c.Label, c.Sent)
	}
	if a.watch.AllMoved() {
		select {
		case <-a.moved:
		default:
			close(a.moved)
		}
	}
}

// seen says what the traffic showed so far.
func (a *arrival) seen() *report.TrafficTiming {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	result := a.watch.Result(a.answered)
	t := &report.TrafficTiming{Connections: result.Connections, Moved: result.Moved}
	if !a.feasible {
		t.Untimed = "the change is too small to be timed by this many requests"
		return t
	}
	for _, d := range result.Delays {
		if d.Timed {
			t.Timed++
		}
	}
	// The connections that are timed closely are the lucky ones: the few of them would be no fair sample of all.
	if 2*t.Timed < t.Connections {
		t.Untimed = "fewer than half of the connections show the moment closer than " + report.Seconds(verdict.MaxTimedSpan.Seconds())
		return t
	}
	t.First, t.Median, t.Last = result.First.Delay.Seconds(), result.Median.Delay.Seconds(), result.Last.Delay.Seconds()
	return t
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
		r.arrival.arm()
	}
	answered, err := change.Apply(ctx)
	if err != nil {
		return err
	}
	if r.arrival != nil {
		r.arrival.answer(answered)
	}
	if change.Live != nil {
		if err := change.Live(ctx); err != nil {
			return err
		}
		return pause(ctx, r.config.Settle)
	}
	// Nobody can look into the gateways: the traffic alone tells, within a cap.
	if r.arrival == nil || !r.arrival.feasible {
		return pause(ctx, max(r.config.Settle, changeCap))
	}
	select {
	case <-r.arrival.moved:
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
