package main

import (
	"context"
	"syscall"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// The load of the tests of time: 64 connections, 1000 requests a second, 10 s.
const (
	pacedRate        = 1000
	pacedConnections = 64
	pacedTime        = 10 * time.Second
)

// pacing compares when requests came with when they should have come.
func (b *bench) pacing(ctx context.Context) error {
	b.results.Pacing = nil
	for _, client := range b.present([]string{"epoll", "portable", "fortio", "vegeta", "oha", "hey"}) {
		e, err := b.toEnd(ctx, client, paced(), far.Settings{Arrivals: true})
		if err != nil {
			return err
		}
		p := Pacing{Client: client}
		p.Error50, p.Error99, p.Rate = startErrors(e.far.Arrivals, pacedRate)
		say("pacing: %-8s off by %.0f µs (p50), %.0f µs (p99); %.2f/s of %d", client, p.Error50*1e6, p.Error99*1e6, p.Rate, pacedRate)
		b.results.Pacing = append(b.results.Pacing, p)
	}
	return nil
}

func paced() *job {
	return &job{protocol: plainHTTP, connections: pacedConnections, rate: pacedRate, time: pacedTime}
}

// pause freezes the far side for a second and asks each tool what its users would have seen.
func (b *bench) pause(ctx context.Context) error {
	b.results.Pauses = nil
	for _, client := range b.present([]string{"epoll", "portable", "fortio", "vegeta", "oha", "hey", "wrk"}) {
		j := paced()
		j.more = moreFigures[client]
		freezing, cancel := context.WithCancel(ctx)
		frozen := make(chan struct{})
		go func() {
			defer close(frozen)
			b.freeze(freezing)
		}()
		e, err := b.toEnd(ctx, client, j, far.Settings{})
		cancel()
		<-frozen
		if err != nil {
			return err
		}
		p := Pause{Client: client}
		if client == "epoll" || client == "portable" {
			r, err := e.report()
			if err != nil {
				return err
			}
			p.P99, p.Service95 = r.Versions[0].Response.P99, r.Times.Service.P95
		} else if p.P99, err = b.p99Of(client, &e); err != nil {
			return err
		}
		say("pause: %-8s says p99 %.4f s", client, p.P99)
		b.results.Pauses = append(b.results.Pauses, p)
	}
	return nil
}

// freeze stops the far side from the fourth second to the fifth.
func (b *bench) freeze(ctx context.Context) {
	if sleep(ctx, 4*time.Second) != nil {
		return
	}
	_ = b.far.Process.Signal(syscall.SIGSTOP)
	_ = sleep(ctx, time.Second)
	_ = b.far.Process.Signal(syscall.SIGCONT)
}
