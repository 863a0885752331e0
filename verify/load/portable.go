package load

import (
	"context"
	"sync"
)

type portable struct{}

var _ Engine = portable{}

// Portable is the engine for every system and for TLS: a goroutine per connection, HTTP/1.1.
func Portable() Engine { return portable{} }

func (portable) Name() string { return "portable" }

func (portable) Run(ctx context.Context, p *Plan, r *Recorder) error {
	x, err := newRun(ctx, p, r)
	if err != nil {
		return err
	}
	defer x.stopDial()
	var opened, working, pacing sync.WaitGroup
	workers := make([]*worker, x.plan.Connections)
	opened.Add(len(workers))
	for i := range workers {
		workers[i] = newWorker(x, i, opened.Done)
	}
	for _, w := range workers {
		working.Go(w.work)
	}
	pacing.Go(x.turns.pace)
	x.supervise(ctx, closing(&opened), closing(&working), func() {
		for _, w := range workers {
			w.kickAny()
		}
	})
	pacing.Wait()
	return x.err()
}

// closing gives a channel that closes when the group is done.
func closing(g *sync.WaitGroup) <-chan struct{} {
	c := make(chan struct{})
	go func() { g.Wait(); close(c) }()
	return c
}
