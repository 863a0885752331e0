package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	core "github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// trial is one route on its way to a verdict.
type trial struct {
	subject *subject.Subject // about this route alone
	target  route.Entry      // the route with the shares to measure against
	site    *measure.Site    // nil where nothing is sent
	view    fleet.View
	report  *core.Report // nil until it was measured
}

// measure looks into the gateways and sends the load of one route after the other. An error ends it: what was measured before is
// in the trials all the same.
func (o *Options) measure(ctx context.Context, show *screen.Screen) ([]*trial, error) {
	s, left, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	trials, err := o.trials(s)
	if err != nil {
		return nil, err
	}
	if err := s.FindGateways(ctx); err != nil {
		return nil, err
	}
	show.Title(s.Title()...)
	for _, resource := range s.Unread {
		show.Warn("no right to list %s: version labels from there are not understood", resource)
	}
	for _, why := range left {
		show.Warn("--all-routes leaves out %s", report.Safe(why))
	}
	defer func() {
		for _, t := range trials {
			if t.site != nil {
				t.site.Close()
			}
		}
	}()
	if err := o.open(ctx, s, trials, show); err != nil {
		return nil, err
	}
	show.Line("")
	gateways := fleet.Open(ctx, s)
	defer gateways.Close()
	views := gateways.LookAll(ctx, s.Entries())
	for i := range trials {
		trials[i].view = views[i]
	}
	switch unseen := views.Refusal(); {
	case views.Live():
		show.Done("live", "%s", views)
	case unseen != nil && s.Entry.OfConnections():
		show.Warn("W_UNCHECKED: %s", report.Safe(unseen.Error()))
	default:
		show.Broken("live", "%s", views)
		views.WriteTable(show.Out())
	}
	if one := trials[0]; one.site.Injects() { // it is the only one
		i := measure.Injector{Subject: s, Ways: gateways, Screen: show, Manager: route.FieldManager, By: o.Client.WhoAmI(ctx), At: time.Now(), Abort: o.Abort}
		if err := o.inject(ctx, i, one.site); err != nil {
			return trials, err
		}
		defer func() { o.left = i.End(ctx, nil) }()
	}
	return trials, o.measureEach(ctx, trials, show)
}

// measureEach measures the routes, and with several of them says each verdict when it is there.
func (o *Options) measureEach(ctx context.Context, trials []*trial, show *screen.Screen) (err error) {
	if len(trials) == 1 {
		return o.run(ctx, trials[0], 1, show)
	}
	for _, t := range trials {
		show.Line("\n  %s", report.Safe(t.subject.Entry.Label()))
		if err = o.run(ctx, t, len(trials), show); err != nil {
			err = fmt.Errorf("%s: %w", t.subject.Entry.Slot(), err)
			break
		}
		show.Line("")
		report.WriteText(show.Out(), t.report)
		t.explain(ctx, show)
		if t.report.Interrupted || ctx.Err() != nil {
			break
		}
	}
	report.WriteRoutes(show.Out(), reports(trials), "the object")
	return err
}

// load reads the object and chooses the routes. Left says why --all-routes leaves others out.
func (o *Options) load(ctx context.Context) (s *subject.Subject, left []string, err error) {
	if o.AllRoutes {
		if s, err = subject.Read(ctx, o.Client, o.Name); err == nil {
			left, err = s.ChooseAll(o.terms)
		}
		return s, left, err
	}
	if s, err = subject.Load(ctx, o.Client, o.Name, o.Routes...); err != nil {
		err = measure.Choose(ctx, s, &o.Measure, err)
	}
	return s, nil, err
}

// trials makes one of each route.
func (o *Options) trials(s *subject.Subject) (list []*trial, err error) {
	for _, e := range s.Entries() {
		t := &trial{subject: s.Of(e)}
		if t.target, err = o.target(e); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// target is an entry as it is measured against: as the object says, or with the shares of --expect.
func (o *Options) target(e route.Entry) (route.Entry, error) {
	if len(o.terms) == 0 {
		return e, nil
	}
	plan, err := route.PlanSet([]route.Entry{e}, o.terms, route.Options{})
	if err != nil {
		return route.Entry{}, err
	}
	return plan.Changes[0].After(), nil
}

// open finds for each route the request that it governs, and where that goes in, before anything is measured.
func (o *Options) open(ctx context.Context, s *subject.Subject, trials []*trial, show *screen.Screen) (err error) {
	several := len(trials) > 1
	if several {
		_, _, _ = s.Rules(ctx) // read once for all; whoever needs them says what is wrong
	}
	for _, t := range trials {
		if several {
			t.subject = s.Of(t.subject.Entry) // which knows the gateways, and the rules
			show.Line("%s", report.Safe(t.subject.Entry.Label()))
		} else {
			t.subject = s
		}
		t.site, err = measure.Open(ctx, t.subject, &o.Measure, show)
		switch {
		case err != nil && several:
			return fmt.Errorf("%s: %w", t.subject.Entry.Slot(), err)
		case err != nil:
			return err
		case several && t.site.Injects():
			return fault.Usagef("name one route with --route, or let the replies name their version by themselves: --identify header:NAME",
				"--identify inject tells the destinations of one route apart, and %d are measured", len(trials))
		}
	}
	return nil
}

// run sends the load of one of so many routes.
func (o *Options) run(ctx context.Context, t *trial, of int, show *screen.Screen) error {
	config, err := t.site.Config(t.target, of)
	if err != nil {
		return err
	}
	config.Abort = o.Abort
	progress := cli.NewView(o.Streams.ErrOut)
	config.Progress, config.Announce = progress.Progress, progress.Warn
	r, err := core.Run(ctx, config)
	progress.Close()
	if err != nil {
		return err
	}
	if o.Output == "" {
		progress.Unsaid(r)
	}
	t.site.Admit(r, t.target, t.subject)
	r.Gateways = t.view.Gateways()
	if !t.view.Live() && !t.target.OfConnections() && r.Verdict == verdict.Pass.String() { // else explain says it, as the cause
		r.Warnings = append(r.Warnings, "not every gateway holds the weights: "+t.view.Cause())
	}
	t.report = r
	show.Done("measured", "%s", report.Measured(r))
	return nil
}

// reports are the verdicts so far.
func reports(trials []*trial) []report.RouteReport {
	var list []report.RouteReport
	for _, t := range trials {
		one := report.RouteReport{Route: t.subject.Entry.Label(), Verification: t.report}
		if t.report != nil {
			one.Verdict = t.report.Verdict
		}
		list = append(list, one)
	}
	return list
}

// whole is the report of all that was measured, or nil.
func whole(trials []*trial) *core.Report {
	switch len(trials) {
	case 0:
		return nil
	case 1:
		return trials[0].report
	}
	return report.OfRoutes(reports(trials))
}

// explain names the gateways that are behind a verdict other than PASS, what keeps the weights from them, and what to do about it.
func (t *trial) explain(ctx context.Context, show *screen.Screen) {
	if !t.view.Behind() || t.report.Verdict == verdict.Pass.String() {
		return
	}
	cause, next := fleet.Because(fleet.Unread(ctx, t.subject, t.view), t.view.Cause(), t.subject.RouteCommand("wait", "--for=live"))
	show.Say("cause", "%s", report.Safe(cause))
	show.Say("next", "%s", report.Safe(next))
}
