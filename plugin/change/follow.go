package change

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// outcome is how a change that was written ended.
type outcome struct {
	verdict string     // as the history records it; "" records nothing
	exit    fault.Code //
	when    string     // the word of --revert-on that asks to take it back, or ""
	err     error      // instead of exit, when no measurement was possible

	each []string // verdicts by route, as the history records them; nil: verdict is that of all
}

// follow watches a written change: until it is live, then by measuring it. Then it is recorded, kept or taken back.
func (c *course) follow(ctx context.Context) error {
	following := ctx
	if !c.plan.Nothing() && (c.options.Wait || c.options.WatchRevert > 0) {
		following = c.keepVigil(ctx)
		defer c.vigil.stop()
	}
	out, live := outcome{exit: fault.Done}, false
	if c.options.Wait {
		out, live = c.live(following)
	}
	if live && c.options.Verify {
		out = c.measure(following)
	}
	return c.conclude(ctx, following, out)
}

// conclude ends the vigil, records how the change ended, and keeps it or takes it back.
func (c *course) conclude(ctx, following context.Context, out outcome) error {
	if out.exit == fault.Done && out.err == nil && c.vigil != nil {
		out = c.linger(following, out)
	}
	if c.vigil != nil {
		c.vigil.stop() // what is written from here on is our own
	}
	if err := c.vigil.overwritten(); err != nil {
		return c.end(c.lost(err).err)
	}
	c.record(ctx, out)
	if out.when != "" && slices.Contains(c.options.RevertOn, out.when) && !c.plan.Nothing() {
		if err := c.revert(ctx); err != nil {
			return c.end(err)
		}
	} else if !c.plan.Nothing() {
		c.screen.Say("undo", "%s", c.undo())
	}
	switch {
	case out.err != nil:
		return c.end(out.err)
	case out.exit != fault.Done:
		return c.end(fault.Verdict{Exit: out.exit})
	}
	return c.end(nil)
}

// end prints the document and passes err on.
func (c *course) end(err error) error {
	if printErr := c.print(); printErr != nil && err == nil {
		return printErr
	}
	return err
}

// live waits until every gateway holds the weights.
func (c *course) live(ctx context.Context) (outcome, bool) {
	waiting, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	view := c.fleet.Await(waiting, c.subject.Entries(), c.patched.At)
	c.sawLive(view)
	switch {
	case view.Live():
		c.screen.Done("live", "%s%s", view, times(view))
		return outcome{exit: fault.Done}, true
	case ctx.Err() != nil:
		return c.interrupted("the weights are written; " + view.String()), false
	}
	c.fleet.Blame(ctx, view)
	c.screen.Broken("live", "%s after %s", view, report.Seconds(c.options.Timeout.Seconds()))
	view.WriteTable(c.screen.Out())
	cause, advice := fleet.Because(fleet.Unread(ctx, c.subject, view...), view.Cause(), "")
	c.screen.Line("INCONCLUSIVE  not live in time: %s", report.Safe(cause))
	if advice != "" {
		c.screen.Say("next", "%s", report.Safe(advice))
	}
	return outcome{verdict: "not-live", exit: c.inconclusive(), when: "inconclusive"}, false
}

func (c *course) sawLive(view fleet.Views) {
	live := view.Live()
	c.doc.Live, c.doc.Propagation = &live, view[0].Propagation()
	for i := range view {
		c.routes[i].Gateways = view[i].Gateways()
	}
	if !live { // one route may be, but not the change
		c.doc.Propagation = nil
	}
}

// times are the two moments of a change that is live.
func times(view fleet.Views) string {
	first, last := view.Times()
	if last == 0 {
		return ""
	}
	if len(view[0].Sights) == 1 {
		return fmt.Sprintf(" after %s", report.Seconds(last.Seconds()))
	}
	return fmt.Sprintf("; first after %s, last after %s", report.Seconds(first.Seconds()), report.Seconds(last.Seconds()))
}

// run sends the load of route i.
func (c *course) run(ctx context.Context, i int, config verify.Config) (*verify.Report, error) {
	view := cli.NewView(c.options.Streams.ErrOut)
	defer view.Close()
	config.Raised, config.Abort = c.raised(i), c.options.Abort
	config.Progress = func(p verify.Progress) {
		if p.Elapsed >= 0 { // before that the phases of the change have the screen
			view.Progress(p)
		}
	}
	config.Announce = view.Warn
	r, err := verify.Run(ctx, config)
	if err == nil {
		if c.options.Output == "" {
			view.Unsaid(r)
		}
		entry := c.subject.Entries()[i]
		c.sites[i].Admit(r, entry, c.subject.Of(entry))
	}
	return r, err
}

// judged says the report of the load of route i, or why there is none.
func (c *course) judged(ctx context.Context, i int, r *verify.Report, err error) outcome {
	if ctx.Err() != nil && err != nil {
		return c.interrupted("the weights are written and live; " + measured(c.routes))
	}
	if err != nil {
		c.screen.Broken("measured", "%s", report.Safe(firstLine(err)))
		return outcome{verdict: "inconclusive", err: err, exit: fault.ExitCode(err), when: "inconclusive"}
	}
	c.arrived(r.Propagation)
	r.Gateways, r.Propagation = c.routes[i].Gateways, c.doc.Propagation
	c.routes[i].Verification, c.routes[i].Verdict = r, r.Verdict
	c.doc.Verdict = report.Worst(c.reports())
	c.screen.Done("measured", "%s", report.Measured(r))
	c.screen.Line("")
	report.WriteText(c.screen.Out(), r)
	if r.Interrupted {
		return c.interrupted("the weights are written and live; what was sent has been answered and judged")
	}
	out := outcome{verdict: strings.ToLower(r.Verdict), exit: c.options.Measure.Exit(r)}
	if r.Verdict != verdict.Pass.String() { // by what was measured, whatever --inconclusive-as makes of the exit code
		out.when = out.verdict
	}
	return out
}

// measured says which routes were measured when one of them could not be.
func measured(routes []Route) string {
	var done, left []string
	for _, r := range routes {
		if r.Verification != nil {
			done = append(done, report.Safe(r.Route))
		} else {
			left = append(left, report.Safe(r.Route))
		}
	}
	if len(done) == 0 {
		return "nothing was measured"
	}
	return "measured was " + strings.Join(done, ", ") + ", but not " + strings.Join(left, ", ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// raised are the versions of route i whose share the change raises: only they can be blamed for failing more than before. Nil
// when there was nothing to change: then all may be.
func (c *course) raised(i int) []string {
	change := c.plan.Changes[i]
	before, after := change.Entry.Shares(), change.Shares()
	if c.plan.Nothing() || before == nil || after == nil {
		return nil
	}
	raised := []string{}
	for n, label := range c.sites[i].Labels() {
		if after[n].Cmp(before[n]) > 0 {
			raised = append(raised, label)
		}
	}
	return raised
}

// interrupted says the state that a Ctrl-C leaves.
func (c *course) interrupted(state string) outcome {
	if err := c.vigil.overwritten(); err != nil { // it was not a person who stopped us
		return c.lost(err)
	}
	c.doc.Interrupted = true
	c.screen.Line("interrupted: %s", state)
	return outcome{exit: fault.Interrupted, when: "interrupted"}
}
