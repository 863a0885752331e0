package verify

import (
	"fmt"
	"io"
	"math"

	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Plan says before the first request how long a verdict takes.
type Plan struct {
	Requests    uint64   `json:"requests,omitempty"`    // evidence a PASS needs on average when the split is right
	Requests90  uint64   `json:"requests90,omitempty"`  // and in nine of ten runs at most
	Seconds     float64  `json:"seconds,omitempty"`     // the same in seconds at the asked rate, settling included; absent when unpaced
	Seconds90   float64  `json:"seconds90,omitempty"`   //
	MaxRequests uint64   `json:"maxRequests,omitempty"` // the caps
	MaxSeconds  float64  `json:"maxSeconds,omitempty"`  //
	Warnings    []string `json:"warnings,omitempty"`    // a budget that will rarely be enough, a tolerance wider than a share
}

// PlanOf computes the plan of a Config; URL may be missing. Errors are usage errors.
func PlanOf(c Config) (Plan, error) {
	if c.URL == "" {
		c.URL = "http://unused/"
	}
	if err := c.Validate(); err != nil {
		return Plan{}, err
	}
	c = c.withDefaults()
	p := Plan{MaxRequests: c.MaxRequests, MaxSeconds: c.MaxTime.Seconds()}
	if c.LoadOnly {
		return p, nil
	}
	q, err := c.question()
	if err != nil {
		return Plan{}, err
	}
	if _, err := verdict.New(q); err != nil {
		return Plan{}, err
	}
	p.Requests, p.Requests90 = q.Expected()
	if c.Rate != Unpaced {
		p.Seconds = float64(p.Requests)/float64(c.Rate) + c.Settle.Seconds()
		p.Seconds90 = float64(p.Requests90)/float64(c.Rate) + c.Settle.Seconds()
		if inTime := float64(c.Rate) * c.MaxTime.Seconds(); float64(p.Requests90) > inTime {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s at %s requests/s is often too short for a PASS, which takes up to %s requests in nine of ten runs; raise --rate or --max-time",
				report.Seconds(c.MaxTime.Seconds()), c.Rate, report.Count(p.Requests90)))
		}
	}
	for _, w := range q.Warnings() {
		p.Warnings = append(p.Warnings, w.Message)
	}
	return p, nil
}

// question translates the Config for verify/verdict, which knows weights and numbers only.
func (c Config) question() (verdict.Question, error) {
	tolerance, err := c.Tolerance.of(c.Target)
	if err != nil {
		return verdict.Question{}, err
	}
	q := verdict.Question{
		Names: c.Target.Names(), Weights: c.Target.Weights(), Tolerance: tolerance, Alpha: alpha(c.Confidence),
		MaxRequests: c.MaxRequests,
		Errors:      !c.IgnoreErrors, MaxErrorRate: c.MaxErrorRate, MaxErrorRateSet: c.MaxErrorRate > 0, Latency: c.SlowerThan > 0,
	}
	if c.Raised != nil {
		q.Raised = make([]bool, c.Target.Len())
		for _, name := range c.Raised {
			if i := c.Target.Index(name); i >= 0 {
				q.Raised[i] = true
			}
		}
	}
	return q, nil
}

// alpha rounds 1 - confidence to 12 places, so that 0.95 gives the 0.05 that people and test vectors mean.
func alpha(confidence float64) float64 { return math.Round((1-confidence)*1e12) / 1e12 }

// WriteText says the plan to a person.
func (p Plan) WriteText(w io.Writer) {
	fmt.Fprintf(w, "PASS takes about %s requests when the split is right, %s in nine of ten runs\n",
		report.Count(p.Requests), report.Count(p.Requests90))
	if p.Seconds > 0 {
		fmt.Fprintf(w, "that is about %s, %s in nine of ten runs\n", report.Seconds(p.Seconds), report.Seconds(p.Seconds90))
	}
	fmt.Fprintf(w, "allowed are %s requests and %s\n", report.Count(p.MaxRequests), report.Seconds(p.MaxSeconds))
	for _, warning := range p.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}
