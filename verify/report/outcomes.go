package report

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// gatewayMade lists the replies the gateway made itself, most frequent first, with the meaning that Envoy gives them.
func gatewayMade(r *Verification) string {
	meaning := map[string]string{"404": "no route", "429": "rate limit", "503": "no upstream", "504": "upstream too slow"}
	var list []string
	for _, status := range byCount(r.GatewayMade) {
		s := status
		if m := meaning[status]; m != "" {
			s += " (" + m + ")"
		}
		list = append(list, fmt.Sprintf("%s × %s", s, Count(r.GatewayMade[status])))
	}
	return strings.Join(list, ", ")
}

// maxStatuses is how many status codes a person is shown; a document holds all.
const maxStatuses = 8

// otherStatuses lists the status codes outside 2xx, most frequent first, and whose replies they were: "500 × 12 (v2)". What the
// gateway made itself stands in a line of its own.
func otherStatuses(r *Verification) string {
	type owner struct {
		name   string
		counts map[string]uint64
	}
	owners := []owner{{"without a version", r.UnattributedStatuses}}
	for _, v := range r.Versions {
		owners = append(owners, owner{Safe(v.Name), v.Statuses})
	}
	counts := map[string]uint64{}
	for status, n := range r.Statuses {
		if n -= min(n, r.GatewayMade[status]); status != "2xx" {
			counts[status] = n
		}
	}
	var list []string
	for _, status := range byCount(counts) {
		if len(list) == maxStatuses {
			list = append(list, "and others")
			break
		}
		var of []string
		for i, o := range owners {
			n := o.counts[status]
			if i == 0 {
				n -= min(n, r.GatewayMade[status])
			}
			switch {
			case n == counts[status]:
				of = append(of, o.name)
			case n > 0:
				of = append(of, o.name+" "+Count(n))
			}
		}
		list = append(list, fmt.Sprintf("%s × %s (%s)", status, Count(counts[status]), strings.Join(of, ", ")))
	}
	return strings.Join(list, ", ")
}

// grpcErrors lists what a gRPC server said instead of 0.
func grpcErrors(r *Verification) string {
	var list []string
	for _, status := range byCount(r.GRPCStatuses) {
		if status != "0" {
			list = append(list, fmt.Sprintf("%s × %s", status, Count(r.GRPCStatuses[status])))
		}
	}
	return strings.Join(list, ", ")
}

// Kinds of outcomes that are worth a line.
const (
	broken      = "requests without a whole reply"
	versionless = "replies without one usable version"
	neverSent   = "never sent"
)

// outcomesOf lists the outcomes of a kind, most frequent first, with an error in words where there is one. That no reply names a
// version is no news to whoever only sends a load.
func outcomesOf(r *Verification, kind string) string {
	var list []string
	for _, outcome := range byCount(r.Outcomes) {
		of := broken
		switch outcome {
		case "answered", "gateway":
			continue
		case "no_label":
			if of = versionless; r.Verdict == "" && len(r.Versions) == 0 {
				continue
			}
		case "bad_label":
			of = versionless
		case "refused", "dial_error", "tls_error":
			of = neverSent
		}
		if of != kind {
			continue
		}
		text := fmt.Sprintf("%s × %s", outcome, Count(r.Outcomes[outcome]))
		if example := r.Examples[outcome]; example != "" {
			text += " (" + example + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// byCount gives the keys of the non-zero counts, largest first, equal ones by name.
func byCount(counts map[string]uint64) []string {
	var keys []string
	for k, n := range counts {
		if n > 0 {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if counts[keys[i]] != counts[keys[j]] {
			return counts[keys[i]] > counts[keys[j]]
		}
		return keys[i] < keys[j]
	})
	return keys
}

// roundUp keeps two figures and never rounds a bound down.
func roundUp(x float64) float64 {
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Ceil(x/scale-1e-9) * scale
}
