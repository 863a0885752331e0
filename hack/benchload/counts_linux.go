package main

import (
	"context"
	"slices"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// counts compares what each engine counted with what the far side did, over as many requests as a long watch sends, and how
// much memory that took, beside others.
func (b *bench) counts(ctx context.Context) error {
	b.results.Counts, b.results.Memory = nil, nil
	for _, engine := range []struct {
		name     string
		protocol protocol
	}{{"epoll", plainHTTP}, {"portable", plainHTTP}, {"portable", overTLS}, {"h2", http2}} {
		if b.tools.paths[engine.name] == "" {
			continue
		}
		for _, n := range []int{10_000, b.many} {
			if err := b.count(ctx, engine.name, engine.protocol, n); err != nil {
				return err
			}
		}
	}
	for _, client := range b.present([]string{"hey", "oha", "fortio"}) {
		for _, n := range []int{10_000, 1_000_000} {
			e, err := b.toEnd(ctx, client, &job{protocol: plainHTTP, connections: 256, requests: n}, far.Settings{})
			if err != nil {
				return err
			}
			b.remember(client, string(plainHTTP), &e)
		}
	}
	return nil
}

// long is one run of the epoll engine over ten times as many requests as counts; it adds to what that stage found.
func (b *bench) long(ctx context.Context) error {
	n := 10 * b.many
	b.results.Counts = slices.DeleteFunc(b.results.Counts, func(c Count) bool { return c.Sent == uint64(n) })
	b.results.Memory = slices.DeleteFunc(b.results.Memory, func(m Memory) bool { return m.Requests == uint64(n) })
	return b.count(ctx, "epoll", plainHTTP, n)
}

// count compares one run of n requests.
func (b *bench) count(ctx context.Context, engine string, over protocol, n int) error {
	e, err := b.toEnd(ctx, engine, &job{protocol: over, connections: 256, requests: n}, b.settings)
	if err != nil {
		return err
	}
	b.remember(engine, string(over), &e)
	r, err := e.report()
	if err != nil {
		return err
	}
	c := Count{Engine: engine, Protocol: string(over), Outcomes: r.Outcomes, Sent: r.Requests.Sent, V1: r.of("v1"), V2: r.of("v2"),
		FarRequests: e.far.Requests, FarV1: e.far.V1, FarV2: e.far.V2}
	say("counts: %s over %s: %d and %d of %d, the far side %d and %d of %d: equal %t", c.Engine, c.Protocol, c.V1, c.V2, c.Sent, c.FarV1, c.FarV2, c.FarRequests, c.Equal())
	b.results.Counts = append(b.results.Counts, c)
	return nil
}

func (b *bench) remember(client, protocol string, e *ended) {
	m := Memory{Client: client, Protocol: protocol, Requests: e.far.Requests, MiB: float64(e.peak) / 1024}
	say("memory: %s over %s: %.1f MiB at most in %d requests", client, protocol, m.MiB, m.Requests)
	b.results.Memory = append(b.results.Memory, m)
}
