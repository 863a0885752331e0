package change

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/guard"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// course is one change on its way.
type course struct {
	options *Options
	screen  *screen.Screen
	subject *subject.Subject
	plan    *route.Plan
	by      string // who we are to the API server
	site    *measure.Site
	fleet   *fleet.Fleet
	unseen  bool // we may not look into the gateways: the traffic alone tells what they do
	patched mesh.Patched
	vigil   *vigil // nil until the change is written, or where nobody waits
	doc     Document
}

// Run takes a change all the way. Its error carries the exit code; a verdict other than PASS is a fault.Verdict, whose
// words are already printed.
func Run(ctx context.Context, o *Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	defer o.Client.Ahead(ctx, o.Name)()
	c := &course{options: o, screen: screen.New(o.Streams.Out, o.Streams.ErrOut, o.Output == "json")}
	defer c.close()
	if err := c.prepare(ctx); err != nil {
		return c.untouched(ctx, err)
	}
	if o.dry() {
		return c.untouched(ctx, c.rehearse(ctx))
	}
	if err := c.check(ctx); err != nil {
		return c.untouched(ctx, err)
	}
	if c.timed() {
		return c.underLoad(ctx)
	}
	if err := c.patch(ctx); err != nil {
		return c.untouched(ctx, err)
	}
	return c.follow(ctx)
}

func (c *course) close() {
	if c.fleet != nil {
		c.fleet.Close()
	}
	if c.site != nil {
		c.site.Close()
	}
}

// untouched ends a change that wrote nothing.
func (c *course) untouched(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	c.screen.Line("interrupted: nothing was changed")
	return fault.Verdict{Exit: fault.Interrupted}
}

// prepare reads, plans and shows: after it, everything that will be touched stands on the screen.
func (c *course) prepare(ctx context.Context) (err error) {
	o := c.options
	if o.PlanChooses && o.Route == "" {
		c.subject, err = subject.Read(ctx, o.Client, o.Name)
	} else {
		c.subject, err = subject.Load(ctx, o.Client, o.Name, o.Route)
	}
	if err != nil {
		return err
	}
	c.by = o.Client.WhoAmI(ctx)
	if c.plan, err = o.Plan(c.subject, c.planOptions()); err != nil {
		return err
	}
	if err := c.subject.FindGateways(ctx); err != nil && (o.Wait || o.Verify) && !o.dry() {
		return err
	}
	c.screen.Title(c.subject.Title()...)
	for _, resource := range c.subject.Unread {
		c.screen.Warn("no right to list %s: version labels from there are not understood", resource)
	}
	for _, warning := range c.plan.Warnings {
		c.screen.Warn("%s", warning)
	}
	if o.Verify && !o.dry() {
		if c.site, err = measure.Open(ctx, c.subject, o.Measure, c.screen); err != nil {
			return err
		}
	}
	c.doc = c.document()
	c.screen.Line("")
	c.showWeights()
	return nil
}

func (c *course) planOptions() route.Options {
	r := route.Options{Operation: c.options.Verb, By: c.by, At: c.options.Now(), Verdict: "none"}
	if c.options.Verify {
		r.Verdict = "pending"
	}
	return r
}

// showWeights is the diff as people read it.
func (c *course) showWeights() {
	change := c.plan.Changes[0]
	before, after, weights := change.Entry.Shares(), change.Shares(), change.Weights()
	rows := [][]string{{"destination", "weight", "share"}}
	for i, d := range change.Entry.Destinations {
		name := d.FQDN
		if name == "" {
			name = d.Host
		}
		if d.Subset != "" {
			name += "/" + d.Subset
		}
		if d.Port != 0 {
			name += fmt.Sprintf(":%d", d.Port)
		}
		weight, share := fmt.Sprint(d.Effective), "–"
		if before != nil {
			share = report.Percent(float(before[i]), 4)
		}
		if weights[i] != d.Effective {
			weight += fmt.Sprintf(" -> %d", weights[i])
			if after != nil {
				share += " -> " + report.Percent(float(after[i]), 4)
			}
		}
		rows = append(rows, []string{report.Safe(name), weight, share})
	}
	report.WriteColumns(c.screen.Out(), rows)
}

func float(r interface{ Float64() (float64, bool) }) float64 {
	f, _ := r.Float64()
	return f
}

// guard reads what stands against the change, and says it. A rehearsal is not refused: it only says that set would be.
func (c *course) guard(ctx context.Context) error {
	found, err := guard.Look(ctx, c.subject, c.plan, c.options.Now())
	if err != nil {
		return err
	}
	for _, warning := range found.Warnings(c.options.Guard) {
		c.screen.Warn("%s", report.Safe(warning))
	}
	refusal := found.Refusal(c.options.Guard)
	if refusal != nil || len(c.options.Guard.Overrides) > 0 {
		for _, advice := range found.Advice() {
			c.screen.Snippet("so that both can live:", advice)
		}
	}
	switch {
	case refusal == nil:
		c.screen.Done("checked", "%s", report.Safe(found.String()))
	case c.options.dry():
		c.screen.Warn("without --dry-run this is refused: %s", report.Safe(firstLine(refusal)))
		return nil
	}
	return refusal
}

// rehearse is a dry run.
func (c *course) rehearse(ctx context.Context) error {
	if err := c.guard(ctx); err != nil {
		return err
	}
	if diff := c.plan.Diff(c.options.Client.Context); diff != "" {
		c.screen.Line("%s", diff)
		for _, op := range c.plan.Ops {
			c.screen.Line("  %s", report.Safe(op.String()))
		}
		c.screen.Line("")
	}
	switch {
	case c.plan.Nothing():
		c.screen.Line("dry run: nothing to change, the weights are these already")
	case c.options.DryRun == "server":
		patched, err := c.options.Client.Patch(ctx, c.subject.Object, c.plan, mesh.PatchOptions{Manager: c.options.Manager, DryRun: true})
		if err != nil {
			return err
		}
		c.warnAltered(patched)
		c.screen.Line("dry run: the API server and its webhooks accept it; nothing was written")
	default:
		c.screen.Line("dry run: nothing was sent, nothing was written")
	}
	return c.print()
}

// check makes sure that the change can be followed, while there is still nothing to take back.
func (c *course) check(ctx context.Context) error {
	if err := c.guard(ctx); err != nil {
		return err
	}
	if !c.options.Wait {
		return nil
	}
	c.fleet = fleet.Open(ctx, c.subject)
	view := c.fleet.Look(ctx, c.subject.Entry)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := view.Refusal(); err != nil {
		if c.timed() {
			c.unseen = true
			c.screen.Done("checked", "%s; %s: the traffic alone will tell when the weights are live", c.site.Naming(), report.Safe(firstLine(err)))
			return nil
		}
		var f *fault.Error
		errors.As(err, &f)
		return fault.New(fault.Failed, f.Hint+"; --verify lets the traffic tell, --wait=false changes the weights without looking into the gateways", "%w", f.Err)
	}
	found := view.String()
	if c.site != nil {
		found += "; " + c.site.Naming()
	}
	if view.Live() {
		c.screen.Done("checked", "%s", found)
		return nil
	}
	c.screen.Broken("checked", "%s", found)
	view.WriteTable(c.screen.Out())
	return nil
}

// patch writes. From here on there is something to take back.
func (c *course) patch(ctx context.Context) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.patched, err = c.options.Client.Patch(ctx, c.subject.Object, c.plan, mesh.PatchOptions{Manager: c.options.Manager})
	if err != nil {
		return err
	}
	c.plan = c.patched.Plan
	c.doc = c.document()
	c.subject.Entry = c.plan.Changes[0].After()
	if c.plan.Nothing() {
		c.screen.Done("patched", "nothing to write: the weights are these already")
		return nil
	}
	c.doc.Revision = c.plan.ID()
	c.doc.ResourceVersion = &Versions{c.patched.Before.GetResourceVersion(), c.patched.After.GetResourceVersion()}
	c.doc.Undo = c.wayBack()
	n, fields := 0, "weight fields"
	for i, w := range c.plan.Changes[0].To {
		if w != c.plan.Changes[0].From[i] {
			n++
		}
	}
	if n == 1 {
		fields = "weight field"
	}
	c.screen.Done("patched", "resourceVersion %s -> %s, only %d %s changed", c.doc.ResourceVersion.From, c.doc.ResourceVersion.To, n, fields)
	c.warnAltered(c.patched)
	return nil
}

// wayBack is the command that takes the change back. What takes back an undo is to restore what the undone change had set.
func (c *course) wayBack() string {
	if items := c.plan.Items; len(items) > 0 && items[0].Undoes > 0 {
		return c.subject.Command("undo", "--to-revision", strconv.FormatInt(items[0].Undoes, 10))
	}
	return c.subject.Command("undo")
}

// warnAltered says what the API server changed beyond the plan: a mutating webhook was there.
func (c *course) warnAltered(p mesh.Patched) {
	for _, difference := range p.Plan.Altered(p.After.Object) {
		c.screen.Warn("W_ALTERED: the API server changed more than was asked: %s", report.Safe(fmt.Sprint(difference)))
	}
}

// print writes the document, with -o json.
func (c *course) print() error {
	if c.options.Output != "json" {
		return nil
	}
	return report.WriteJSON(c.options.Streams.Out, c.doc)
}

// inconclusive is the exit code of what could not be settled, bent as --inconclusive-as says where there is such a flag.
func (c *course) inconclusive() fault.Code {
	if !c.options.Verify {
		return fault.Inconclusive
	}
	return c.options.Measure.Exit(&verify.Report{Verdict: verdict.Inconclusive.String()})
}
