package main

import (
	"fmt"
	"strings"
)

// section is a heading, what it is about, and a table; nothing when there are no rows.
func section(heading, text, columns string, rows []string) string {
	if len(rows) == 0 {
		return "## " + heading + "\n\nNot measured.\n\n"
	}
	line := "|" + strings.Repeat("---|", strings.Count(columns, "|")-1)
	return "## " + heading + "\n\n" + text + "\n\n" + columns + "\n" + line + "\n" + strings.Join(rows, "\n") + "\n\n"
}

// mark is the judgement of one of ours.
func mark(ours, met bool) string {
	switch {
	case !ours:
		return ""
	case met:
		return " ✓"
	}
	return " ✗"
}

func isOurs(client string) bool { return client == "epoll" || client == "portable" || client == "h2" }

func (r *Results) costs() string {
	var rows []string
	for _, c := range r.Costs {
		calls, octets := "–", "–"
		if c.Calls > 0 {
			calls = fmt.Sprintf("%.2f%s", c.Calls, mark(c.Client == "epoll", c.Calls <= 2.2))
		}
		if c.HasOctets {
			octets = fmt.Sprintf("%.0f%s", c.Octets, mark(isOurs(c.Client), c.Octets < 1))
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", c.Client, calls, octets))
	}
	slowed := ""
	if r.CallsBy == "strace" {
		slowed = "\nstrace makes a client slow, so that replies lie ready when it looks; running free, one that looks before it waits makes up to one call more."
	}
	return section("What a request costs", "The difference of a long and a short run, 64 connections: system calls as "+r.CallsBy+" counts them (goal: at most 2.2 for epoll), and octets of heap as the\n"+
		"Go runtime's trace of collections shows them (goal: none; `go test ./verify/load -run Alloc` holds the same by count). `–`: not written in Go."+slowed,
		"| client | system calls a request | heap octets a request |", rows)
}

func (r *Results) paces() string {
	var rows []string
	for _, p := range r.Pacing {
		rows = append(rows, fmt.Sprintf("| %s | %.0f µs | %.0f µs%s | %.2f%s |", p.Client, p.Error50*1e6, p.Error99*1e6, mark(isOurs(p.Client), p.Error99 <= 500e-6),
			p.Rate, mark(isOurs(p.Client), p.Rate > 999 && p.Rate < 1001)))
	}
	return section("Does it keep the rate?", "1000 requests a second over 64 connections for 10 s: how far the arrivals at the far side lie from an even schedule (goal: p99 at most\n"+
		"500 µs), and the rate achieved (goal: within 0.1 %). fortio and hey split the rate over their connections, which begin together.",
		"| client | off by, p50 | p99 | requests/s |", rows)
}

func (r *Results) pauses() string {
	var rows []string
	for _, p := range r.Pauses {
		service := "–"
		if p.Service95 > 0 {
			service = fmt.Sprintf("%.1f ms%s", 1000*p.Service95, mark(isOurs(p.Client), p.Service95 < 0.05))
		}
		rows = append(rows, fmt.Sprintf("| %s | %.3f s%s | %s |", p.Client, p.P99, mark(isOurs(p.Client), p.P99 >= 0.85 && p.P99 <= 1.05), service))
	}
	return section("Does it tell of a second in which nothing answered?", "The same load; the far side is frozen from the fourth second to the fifth. Of those who came in these 10 s, one in a hundred waited for\n"+
		"0.9 s or longer, so a p99 far below tells users nothing happened. Ours is the response time, from the planned start (goal: 0.85 to\n"+
		"1.05 s), and beside it the service time, which is the far side's own (goal: p95 under 50 ms). wrk sends as fast as it can.",
		"| client | its p99 | service time p95 |", rows)
}

func (r *Results) stops() string {
	var rows []string
	for i := range r.Stops {
		s := &r.Stops[i]
		rows = append(rows, fmt.Sprintf("| %s | %d | %.2f %% | %.1f%s | %d | %.2f %% |", s.Client, s.Counted, 100*s.Share(), s.Sigmas(), mark(isOurs(s.Client), s.Sigmas() <= 4),
			s.FarV1+s.FarV2, 100*float64(s.FarV2)/float64(s.FarV1+s.FarV2)))
	}
	return section("Does it count what is under way when it stops?", "256 connections, 5000 requests, v1 answers after 1 ms, v2 after 20 ms, to one request in ten. Who stops without awaiting the rest counts\n"+
		"too little of v2. Goal: within 4 standard deviations of 10 %. wrk with a script that stops it at 5000; oha by `-z 100ms`.",
		"| client | counted | of v2 | σ off | the far side answered | of v2 |", rows)
}

func (r *Results) counted() string {
	var rows []string
	for i := range r.Counts {
		c := &r.Counts[i]
		rows = append(rows, fmt.Sprintf("| %s over %s | %d | %d, %d | %d | %d, %d |%s |", c.Engine, c.Protocol, c.Sent, c.V1, c.V2, c.FarRequests, c.FarV1, c.FarV2, mark(true, c.Equal())))
	}
	return section("Are the counts the far side's?", "256 connections; requests sent, and replies by v1 and v2, as we and as the far side counted them (`make counts`). Tolerance: none. The same\n"+
		"with every fault injected, and through Envoy, are tests: `TestEvery…` in verify/load, `TestCountsAtFullSpeed` in sandbox.",
		"| engine | sent | of v1, v2 | the far side saw | of v1, v2 | equal |", rows)
}

func (r *Results) memory() string {
	var rows []string
	first := map[string]float64{}
	for _, m := range r.Memory {
		key := m.Client + m.Protocol
		grew := ""
		if before, seen := first[key]; seen {
			grew = mark(isOurs(m.Client), m.MiB <= 64 && m.MiB-before <= 2)
		} else {
			first[key] = m.MiB
		}
		rows = append(rows, fmt.Sprintf("| %s over %s | %d | %.1f%s |", m.Client, m.Protocol, m.Requests, m.MiB, grew))
	}
	return section("How much memory does it take?", "Resident at most, MiB, 256 connections, two versions. Goal: at most 64, and at most 2 more after 10^7 requests than after 10^4.",
		"| client | requests | MiB |", rows)
}
