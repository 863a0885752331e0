package change

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
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
	options   *Options
	screen    *screen.Screen
	subject   *subject.Subject
	plan      *route.Plan
	by        string          // who we are to the API server
	memory    string          // where the change is remembered: inAnnotation, inConfigMap or nowhere
	elsewhere route.History   // what is remembered outside of the object
	sites     []*measure.Site // one for each change of the plan; none without --verify
	fleet     *fleet.Fleet
	unseen    bool // we may not look into the gateways: the traffic alone tells what they do
	patched   mesh.Patched
	vigil     *vigil // nil until the change is written, or where nobody waits
	doc       Document
	routes    []Route // one for each change of the plan; they go into doc when it is printed
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
	if len(c.sites) > 0 && c.sites[0].Injects() {
		return c.injected(ctx)
	}
	return c.carry(ctx)
}

// carry makes the change, from the patch to the verdict.
func (c *course) carry(ctx context.Context) error {
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
	for _, site := range c.sites {
		site.Close()
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
	if o.PlanChooses {
		c.subject, err = subject.Read(ctx, o.Client, o.Name)
	} else {
		c.subject, err = subject.Load(ctx, o.Client, o.Name, o.Routes...)
	}
	if err != nil && o.asks() {
		err = measure.Choose(ctx, c.subject, o.Measure, err)
	}
	if err != nil {
		return err
	}
	c.readMemory(ctx, func() { c.by = o.Client.WhoAmI(ctx) })
	verdict := "none"
	if o.Verify {
		verdict = "pending"
	}
	if c.plan, err = o.Plan(c.subject, c.planOptions(verdict)); err != nil {
		return err
	}
	if err := c.subject.FindGateways(ctx); err != nil && ((o.Wait || o.Verify) && !o.dry() || o.byURL()) {
		return err
	}
	c.screen.Title(c.subject.Title()...)
	for _, resource := range c.subject.Unread {
		c.screen.Warn("no right to list %s: version labels from there are not understood", resource)
	}
	c.forewarn()
	for _, left := range c.plan.LeftOut {
		c.screen.Warn("--all-routes leaves out %s", report.Safe(left))
	}
	if err := c.governed(ctx); err != nil {
		return err
	}
	if err := c.openSites(ctx); err != nil {
		return err
	}
	c.document()
	c.screen.Line("")
	c.showWeights()
	return nil
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
	view := c.fleet.LookAll(ctx, c.subject.Entries())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := view.Refusal(); err != nil {
		if c.timed() {
			c.unseen = true
			c.screen.Done("checked", "%s; %s: the traffic alone will tell when the weights are live", c.naming(), report.Safe(firstLine(err)))
			return nil
		}
		var f *fault.Error
		errors.As(err, &f)
		ways := "; --verify lets the traffic tell, --wait=false changes the weights without looking into the gateways"
		if len(c.plan.Changes) > 1 { // the traffic tells it of one
			ways = "; change one route after the other with --verify, which lets the traffic tell, or --wait=false changes the weights without looking into the gateways"
		}
		return fault.New(fault.Failed, f.Hint+ways, "%w", f.Err)
	}
	found := view.String()
	if naming := c.naming(); naming != "" {
		found += "; " + naming
	}
	if view.Live() {
		c.screen.Done("checked", "%s", found)
		return nil
	}
	c.screen.Broken("checked", "%s", found)
	view.WriteTable(c.screen.Out())
	return nil
}

// naming says how replies name versions, "" where nothing is measured.
func (c *course) naming() string {
	var said []string
	for _, site := range c.sites {
		if naming := site.Naming(); !slices.Contains(said, naming) {
			said = append(said, naming)
		}
	}
	return strings.Join(said, "; ")
}

// after are the entries of a plan as they will be.
func after(p *route.Plan) []route.Entry {
	list := make([]route.Entry, len(p.Changes))
	for i, change := range p.Changes {
		list[i] = change.After()
	}
	return list
}

// patch writes. From here on there is something to take back.
func (c *course) patch(ctx context.Context) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.patched, err = c.subject.Client.Patch(ctx, c.subject.Object, c.plan, c.patchOptions())
	if err != nil {
		return err
	}
	c.plan = c.patched.Plan
	c.document()
	c.subject.Take(after(c.plan))
	if c.plan.Nothing() {
		c.screen.Done("patched", "nothing to write: the weights are these already")
		return nil
	}
	if c.memory != nowhere {
		c.doc.Revision = c.plan.ID()
	}
	c.doc.ResourceVersion = &Versions{c.patched.Before.GetResourceVersion(), c.patched.After.GetResourceVersion()}
	c.doc.Undo = c.wayBack()
	n, fields := 0, "weight fields"
	for _, change := range c.plan.Changes {
		for i, w := range change.To {
			if w != change.From[i] {
				n++
			}
		}
	}
	if n == 1 {
		fields = "weight field"
	}
	c.screen.Done("patched", "resourceVersion %s -> %s, only %d %s changed", c.doc.ResourceVersion.From, c.doc.ResourceVersion.To, n, fields)
	c.warnAltered(c.patched)
	if c.patched.Unsettled != nil {
		c.screen.Warn("the history does not say yet that the change was made: %s", report.Safe(firstLine(c.patched.Unsettled)))
	}
	return nil
}

// inconclusive is the exit code of what could not be settled, bent as --inconclusive-as says where there is such a flag.
func (c *course) inconclusive() fault.Code {
	if !c.options.Verify {
		return fault.Inconclusive
	}
	return c.options.Measure.Exit(&verify.Report{Verdict: verdict.Inconclusive.String()})
}
