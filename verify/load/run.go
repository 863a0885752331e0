package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// run is what the engines share: when to begin, when to stop, when to give up.
type run struct {
	plan     Plan
	r        *Recorder
	turns    *turnstile
	places   *resolver
	message  atomic.Pointer[message]
	numbers  atomic.Uint64 // handed out to slots
	dialing  context.Context
	stopDial context.CancelFunc

	stopping atomic.Bool // nothing more may be sent
	aborting atomic.Bool // what is in flight is given up

	renewing   atomic.Bool
	renewed    atomic.Int64 // when that was last, since base; 0: never
	background sync.WaitGroup

	once    sync.Once // of stop
	failing atomic.Int64
	dead    atomic.Bool // every worker's last dials failed
}

// deadDials is how many dials in a row must fail, on every worker, to end the run.
const deadDials = 5

// sweepEvery bounds how late a deadline may be seen.
const sweepEvery = 100 * time.Millisecond

// spareDescriptors are for everything but connections and loops, which have two each.
const spareDescriptors = 32

// newRun checks the plan against its recorder and resolves the addresses.
func newRun(ctx context.Context, p *Plan, r *Recorder) (*run, error) {
	plan := p.withDefaults()
	if err := plan.validate(); err != nil {
		return nil, err
	}
	if plan.Connections != r.plan.Connections || plan.MaxRequests != r.plan.MaxRequests || plan.Rate != r.plan.Rate {
		return nil, fault.New(fault.Failed, "", "the recorder was made for another plan")
	}
	if have, need := descriptors(), uint64(plan.Connections+2*len(r.shards)+spareDescriptors); need > have {
		return nil, fault.New(fault.Failed, fmt.Sprintf("raise the limit with ulimit -n %d, or lower --connections", need),
			"%d connections need more open files than the %d this process may have", plan.Connections, have)
	}
	x := &run{plan: plan, r: r, places: newResolver(&plan)}
	x.message.Store(newMessage(plan.Request, plan.Slots))
	x.turns = &turnstile{now: r.now, stop: make(chan struct{}), wake: make(chan struct{}, 1), notes: &r.pace,
		schedule: schedule{rate: plan.Rate, ramp: plan.Ramp}}
	x.dialing, x.stopDial = context.WithCancel(context.WithoutCancel(ctx))
	x.places.resolve(x.dialing)
	return x, nil
}

// stop ends the sending: a cap, a verdict, an interrupt, or nobody to talk to.
func (x *run) stop() {
	x.once.Do(func() {
		x.stopping.Store(true)
		x.stopDial()
		x.turns.halt(x.r.budget.total - min(x.r.budget.total, x.r.budget.sent()))
		x.r.end()
	})
}

// supervise begins the sending once ready is closed, and returns when the workers are done. kick ends whatever reads are
// pending; it is called again and again once what is in flight is given up.
func (x *run) supervise(ctx context.Context, ready, done <-chan struct{}, kick func()) {
	cpu := processorTime()
	var opening sync.WaitGroup
	opening.Go(func() { x.openAfter(ready) })
	defer opening.Wait()
	select {
	case <-ctx.Done():
	case <-x.plan.Abort:
	case <-x.turns.stop:
	case <-done:
	}
	x.stop()
	drain := time.NewTimer(x.plan.Drain + x.plan.Linger)
	defer drain.Stop()
	select {
	case <-drain.C:
	case <-x.plan.Abort:
	case <-done:
	}
	x.aborting.Store(true)
	for again := time.NewTicker(10 * time.Millisecond); ; {
		kick()
		select {
		case <-again.C:
			continue
		case <-done:
		}
		again.Stop()
		break
	}
	select {
	case <-closing(&x.background):
	case <-x.plan.Abort: // whoever renews a credential has been told to stop, and may be deaf
	}
	x.r.own.cpu.Store(int64(processorTime() - cpu))
	x.r.finish()
}

// openAfter begins the sending once every worker has dialled once, and the lead is over.
func (x *run) openAfter(ready <-chan struct{}) {
	select {
	case <-ready:
	case <-x.turns.stop:
		return
	}
	lead := time.NewTimer(x.plan.Lead)
	defer lead.Stop()
	select {
	case <-lead.C:
		x.r.begin()
		x.turns.open()
	case <-x.turns.stop:
	}
}

// err is the run's own failure: nothing could be connected to.
func (x *run) err() error {
	if !x.dead.Load() {
		return nil
	}
	x.r.notes.mu.Lock()
	defer x.r.notes.mu.Unlock()
	for _, o := range []Outcome{TLSError, DialError} {
		if text := x.r.notes.text[o]; text != "" {
			return fault.New(fault.Failed, x.hintFor(o, text), "every connection failed %d times in a row: %s", deadDials, text)
		}
	}
	return fault.New(fault.Failed, "", "every connection failed %d times in a row", deadDials)
}

func (x *run) hintFor(o Outcome, text string) string {
	switch {
	case x.r.own.noPort.Load() > 0:
		return RemedyPorts
	case x.r.own.noFile.Load() > 0:
		return RemedyFiles
	}
	return Remedy(o, text)
}

// ease slows the load down because a reply asked for it.
func (x *run) ease(p *Parser) {
	cause := "x-envoy-overloaded or x-envoy-ratelimited"
	if p.Status() == 429 {
		cause = "status 429"
	}
	achieved := 0.0
	if e := x.r.elapsed().Seconds(); e > 0 {
		achieved = float64(x.r.budget.sent()) / e
	}
	x.turns.ease(cause, time.Duration(x.r.began.Load()), achieved)
}
