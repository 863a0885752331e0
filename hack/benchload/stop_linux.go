package main

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// stopAt is the script that lets wrk count versions, and stop after so many replies as the others.
//
//go:embed stop.lua
var stopAt []byte

// stop asks each tool for the share of a slow version in a short run over many connections. What is under way at the end is
// mostly the slow version's, so who stops counting there counts too little of it.
func (b *bench) stop(ctx context.Context) error {
	b.results.Stops = nil
	script := filepath.Join(b.tools.dir, "stop.lua")
	if err := os.WriteFile(script, stopAt, 0o644); err != nil {
		return err
	}
	slow := far.Settings{Share: 0.1, Delays: time.Millisecond, DelaysV2: 20 * time.Millisecond, StatusV2: 202}
	for _, client := range b.present([]string{"epoll", "portable", "wrk", "oha", "hey"}) {
		j := &job{protocol: plainHTTP, connections: 256, requests: stopRequests, more: moreFigures[client]}
		switch client {
		case "wrk":
			j.requests, j.time, j.more = 0, 10*time.Second, []string{"-s", script}
		case "oha": // by a deadline, which is how it is mostly used
			j.requests, j.time = 0, 100*time.Millisecond
		}
		e, err := b.toEnd(ctx, client, j, slow)
		if err != nil {
			return err
		}
		s := Stop{Client: client, FarV1: e.far.V1, FarV2: e.far.V2}
		if client == "epoll" || client == "portable" {
			r, err := e.report()
			if err != nil {
				return err
			}
			s.Counted, s.V2 = r.Requests.Sent, r.of("v2")
		} else if s.Counted, s.V2, err = splitOf(client, &e); err != nil {
			return err
		}
		say("stop: %-8s %.2f %% of %d by v2, %.1f sigma off; the far side answered %.2f %% of %d", client, 100*s.Share(), s.Counted, s.Sigmas(),
			100*float64(s.FarV2)/float64(s.FarV1+s.FarV2), s.FarV1+s.FarV2)
		b.results.Stops = append(b.results.Stops, s)
	}
	return nil
}

const stopRequests = 5000
