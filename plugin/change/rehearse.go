package change

import (
	"context"
	"fmt"

	"github.com/mesh-split/mesh-split/plugin/guard"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/verify/report"
)

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
	if diff := c.plan.Diff(c.subject.Client.Context); diff != "" {
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
		patched, err := c.subject.Client.Patch(ctx, c.subject.Object, c.plan, mesh.PatchOptions{Manager: c.options.Manager, DryRun: true})
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

// warnAltered says what the API server changed beyond the plan: a mutating webhook was there.
func (c *course) warnAltered(p mesh.Patched) {
	for _, difference := range p.Plan.Altered(p.After.Object) {
		c.screen.Warn("W_ALTERED: the API server changed more than was asked: %s", report.Safe(fmt.Sprint(difference)))
	}
}
