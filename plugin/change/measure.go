package change

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// governed makes sure that the request of --url governs what is changed, where it is not measured.
func (c *course) governed(ctx context.Context) error {
	if !c.options.byURL() || c.options.Verify && !c.options.dry() {
		return nil
	}
	c.readOnce(ctx)
	for _, change := range c.plan.Changes {
		if err := measure.Govern(ctx, c.subject.Of(change.Entry), c.options.Measure, c.screen); err != nil {
			return err
		}
	}
	return nil
}

// readOnce reads for all of several routes what decides about their requests: each would read it for itself. Whoever needs it says
// what is wrong.
func (c *course) readOnce(ctx context.Context) {
	if len(c.plan.Changes) > 1 {
		_, _, _ = c.subject.Rules(ctx)
	}
}

// openSites finds for each route where its load goes in, and how replies name versions there.
func (c *course) openSites(ctx context.Context) error {
	if !c.options.Verify || c.options.dry() {
		return nil
	}
	several := len(c.plan.Changes) > 1
	c.readOnce(ctx)
	for _, change := range c.plan.Changes {
		if several {
			c.screen.Line("%s", report.Safe(change.Entry.Label()))
		}
		site, err := measure.Open(ctx, c.subject.Of(change.Entry), c.options.Measure, c.screen)
		if err == nil && several && site.Injects() {
			site.Close()
			return fault.Usagef("name one route with --route, or let the replies name their version by themselves: --identify header:NAME",
				"--identify inject tells the destinations of one route apart, and %d are changed", len(c.plan.Changes))
		}
		if err != nil && several {
			err = fmt.Errorf("%s: %w", change.Entry.Slot(), err)
		}
		if err != nil {
			return err
		}
		c.sites = append(c.sites, site)
	}
	return nil
}

// measure sends the load of one route after the other, and judges each. The outcome is the worst of them.
func (c *course) measure(ctx context.Context) outcome {
	var worst outcome
	each := make([]string, len(c.sites))
	for i, entry := range c.subject.Entries() {
		if len(c.sites) > 1 {
			c.screen.Line("\n  %s", report.Safe(entry.Label()))
		}
		out := c.measureOne(ctx, i)
		each[i] = out.verdict
		if i == 0 || out.worse(worst) {
			worst = out
		}
		if worst.exit == fault.Interrupted || ctx.Err() != nil {
			break
		}
		if rest := c.subject.Entries()[i+1:]; len(rest) > 0 && out.when != "" && slices.Contains(c.options.RevertOn, out.when) {
			c.screen.Line("not measured: %s; the change is taken back", labels(rest))
			break
		}
	}
	if len(c.sites) > 1 {
		unmeasured := "none"
		if worst.exit == fault.Interrupted {
			unmeasured = "pending" // as it was: what was judged before the interruption stays judged
		}
		for i := range each {
			each[i] = cmp.Or(each[i], unmeasured)
		}
		worst.each = each
		report.WriteRoutes(c.screen.Out(), c.reports(), "the change")
	}
	return worst
}

func (c *course) measureOne(ctx context.Context, i int) outcome {
	config, err := c.sites[i].Config(c.subject.Entries()[i], len(c.sites))
	if err != nil {
		return outcome{verdict: "inconclusive", err: err, exit: fault.ExitCode(err), when: "inconclusive"}
	}
	r, err := c.run(ctx, i, config)
	return c.judged(ctx, i, r, err)
}

// worse orders outcomes: an interruption ends everything, a FAIL outweighs what could not be settled, and that a PASS.
func (o outcome) worse(than outcome) bool { return o.rank() > than.rank() }

func (o outcome) rank() int {
	switch {
	case o.exit == fault.Interrupted:
		return 3
	case o.verdict == "fail":
		return 2
	case o.verdict != "pass":
		return 1
	}
	return 0
}

// reports are the verdicts of the routes so far.
func (c *course) reports() []report.RouteReport {
	var list []report.RouteReport
	for _, r := range c.routes {
		list = append(list, report.RouteReport{Route: r.Route, Verdict: r.Verdict, Verification: r.Verification})
	}
	return list
}

// labels are the names of entries, safe for a screen.
func labels(entries []route.Entry) string {
	var list []string
	for _, e := range entries {
		list = append(list, report.Safe(e.Label()))
	}
	return strings.Join(list, ", ")
}
