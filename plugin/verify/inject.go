package verify

import (
	"context"

	"github.com/mesh-split/mesh-split/plugin/guard"
	"github.com/mesh-split/mesh-split/plugin/measure"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// inject lets the gateways name the destinations in a header of ours. It is the one thing that verify ever writes, so that the
// owners of the object count.
func (o *Options) inject(ctx context.Context, i measure.Injector, site *measure.Site) error {
	plan, err := i.Plan(site)
	if err != nil {
		return err
	}
	found, err := guard.Look(ctx, i.Subject, plan, i.At)
	if err != nil {
		return err
	}
	flags := guard.Flags{Overrides: o.Overrides}
	for _, warning := range found.Warnings(flags) {
		i.Screen.Warn("%s", report.Safe(warning))
	}
	if err := found.Refusal(flags); err != nil {
		for _, advice := range found.Advice() {
			i.Screen.Snippet("so that both can live:", advice)
		}
		return err
	}
	err = i.Inject(ctx, site)
	if ctx.Err() != nil && fault.ExitCode(err) != fault.NeedsPerson {
		return ctx.Err()
	}
	return err
}
