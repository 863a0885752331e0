package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// races are what runs side by side: who, over which protocol.
var races = []struct {
	protocol protocol
	clients  []string
}{
	{plainHTTP, []string{"epoll", "wrk", "portable", "h2load", "floor", "fortio", "oha", "hey", "vegeta"}},
	{overTLS, []string{"portable", "h2load", "fortio", "oha"}},
	{http2, []string{"h2", "h2load"}},
}

// speed runs every client once per round at every number of connections, each round in another order.
func (b *bench) speed(ctx context.Context) error {
	b.results.Samples = nil
	b.results.Rounds, b.results.Round, b.results.WarmUp = b.rounds, b.round.Seconds(), b.warmUp.Seconds()
	cells := 0
	for _, race := range races {
		cells += len(b.present(race.clients)) * len(b.connections)
	}
	total := time.Duration(b.rounds*cells) * (b.warmUp + b.round + 150*time.Millisecond)
	say("speed: %d rounds of %d runs, %v each after %v: about %v", b.rounds, cells, b.round, b.warmUp, total.Round(time.Second))
	began := time.Now()
	for round := range b.rounds {
		for _, n := range b.connections {
			for _, race := range races {
				clients := b.present(race.clients)
				if race.protocol == http2 && !slices.Contains(clients, "h2") {
					continue // h2load alone is no race
				}
				for i := range clients {
					client := clients[(i+round)%len(clients)]
					s, err := b.measure(ctx, client, &job{far: b.far.Addresses, protocol: race.protocol, connections: n})
					if ctx.Err() != nil {
						return context.Cause(ctx)
					}
					if err != nil {
						return err
					}
					s.Round = round
					b.results.Samples = append(b.results.Samples, s)
					say("%5s  round %d/%d  %-4s %3d  %-8s %7.0f/s  %5.2f µs  far side %5.2f µs, %3.0f %% busy  others %2.0f %%",
						time.Since(began).Round(time.Second), round+1, b.rounds, s.Protocol, n, client, s.Rate, s.CPU, s.FarCPU, 100*s.FarBusy, 100*s.Others)
				}
			}
		}
	}
	return nil
}

// present are those of the clients that can run here.
func (b *bench) present(clients []string) []string {
	var here []string
	for _, c := range clients {
		if b.tools.paths[c] != "" {
			here = append(here, c)
		}
	}
	return here
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
