package main

import (
	"fmt"
	"slices"
	"strings"
)

// busyAt is how much of both cores others may have taken before the figures are worth nothing.
const busyAt = 0.05

// page is docs/benchmarks/load.md.
func page(r *Results) string {
	var b strings.Builder
	b.WriteString("# The load engine beside other tools\n\n" +
		"Written by `make bench-load`; raw rounds: [load.json](load.json). Ratios are ours/theirs, taken within a round; shown are the\n" +
		"median over the rounds and its quartiles. ✓ reaches the goal, ✗ does not.\n\n")
	if others := r.others(); others > busyAt {
		fmt.Fprintf(&b, "> **Recorded on a busy machine:** other programs took %.0f %% of both cores while this was measured. These figures\n"+
			"> show that the benchmark runs; they are not a result.\n\n", 100*others)
	}
	b.WriteString("| measure | against | goal | 8 connections | 64 | 256 |\n|---|---|---|---|---|---|\n")
	for i := range goals {
		b.WriteString(goals[i].row(r))
	}
	b.WriteString("\n`*`: the far side's core was at least 95 % busy, so it was the far side that was measured, and the ratio of requests per second is\n" +
		"void. Shown instead is theirs/ours of the processor time per request, which stays valid.\n\n" +
		"![processor time per request](load.svg)\n\n")
	for _, part := range []func() string{r.medians, r.costs, r.paces, r.pauses, r.stops, r.counted, r.memory, r.method} {
		b.WriteString(part())
	}
	return b.String()
}

// others is the median share of both cores that neither side used.
func (r *Results) others() float64 {
	var shares []float64
	for _, s := range r.Samples {
		shares = append(shares, s.Others)
	}
	if len(shares) == 0 {
		return 0
	}
	return quantile(shares, 0.5)
}

// row is one goal with its cells.
func (g *goal) row(r *Results) string {
	sign := "≥"
	if g.cpu {
		sign = "≤"
	}
	wanted := fmt.Sprintf("%s %v", sign, g.want[0])
	for _, w := range g.want[1:] {
		if w != g.want[0] {
			wanted = fmt.Sprintf("%s %v / %v / %v", sign, g.want[0], g.want[1], g.want[2])
		}
	}
	against := strings.Join(g.against, ", ")
	if len(g.against) > 1 {
		against = "best of " + against
	}
	line := fmt.Sprintf("| %s | %s | %s |", g.measure, against, wanted)
	for i, n := range columns {
		line += " " + g.cell(r, i, n) + " |"
	}
	return line + "\n"
}

func (g *goal) cell(r *Results, column, connections int) string {
	x := ratioOf(r.Samples, g, connections)
	if x.rounds == 0 {
		for _, name := range append([]string{g.ours}, g.against...) {
			if slices.Contains(r.Absent, name) {
				return "not measured: no " + name
			}
		}
		return "not measured"
	}
	mark, star := "✗", ""
	if x.met(g, column) {
		mark = "✓"
	}
	if x.bound {
		star = "*"
	}
	return fmt.Sprintf("%s %.2f%s (%.2f–%.2f)", mark, x.median, star, x.low, x.high)
}

// medians is the table of what each client did.
func (r *Results) medians() string {
	var b strings.Builder
	b.WriteString("## Each client\n\nRequests per second, processor time of the client per request (user and system), and how busy the far side's core was; medians.\n\n" +
		"| over | client | 8 connections | 64 | 256 |\n|---|---|---|---|---|\n")
	said := map[string]bool{}
	for _, s := range r.Samples {
		key := s.Protocol + s.Client
		if said[key] {
			continue
		}
		said[key] = true
		fmt.Fprintf(&b, "| %s | %s |", s.Protocol, s.Client)
		for _, n := range columns {
			b.WriteString(" " + r.median(s.Client, s.Protocol, n) + " |")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

func (r *Results) median(client, protocol string, connections int) string {
	rates := r.values(client, protocol, connections, func(s *Sample) float64 { return s.Rate })
	if len(rates) == 0 {
		return "–"
	}
	cpus := r.values(client, protocol, connections, func(s *Sample) float64 { return s.CPU })
	busy := r.values(client, protocol, connections, func(s *Sample) float64 { return s.FarBusy })
	return fmt.Sprintf("%.0f k/s, %.2f µs, %.0f %%", quantile(rates, 0.5)/1000, quantile(cpus, 0.5), 100*quantile(busy, 0.5))
}

// values are one figure of one cell, over the rounds.
func (r *Results) values(client, protocol string, connections int, of func(*Sample) float64) (values []float64) {
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Client == client && s.Protocol == protocol && s.Connections == connections {
			values = append(values, of(s))
		}
	}
	return values
}

// method says where and how it was measured.
func (r *Results) method() string {
	var b strings.Builder
	m := &r.Machine
	fmt.Fprintf(&b, "## How\n\n%s, %d cores, %s, %s, on %s; load averages before the first run %s.\n\n", m.Processor, m.Cores, m.Kernel, m.Go, m.Day, m.Load)
	fmt.Fprintf(&b, "One far side for all ([hack/benchload/far](../../hack/benchload/far)), on one core, and one client at a time on another. Every reply\n"+
		"has 190 octets and names its version, v2 by a draw of 30 %%. In each of %d rounds every client runs once at each number of\n"+
		"connections, in an order that rotates; %v s are measured after %v s of warm-up. Requests are counted by the far side.\n"+
		"Processor time is the difference between the two ends of the round, so what a client does to begin is not in it.\n"+
		"`floor` is a client in C that does nothing but the kernel's work: one read and one write a request, nothing parsed.\n"+
		"`epoll`, `portable` and `h2` are the whole `mesh-verify load`: labels read, histograms kept, evidence looked after.\n\n",
		r.Rounds, r.Round, r.WarmUp)
	b.WriteString("| client | version | command, 64 connections |\n|---|---|---|\n")
	for _, name := range sortedKeys(r.Versions) {
		command := "–"
		if args := r.Commands[name]; args != nil {
			command = "`" + strings.Join(args, " ") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, r.Versions[name], command)
	}
	for _, name := range r.Absent {
		fmt.Fprintf(&b, "| %s | **absent, not measured** | – |\n", name)
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
