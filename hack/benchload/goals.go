package main

import (
	"math"
	"slices"
)

// columns are the numbers of connections that have goals.
var columns = [...]int{8, 64, 256}

// goal is one row of the goals: a ratio ours/theirs at each number of connections.
type goal struct {
	measure  string
	ours     string
	protocol string
	against  []string // one, or the best of several in each round
	cpu      bool     // processor time per request, which should be small; else requests per second
	want     [len(columns)]float64
}

// The goals. Of several peers in one row of the specification each has a row here, unless the best of them is asked for.
var goals = []goal{
	{"requests/s, epoll engine", "epoll", "http", []string{"wrk"}, false, [...]float64{1.15, 1.15, 1.15}},
	{"requests/s, epoll engine", "epoll", "http", []string{"h2load"}, false, [...]float64{1.15, 1.15, 1.10}},
	{"requests/s, epoll engine", "epoll", "http", []string{"fortio"}, false, [...]float64{1.15, 1.15, 1.10}},
	{"requests/s, epoll engine", "epoll", "http", []string{"oha"}, false, [...]float64{1.3, 1.3, 1.3}},
	{"requests/s, epoll engine", "epoll", "http", []string{"hey"}, false, [...]float64{3, 3, 3}},
	{"requests/s, epoll engine", "epoll", "http", []string{"vegeta"}, false, [...]float64{4, 4, 4}},
	{"requests/s, portable engine", "portable", "http", []string{"wrk"}, false, [...]float64{0.95, 0.95, 0.92}},
	{"requests/s, portable over TLS 1.3", "portable", "tls", []string{"oha", "fortio", "h2load"}, false, [...]float64{1, 1, 1}},
	{"requests/s, h2, 10 streams", "h2", "h2", []string{"h2load"}, false, [...]float64{0.9, 0.9, 0.9}},
	{"CPU per request, epoll", "epoll", "http", []string{"wrk"}, true, [...]float64{0.88, 0.88, 0.88}},
	{"CPU per request, portable", "portable", "http", []string{"wrk"}, true, [...]float64{1.05, 1.05, 1.05}},
	{"CPU per request, epoll", "epoll", "http", []string{"floor"}, true, [...]float64{1.15, 1.12, 1.12}},
}

// boundAt is how busy the far side's core may be before it is the far side that was measured.
const boundAt = 0.95

// ratio is ours/theirs over the rounds of one cell.
type ratio struct {
	median, low, high float64 // quartiles
	rounds            int     // in which both ran; 0: not measured
	bound             bool    // the far side was the limit, so this is theirs/ours of the processor time per request
}

// met says whether the cell reaches its goal.
func (r ratio) met(g *goal, column int) bool {
	if g.cpu {
		return r.median <= g.want[column]
	}
	return r.median >= g.want[column]
}

// ratioOf divides within each round, and takes the median over the rounds.
func ratioOf(samples []Sample, g *goal, connections int) ratio {
	var rates, cpus []float64
	busy := map[string][]float64{}
	for _, ours := range samples {
		if ours.Client != g.ours || ours.Protocol != g.protocol || ours.Connections != connections {
			continue
		}
		rate, cpu := 0.0, math.Inf(1) // of the best of the others
		for _, s := range samples {
			if s.Round == ours.Round && s.Protocol == g.protocol && s.Connections == connections && slices.Contains(g.against, s.Client) {
				rate, cpu = max(rate, s.Rate), min(cpu, s.CPU)
				busy[s.Client] = append(busy[s.Client], s.FarBusy)
			}
		}
		if rate > 0 {
			rates, cpus = append(rates, ours.Rate/rate), append(cpus, ours.CPU/cpu)
			busy[ours.Client] = append(busy[ours.Client], ours.FarBusy)
		}
	}
	r := ratio{rounds: len(rates)}
	if r.rounds == 0 {
		return r
	}
	from := rates
	switch {
	case g.cpu:
		from = cpus
	default:
		for _, of := range busy {
			r.bound = r.bound || quantile(of, 0.5) >= boundAt
		}
		if r.bound {
			from = from[:0]
			for _, c := range cpus {
				from = append(from, 1/c)
			}
		}
	}
	r.low, r.median, r.high = quantile(from, 0.25), quantile(from, 0.5), quantile(from, 0.75)
	return r
}

// quantile interpolates between the values; p in [0, 1].
func quantile(values []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
