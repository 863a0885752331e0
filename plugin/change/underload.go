package change

import (
	"context"
	"errors"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/report"
)

// notLive ends the load of a change that did not become live; what there was to say is on the screen.
type notLive struct{ outcome outcome }

func (notLive) Error() string { return "not live" }

// underLoad makes the change while the load runs, so that the traffic itself tells when users got it. From the patch on it
// does what follow does.
func (c *course) underLoad(ctx context.Context) error {
	before, err := c.sites[0].Config(c.subject.Entry, 1)
	if err != nil {
		return c.untouched(ctx, err)
	}
	config, err := c.sites[0].Config(c.plan.Changes[0].After(), 1)
	if err != nil {
		return c.untouched(ctx, err)
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	following, written := sending, false
	config.Change = &verify.Change{
		From: before.Target,
		Apply: func(ctx context.Context) (time.Time, error) {
			if err := c.patch(ctx); err != nil {
				return time.Time{}, err
			}
			written = true
			following = c.keepVigil(sending)
			context.AfterFunc(following, stop) // somebody wrote over the weights: there is nothing left to measure
			return c.patched.At, nil
		},
		Live: func(ctx context.Context) error {
			if out, live := c.live(ctx); !live {
				return notLive{out}
			}
			return nil
		},
	}
	if c.unseen {
		config.Change.Live = nil
	}
	r, err := c.run(sending, 0, config)
	var late notLive
	switch {
	case !written:
		return c.untouched(ctx, err)
	case errors.As(err, &late):
		return c.conclude(ctx, following, late.outcome)
	}
	return c.conclude(ctx, following, c.judged(sending, 0, r, err))
}

// arrived says when the traffic showed the change, beside what the gateways' configuration said.
func (c *course) arrived(p *report.Propagation) {
	if p == nil || p.Traffic == nil {
		return
	}
	t := p.Traffic
	if c.doc.Propagation == nil {
		c.doc.Propagation = &report.Propagation{}
	}
	c.doc.Propagation.Traffic = t
	c.doc.Propagation.AnsweredAt = c.patched.At.UTC().Format(time.RFC3339Nano)
	switch {
	case t.Untimed == "":
		c.screen.Done("arrived", "the traffic shows it on %d of %d connections; median after %s, last after %s",
			t.Moved, t.Connections, report.Seconds(max(0, t.Median)), report.Seconds(max(0, t.Last)))
	case c.unseen && t.Moved < t.Connections:
		c.screen.Broken("arrived", "%d of %d connections show the new weights; %s", t.Moved, t.Connections, t.Untimed)
	default:
		c.screen.Done("arrived", "the traffic shows it on %d of %d connections; not timed by traffic: %s", t.Moved, t.Connections, t.Untimed)
	}
}

// timed says whether the change can be made under load: it is one, it is measured, and there was a valid split before.
func (c *course) timed() bool {
	return c.options.Verify && c.options.Wait && !c.plan.Nothing() && len(c.plan.Changes) == 1 && c.plan.Changes[0].Entry.Shares() != nil
}
