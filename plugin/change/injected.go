package change

import (
	"context"

	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// injected makes the change while the gateways name the destinations in a header of ours, which is there before the load begins
// and is removed however the change ends.
func (c *course) injected(ctx context.Context) error {
	if c.unseen {
		return fault.New(fault.Failed, "measure by what replies say themselves: leave out --identify inject",
			"--identify inject waits until every gateway has the header, and there is no right to look into them")
	}
	i := measure.Injector{Subject: c.subject, Ways: c.fleet, Screen: c.screen, Manager: c.options.Manager, By: c.by, At: c.options.Now(), Abort: c.options.Abort,
		Beyond: 2*c.options.Timeout + c.options.WatchRevert} // until the weights are live, and until the old ones are again
	if err := i.Inject(ctx, c.sites[0]); err != nil {
		if fault.ExitCode(err) == fault.NeedsPerson {
			return err
		}
		return c.untouched(ctx, err)
	}
	plan, err := c.plan.Again(c.subject.Object.Object, c.elsewhere)
	if err != nil {
		return i.End(ctx, err)
	}
	c.plan = plan
	return i.End(ctx, c.carry(ctx))
}
