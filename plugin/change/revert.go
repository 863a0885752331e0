package change

import (
	"context"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// revert takes the change back and waits until every gateway has the old weights. A first Ctrl-C does not stop it; a
// second one, or the time-out, does. Whatever it cannot do or cannot see is exit code 6: a person has to look.
func (c *course) revert(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.options.Timeout)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-c.options.Abort:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() { cancel(); <-watching }()
	now, err := c.subject.Client.Get(ctx, c.subject.Object.Kind, c.subject.Object.GetName())
	if err != nil {
		return c.needsPerson(err)
	}
	// By id: whoever has changed the weights since knows why, and is not overruled by a program.
	elsewhere, _ := c.subject.Client.Remembered(ctx, now) // what cannot be read holds nothing of ours
	c.elsewhere = elsewhere.With(route.History{Items: c.plan.Items})
	plan, err := route.PlanRevert(now.Object, c.subject.Mesh, c.plan.ID(), c.planOptions("none"))
	if err != nil {
		return c.needsPerson(err)
	}
	patched, err := c.subject.Client.Patch(ctx, now, plan, c.patchOptions())
	if err != nil {
		return c.needsPerson(err)
	}
	view := c.fleet.Await(ctx, after(patched.Plan), patched.At)
	if !view.Live() {
		view.WriteTable(c.screen.Out())
		return fault.New(fault.NeedsPerson, c.subject.RouteCommand("wait", "--for=live")+" tells when they do",
			"the old weights are written again, but not every gateway holds them: %s", view.Cause()).Named("E_REVERT_UNSEEN")
	}
	c.doc.Reverted = true
	c.screen.Done("reverted", "%s again%s", view, times(view))
	return nil
}

// needsPerson says that a revert did not happen.
func (c *course) needsPerson(err error) error {
	return fault.New(fault.NeedsPerson, "the new weights are still there; "+c.undo(), "reverting failed: %w", err).Named("E_REVERT_FAILED")
}
