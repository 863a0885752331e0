package load

import (
	"context"
	"sync"
)

type http2 struct{}

var _ Engine = http2{}

// HTTP2 is the engine for HTTP/2 (RFC 9113), over TLS or, with prior knowledge, over plain TCP: a loop per connection, a
// stream per request, [Plan.Streams] of them at once. The request is the plan's, translated once.
func HTTP2() Engine { return http2{} }

func (http2) Name() string { return "h2" }

func (http2) Run(ctx context.Context, p *Plan, r *Recorder) error {
	x, err := newRun(ctx, p, r)
	if err != nil {
		return err
	}
	defer x.stopDial()
	wants := newH2Wanted(&x.plan)
	var opened, working, pacing sync.WaitGroup
	conns := make([]*h2conn, x.plan.Connections)
	opened.Add(len(conns))
	for i := range conns {
		conns[i] = newH2Conn(x, i, wants, opened.Done)
	}
	for _, c := range conns {
		working.Go(c.work)
	}
	pacing.Go(x.turns.pace)
	x.supervise(ctx, closing(&opened), closing(&working), func() {
		for _, c := range conns {
			c.kickAny()
		}
	})
	pacing.Wait()
	return x.err()
}
