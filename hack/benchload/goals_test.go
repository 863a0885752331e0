package main

import (
	"math"
	"strings"
	"testing"
)

// twoRounds is two rounds of two clients, made up.
func twoRounds(farBusy float64, ours, theirs [2]float64) (samples []Sample) {
	for i := range ours {
		samples = append(samples,
			Sample{Client: "epoll", Protocol: "http", Connections: 64, Round: i, Rate: ours[i], CPU: 1e6 / ours[i], FarBusy: farBusy},
			Sample{Client: "wrk", Protocol: "http", Connections: 64, Round: i, Rate: theirs[i], CPU: 2e6 / theirs[i], FarBusy: 0.5})
	}
	return samples
}

var rate = goal{"r", "epoll", "http", []string{"wrk"}, false, [...]float64{1.15, 1.15, 1.15}}
var cpu = goal{"c", "epoll", "http", []string{"wrk"}, true, [...]float64{0.88, 0.88, 0.88}}

func TestRatios(t *testing.T) {
	for _, row := range []struct {
		name    string
		samples []Sample
		goal    goal
		median  float64
		bound   bool
		met     bool
	}{
		{"rounds are divided one by one: 2 and 1, not 300/200", twoRounds(0.5, [2]float64{200, 100}, [2]float64{100, 100}), rate, 1.5, false, true},
		{"under the goal", twoRounds(0.5, [2]float64{110, 110}, [2]float64{100, 100}), rate, 1.1, false, false},
		{"a far side that was the limit: theirs/ours of the processor time", twoRounds(0.96, [2]float64{100, 100}, [2]float64{100, 100}), rate, 2, true, true},
		{"processor time should be small", twoRounds(0.96, [2]float64{100, 100}, [2]float64{100, 100}), cpu, 0.5, false, true},
	} {
		got := ratioOf(row.samples, &row.goal, 64)
		if got.median != row.median || got.bound != row.bound || got.met(&row.goal, 1) != row.met || got.rounds != 2 {
			t.Errorf("%s: %+v, met %t; want %v, bound %t, met %t", row.name, got, got.met(&row.goal, 1), row.median, row.bound, row.met)
		}
	}
}

// What was not measured is said in its cell, with the reason; nothing absent looks like a result.
func TestPageSaysWhatIsMissing(t *testing.T) {
	r := &Results{Samples: twoRounds(0.5, [2]float64{130, 130}, [2]float64{100, 100}), Absent: []string{"oha"}, Versions: map[string]string{"epoll": "devel"}}
	for i := range r.Samples {
		r.Samples[i].Others = 0.2
	}
	text := page(r)
	for _, want := range []string{"| ✓ 1.30 (1.30–1.30) |", "not measured: no oha", "Recorded on a busy machine", "**absent, not measured**"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

// Requests sent as planned are off by nothing; a burst of ten every 10 ms is off by 4.5 ms at its ends.
func TestStartErrors(t *testing.T) {
	var even, bursts []int64
	for i := range int64(1000) {
		even = append(even, 5e9+i*1e6)
		bursts = append(bursts, 5e9+i/10*10e6)
	}
	for _, row := range []struct {
		name     string
		arrivals []int64
		p99      float64
	}{{"even", even, 0}, {"in bursts", bursts, 4.5e-3}} {
		if _, p99, _ := startErrors(row.arrivals, 1000); math.Abs(p99-row.p99) > 1e-6 {
			t.Errorf("%s: p99 %v s, want %v", row.name, p99, row.p99)
		}
	}
	if _, _, rate := startErrors(even, 1000); math.Abs(rate-1000) > 1e-6 {
		t.Errorf("rate %v, want 1000", rate)
	}
}
