package verify

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Run asks the question of the Config: it announces the load, sends it, looks at the evidence as it grows, stops when the
// verdict is certain or a cap is reached, waits for every reply, and decides.
//
// A cancelled ctx stops the sending; what was sent is still awaited, judged and reported, with Interrupted set. Errors mean
// that there is no answer: usage errors before anything is sent, else a URL that does not resolve, a far side that never
// replied, replies that name versions of which none is a target. A far side that goes away in the middle leaves what it had answered
// until then: judged, that is a FAIL or INCONCLUSIVE; of a run that only loads the Report comes beside the error.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	plan, err := PlanOf(c)
	if err != nil {
		return nil, err
	}
	c = c.withDefaults()
	p, where, err := c.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if c.Announce != nil {
		c.Announce(where.Load, plan)
	}
	if err := where.speak(ctx, &c, p); err != nil {
		return nil, err
	}
	run := &run{config: c, plan: p, where: where, started: time.Now(), recorder: load.NewRecorder(c.Target.Names(), p)}
	if !c.LoadOnly {
		q, err := c.question()
		if err != nil {
			return nil, err
		}
		if run.procedure, err = verdict.New(q); err != nil {
			return nil, err
		}
	}
	if c.Change != nil {
		if run.arrival, err = newArrival(&c, run.recorder); err != nil {
			return nil, err
		}
	}
	if err := run.send(ctx); err != nil && !run.leftEvidence() {
		return nil, err
	}
	r, err := run.report()
	if err != nil {
		return nil, err
	}
	r.Warnings = append(plan.Warnings, r.Warnings...)
	return r, run.withoutEnd(r)
}

// ExitCode is the exit code of a report: a pipeline's whole view of it.
func ExitCode(r *Report) fault.Code {
	switch {
	case r.Interrupted:
		return fault.Interrupted
	case r.Verdict == verdict.Fail.String():
		return fault.Fail
	case r.Verdict == verdict.Inconclusive.String():
		return fault.Inconclusive
	}
	return fault.Done
}

// minStep is how far the evidence must have grown for another look to be worth its time.
const minStep = 20

// run is one run in progress.
type run struct {
	config    Config
	plan      *load.Plan
	where     where
	recorder  *load.Recorder
	procedure *verdict.Procedure // nil when only loading

	started       time.Time
	evidenceSince time.Time
	measured      time.Duration // of evidence, from its beginning to the last request
	interrupted   bool
	inFlight      uint64                // at the stop
	earlier       load.OutcomeCounts    // outcomes of a load that ended before the evidence began
	earlierSent   uint64                // and how many requests it sent
	teller        *teller               // of a worker
	timing        *report.TrafficTiming // what that load showed of the change
	looked        uint64                // evidence requests at the last look
	arrival       *arrival              // of the change, when the traffic times it
	gone          error                 // why the engine gave up while the evidence was gathered
	watch         *verdict.Watch        // after a PASS, when asked for
	watchSince    time.Time
	deadline      *time.Timer // ends the evidence
	counts        load.Evidence
	evidence      verdict.Evidence
}

// where is the announced target of the load.
type where struct {
	report.Load
	engine load.Engine
}

// send makes the change if there is one, settles, measures and drains. It returns when nothing of the run is left.
func (r *run) send(ctx context.Context) error {
	preparing, cancel := context.WithCancel(ctx)
	defer cancel()
	idle := r.config.Settle == 0 && r.config.Change == nil || r.settleCost() > r.allowance()
	if idle {
		r.arrival = nil // settling may not eat the budget: nothing is sent meanwhile, and the traffic times nothing
	}
	ready := r.ready(preparing)
	if !idle {
		err := r.drive(ctx, ready, cancel)
		if !errors.Is(err, errLate) {
			return err
		}
	}
	if err := <-ready; err != nil {
		return unsent(err)
	}
	if !idle {
		r.again()
	}
	return r.drive(ctx, nil, cancel)
}

// errLate ends a load that ran into its allowance before the evidence could begin.
var errLate = errors.New("not ready within the allowance")

// allowance is how many requests may be sent before the evidence begins: what a late gateway takes is missing later.
func (r *run) allowance() float64 { return float64(r.config.MaxRequests) / 4 }

// again readies a second load for the evidence, with what the first one has left of the budget.
func (r *run) again() {
	snapshot := r.recorder.Snapshot()
	r.earlier, r.earlierSent = snapshot.Outcomes, snapshot.Sent
	if r.arrival != nil {
		r.timing, r.arrival = r.arrival.seen(), nil
	}
	p := *r.plan
	if p.MaxRequests > 0 {
		p.MaxRequests -= snapshot.Sent
	}
	r.plan, r.recorder = &p, load.NewRecorder(r.config.Target.Names(), &p)
}

// drive runs the engine once: look, stop, drain. While ready is to come it only feeds the detectors; nil means that the
// evidence begins at once. It gives errLate, with ready still to come, when that takes longer than traffic should go on
// for it.
func (r *run) drive(ctx context.Context, ready <-chan error, cancel func()) error {
	// The engine's context is our own: a Ctrl-C ends the sending through the same door as a verdict does.
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r.deadline = time.NewTimer(changeCap)
	defer r.deadline.Stop()
	beginEvidence := func() {
		r.recorder.BeginEvidence()
		r.evidenceSince = time.Now()
		r.deadline.Reset(r.config.MaxTime)
	}
	if ready == nil {
		beginEvidence()
	}
	over := make(chan error, 1)
	go func() { over <- r.where.engine.Run(sending, r.plan, r.recorder) }()
	look := time.NewTicker(r.lookEvery())
	defer look.Stop()
	show := time.NewTicker(100 * time.Millisecond)
	defer show.Stop()

	var stopping bool
	pending, late := ready, false // once late, what comes of ready is the caller's
	halt := func() {
		if !stopping {
			stopping = true
			if !r.evidenceSince.IsZero() {
				r.measured = time.Since(r.evidenceSince)
			}
			r.inFlight = r.recorder.InFlight()
			stop()
		}
	}
	interrupt := ctx.Done()
	var failure error
	for {
		select {
		case err := <-over:
			halt() // by a cap on requests, or because nothing could connect
			switch {
			case failure != nil:
				return unsent(failure)
			case late && err == nil:
				return errLate
			case pending == nil && !late:
				if !r.evidenceSince.IsZero() {
					r.gone = err
				}
				return err
			}
			cancel()
			if failure = <-ready; failure != nil && !errors.Is(failure, context.Canceled) {
				return failure
			}
			return err
		case err := <-pending:
			pending = nil
			if failure = err; failure == nil && !stopping {
				beginEvidence()
				break
			}
			halt()
		case <-r.deadline.C:
			late, pending = late || pending != nil, nil
			halt()
		case <-interrupt:
			interrupt, r.interrupted = nil, true
			halt()
		case <-look.C:
			if r.arrival != nil {
				r.arrival.feed()
			}
			if pending != nil && float64(r.recorder.Sent()) > r.allowance() {
				late, pending = true, nil
				halt()
			}
			if !stopping && !r.evidenceSince.IsZero() && r.decided() {
				halt()
			}
		case <-r.teller.due():
			r.teller.tell()
		case <-show.C:
			if r.config.Progress != nil {
				r.config.Progress(r.progress(stopping))
			}
		}
	}
}

// unsent makes an interruption before the evidence readable.
func unsent(err error) error {
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Interrupted, "", "interrupted before anything was measured")
	}
	return err
}

// settleCost is how many requests sending through the settling time takes, and through a change of the usual second.
func (r *run) settleCost() float64 {
	if r.config.Rate == Unpaced && (r.config.Settle > 0 || r.config.Change != nil) {
		return math.Inf(1)
	}
	d := r.config.Settle
	if r.config.Change != nil {
		d += changeLead + time.Second
	}
	return float64(r.config.Rate) * d.Seconds()
}

// lookEvery is how often evidence is looked at: about every 50 requests, so that stopping late costs little, and never
// more often than the recorder's shortest epoch.
func (r *run) lookEvery() time.Duration {
	if r.procedure == nil {
		return 50 * time.Millisecond // nothing is decided: every look would only take time from the load
	}
	every := time.Duration(50 / float64(r.config.Rate) * float64(time.Second))
	return min(max(every, time.Millisecond), 50*time.Millisecond)
}

// decided takes a look and says whether to stop sending.
func (r *run) decided() bool {
	if r.procedure == nil {
		return false
	}
	r.read()
	if r.watch != nil {
		return r.watch.Look(&r.evidence)
	}
	if r.evidence.Requests < r.looked+minStep {
		return false
	}
	r.looked = r.evidence.Requests
	switch r.procedure.Look(&r.evidence) {
	case verdict.StopNone:
		return r.config.Watch > 0 && r.recorder.Sent() >= r.config.MaxRequests
	case verdict.StopFail:
		// The verdict stands. A few requests more let the homogeneity test say how many connections differ.
		return r.evidence.Requests >= max(20*uint64(r.config.Connections), verdict.DefaultMinRequests)
	case verdict.StopPass:
		return !r.beginWatch()
	}
	return true
}

// beginWatch goes on after a PASS when that was asked for: from here the same evidence feeds a test that never ends.
func (r *run) beginWatch() bool {
	if r.config.Watch == 0 {
		return false
	}
	q, err := r.config.question()
	if err != nil {
		return false // validated before
	}
	seconds := time.Since(r.evidenceSince).Seconds()
	if r.watch, err = verdict.NewWatch(q, float64(r.evidence.Requests)/seconds, 0); err != nil {
		return false
	}
	r.watch.Start(&r.evidence)
	r.watchSince = time.Now()
	r.deadline.Reset(r.config.Watch)
	return true
}
