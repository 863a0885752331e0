package report

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/mesh-split/mesh-split/verify/verdict"
)

// NotLive is the reason code of a run that never began: not every gateway held the weights in time. The other codes are
// those of verify/verdict.
const NotLive = "not-live"

// Explain says a reason in words built from the run's own numbers, for [Reason.Message]. An unknown code is said as it is.
func Explain(code string, r *Verification) string {
	switch code {
	case verdict.CodeWithinTolerance:
		return "every version gets its target" + tolerances(r) + healthy(r)
	case verdict.CodeOutsideTolerance:
		v := worst(r)
		if v == nil {
			return "a version gets another share than its target"
		}
		return fmt.Sprintf("%s gets %s, not %s ± %s %%", Safe(v.Name), Exact(v.Observed, 1),
			strings.TrimSuffix(Percent(*v.Target, 2), " %"), PointsNumber(*v.Tolerance))
	case verdict.CodeZeroWeight:
		for _, v := range r.Versions {
			if v.Target != nil && *v.Target == 0 && v.Requests > 0 {
				return fmt.Sprintf("%s answered %s of %s requests, and its weight is 0", Safe(v.Name), Count(v.Requests), Count(r.Requests.Evidence))
			}
		}
		return "a version whose weight is 0 answered"
	case verdict.CodeErrors:
		return failing(r)
	case verdict.CodeUnattributed:
		s := fmt.Sprintf("%s of %s requests came back without a version", Count(r.Unattributed), Count(r.Requests.Evidence))
		if made := gatewayMade(r); made != "" {
			s += "; the gateway itself replied " + made
		} else if broken := brokenOutcomes(r); broken != "" {
			s += "; " + broken
		}
		return s
	case verdict.CodeTooFew:
		return fmt.Sprintf("%s requests are too few to judge", Count(r.Requests.Evidence))
	case verdict.CodeBudget:
		if r.RequestsWanted == nil {
			return fmt.Sprintf("%s requests did not settle it: the split seen lies outside the tolerance, and is not certain to", Count(r.Requests.Evidence))
		}
		return fmt.Sprintf("%s requests did not settle it", Count(r.Requests.Evidence))
	case verdict.CodeHeterogeneous:
		if c := r.Connections; c != nil && len(c.Differ) > 0 {
			return fmt.Sprintf("%d of %d connections get another split: a gateway may hold old weights, or clients stick to a version", len(c.Differ), c.Total)
		}
		return "connections get different splits: a gateway may hold old weights, or clients stick to a version"
	case NotLive:
		return "not every gateway holds the weights yet"
	}
	return code
}

func tolerances(r *Verification) string {
	var each []string
	same := true
	for _, v := range r.Versions {
		if v.Tolerance == nil || *v.Tolerance == 0 {
			continue
		}
		each = append(each, Safe(v.Name)+" ± "+PointsNumber(*v.Tolerance))
		same = same && Points(*v.Tolerance) == Points(*r.firstTolerance())
	}
	switch {
	case len(each) == 0:
		return ""
	case same:
		return " ± " + Points(*r.firstTolerance())
	}
	return " (" + strings.Join(each, ", ") + " points)"
}

func (r *Verification) firstTolerance() *float64 {
	for _, v := range r.Versions {
		if v.Tolerance != nil && *v.Tolerance > 0 {
			return v.Tolerance
		}
	}
	return nil
}

func healthy(r *Verification) string {
	for _, v := range r.Versions {
		if v.ErrorRateUpper == nil {
			return "" // errors were not judged
		}
	}
	if len(r.Versions) < 2 {
		return "; it does not fail too often"
	}
	return "; no sign that one fails more than the other" + map[bool]string{true: "s"}[len(r.Versions) > 2]
}

// worst is the version furthest outside its band, in tolerances.
func worst(r *Verification) *Version {
	var found *Version
	far := -1.0
	for i := range r.Versions {
		v := &r.Versions[i]
		if v.Target == nil || v.Tolerance == nil || *v.Tolerance == 0 {
			continue
		}
		// Of two versions that are off alike, the later one: v2 is what people shift.
		if d := math.Abs(v.Observed-*v.Target) / *v.Tolerance; d >= far-1e-9 {
			found, far = v, d
		}
	}
	return found
}

func failing(r *Verification) string {
	var found *Version
	rate := -1.0
	for i := range r.Versions {
		if v := &r.Versions[i]; v.Requests > 0 && float64(v.Errors)/float64(v.Requests) > rate {
			found, rate = v, float64(v.Errors)/float64(v.Requests)
		}
	}
	if found == nil {
		return "requests fail"
	}
	s := fmt.Sprintf("%s fails %s of its requests (%s of %s)", Safe(found.Name), Percent(rate, 1), Count(found.Errors), Count(found.Requests))
	var others []string
	for i := range r.Versions {
		if v := &r.Versions[i]; v != found && v.Requests > 0 {
			others = append(others, fmt.Sprintf("%s %s", Safe(v.Name), Percent(float64(v.Errors)/float64(v.Requests), 1)))
		}
	}
	if len(others) > 0 {
		s += "; " + strings.Join(others, ", ")
	}
	return s
}

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

func brokenOutcomes(r *Verification) string {
	var list []string
	for _, outcome := range byCount(r.Outcomes) {
		if outcome != "answered" && outcome != "gateway" {
			list = append(list, fmt.Sprintf("%s × %s", outcome, Count(r.Outcomes[outcome])))
		}
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
