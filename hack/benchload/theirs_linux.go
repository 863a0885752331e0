package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// moreFigures are the arguments that make a tool say its quantiles and counts.
var moreFigures = map[string][]string{"wrk": {"--latency"}, "oha": {"--output-format", "json"}}

// What the tools print.
var (
	fortio99  = regexp.MustCompile(`# target 99% ([\d.e-]+)`)
	hey99     = regexp.MustCompile(`99%%? in ([\d.]+) secs`)
	wrk99     = regexp.MustCompile(`(?m)^\s*99%\s+([\d.]+)(us|ms|s)`)
	heyStatus = regexp.MustCompile(`\[(\d+)\]\s+(\d+) responses`)
	wrkCount  = regexp.MustCompile(`VERSIONS (\d+) (\d+)`)
)

// ohaJSON is the part of oha's report that is read.
type ohaJSON struct {
	LatencyPercentiles     struct{ P99 float64 }
	StatusCodeDistribution map[string]uint64
}

// p99Of is what a tool says is the 99th percentile of latency, in seconds.
func (b *bench) p99Of(client string, e *ended) (float64, error) {
	text := e.stdout.String() + e.stderr.String()
	number := func(found []string) (float64, error) {
		if found == nil {
			return 0, fmt.Errorf("%s says no 99th percentile: %s", client, e.tail())
		}
		return strconv.ParseFloat(found[1], 64)
	}
	switch client {
	case "fortio":
		return number(fortio99.FindStringSubmatch(text))
	case "hey":
		return number(hey99.FindStringSubmatch(text))
	case "wrk":
		found := wrk99.FindStringSubmatch(text)
		x, err := number(found)
		if err != nil {
			return 0, err
		}
		return x * map[string]float64{"us": 1e-6, "ms": 1e-3, "s": 1}[found[2]], nil
	case "oha":
		var r ohaJSON
		err := json.Unmarshal(e.stdout.Bytes(), &r)
		return r.LatencyPercentiles.P99, err
	case "vegeta":
		c := exec.Command(b.tools.paths["vegeta"], "report", "-type", "json")
		c.Stdin = &e.stdout
		out, err := c.Output()
		if err != nil {
			return 0, fmt.Errorf("vegeta report: %w", err)
		}
		var r struct {
			Latencies struct {
				P99 float64 `json:"99th"`
			}
		}
		err = json.Unmarshal(out, &r)
		return r.Latencies.P99 / 1e9, err
	}
	panic("benchload: no figures of " + client)
}

// splitOf is how many replies a tool counted, and how many of them with status 202, which is v2.
func splitOf(client string, e *ended) (all, v2 uint64, err error) {
	count := func(status, n string) {
		x, _ := strconv.ParseUint(n, 10, 64)
		if all += x; status == "202" {
			v2 += x
		}
	}
	switch client {
	case "hey":
		for _, found := range heyStatus.FindAllStringSubmatch(e.stdout.String(), -1) {
			count(found[1], found[2])
		}
	case "wrk":
		if found := wrkCount.FindStringSubmatch(e.stdout.String()); found != nil {
			all, _ = strconv.ParseUint(found[1], 10, 64)
			v2, _ = strconv.ParseUint(found[2], 10, 64)
		}
	case "oha":
		var r ohaJSON
		err = json.Unmarshal(e.stdout.Bytes(), &r)
		for status, n := range r.StatusCodeDistribution {
			count(status, strconv.FormatUint(n, 10))
		}
	}
	if err == nil && all == 0 {
		err = fmt.Errorf("%s counted nothing: %s", client, e.tail())
	}
	return all, v2, err
}
