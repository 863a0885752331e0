package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// cost counts system calls and heap octets per request: the difference of a long and a short run, so that beginning and end
// cancel.
func (b *bench) cost(ctx context.Context) error {
	b.results.Costs, b.results.CallsBy = nil, callsBy()
	if b.results.CallsBy == "" {
		say("!!! SKIPPED: system calls are not counted; get perf or strace with: apt-get install linux-perf strace")
	}
	for _, client := range b.present(races[0].clients) {
		if client == "floor" {
			continue
		}
		c := Cost{Client: client}
		var err error
		if b.results.CallsBy != "" {
			if c.Calls, err = b.perRequest(ctx, client, 50_000, b.systemCalls); err != nil {
				return err
			}
		}
		if writtenInGo[client] {
			if c.Octets, err = b.perRequest(ctx, client, 100_000, b.heapOctets); err != nil {
				return err
			}
			c.HasOctets = true
		}
		say("cost: %-8s %.2f system calls a request, %.0f octets of heap", client, c.Calls, c.Octets)
		b.results.Costs = append(b.results.Costs, c)
	}
	return nil
}

// callsBy is what can count system calls here: perf, which a client does not feel (it wants /sys/kernel/tracing mounted, and
// rights), else strace, which stops it at each, so that replies lie ready when it looks; empty without either.
func callsBy() string {
	if exec.Command("perf", "stat", "-e", callEvent, "true").Run() == nil {
		return "perf"
	}
	if _, err := exec.LookPath("strace"); err == nil {
		return "strace"
	}
	return ""
}

const callEvent = "raw_syscalls:sys_enter"

// writtenInGo are the clients whose runtime tells what was allocated.
var writtenInGo = map[string]bool{"epoll": true, "portable": true, "fortio": true, "hey": true, "vegeta": true}

// perRequest measures a short run and one three times as long.
func (b *bench) perRequest(ctx context.Context, client string, requests int, measure func(context.Context, string, *job) (float64, uint64, error)) (float64, error) {
	var used [2]float64
	var seen [2]uint64
	for i, times := range []int{1, 3} {
		j := &job{protocol: plainHTTP, connections: 64, requests: times * requests}
		if client == "wrk" || client == "vegeta" { // they know no number of requests
			j.requests, j.time = 0, time.Duration(times)*time.Second
		}
		var err error
		if used[i], seen[i], err = measure(ctx, client, j); err != nil {
			return 0, err
		}
	}
	return (used[1] - used[0]) / float64(seen[1]-seen[0]), nil
}

// The number in perf's line of the event, and in strace's last: % time, seconds, usecs/call, calls, errors, total.
var totalCalls = map[string]*regexp.Regexp{
	"perf":   regexp.MustCompile(`(?m)^(\d+),,raw_syscalls:sys_enter`),
	"strace": regexp.MustCompile(`(?m)^\s*100\.00\s+\S+\s+\S+\s+(\d+)(\s+\d+)?\s+total`),
}

func (b *bench) systemCalls(ctx context.Context, client string, j *job) (float64, uint64, error) {
	file := filepath.Join(b.tools.dir, "calls.txt")
	by := b.results.CallsBy
	j.before = map[string][]string{
		"perf":   {"perf", "stat", "-x", ",", "-o", file, "-e", callEvent},
		"strace": {"strace", "-c", "-f", "-o", file},
	}[by]
	e, err := b.toEnd(ctx, client, j, far.Settings{})
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	found := totalCalls[by].FindSubmatch(text)
	if found == nil {
		return 0, 0, fmt.Errorf("%s of %s says no total: %s", by, client, tail(text))
	}
	calls, err := strconv.ParseFloat(string(found[1]), 64)
	return calls, e.far.Requests, err
}

// A line of the runtime's trace of collections: heap before, at the mark's end, and live after, in MB.
var collection = regexp.MustCompile(` (\d+)->\d+->(\d+) MB`)

func (b *bench) heapOctets(ctx context.Context, client string, j *job) (float64, uint64, error) {
	j.env = []string{"GODEBUG=gctrace=1"}
	e, err := b.toEnd(ctx, client, j, far.Settings{})
	return allocated(e.stderr.Bytes()), e.far.Requests, err
}

// allocated adds up what came between collections, in octets; what came after the last one is not known.
func allocated(trace []byte) float64 {
	sum, live := 0.0, 0.0
	for _, line := range bytes.Split(trace, []byte{'\n'}) {
		if found := collection.FindSubmatch(line); found != nil {
			before, _ := strconv.ParseFloat(string(found[1]), 64)
			sum += max(0, before-live)
			live, _ = strconv.ParseFloat(string(found[2]), 64)
		}
	}
	return sum * (1 << 20)
}
