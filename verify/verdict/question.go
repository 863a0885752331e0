package verdict

import (
	"errors"
	"fmt"
	"math"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/stats"
)

// The defaults of a Question, chosen with the tables of docs/operating-characteristics.md. Raising DefaultAlpha shortens runs and doubts verdicts.
const (
	DefaultAlpha           = 0.05
	DefaultMinRequests     = 100
	DefaultMaxRequests     = 15000
	DefaultLeakBound       = 0.001
	DefaultMaxUnattributed = 0.01
	DefaultMaxErrorRate    = 0.05

	// None says "not one" where 0 would read as "the default".
	None = -1

	maxVersions = 32
)

// Question is what a run should find out. Zero fields take the defaults above.
type Question struct {
	Weights   []int64   // target weights, 1 to 32 of them, at least one above 0
	Names     []string  // what messages call the versions; nil: "version 1", "version 2", …
	Tolerance []float64 // per version, absolute, above 0 and below 1; nil or an entry of 0: [stats.DefaultTolerance]
	Alpha     float64   // error level, above 0 and below 0.5

	MinRequests uint64 // no verdict but FAIL below this many requests of evidence
	MaxRequests uint64 // budget; the caller holds it, here it is only compared with what PASS will need

	LeakBound       float64 // PASS bounds what zero-weight versions get together, when some target is 0 or 1; above 0, below 1
	MaxUnattributed float64 // largest fraction of replies without a version; below 1; None allows not one

	Errors          bool    // judge failures too
	MaxErrorRate    float64 // a version failing more than this is a FAIL; above 0, below 1
	MaxErrorRateSet bool    // the user asked for that bound: PASS must then prove it
	Raised          []bool  // versions whose share the change raised: only they are compared with the others; nil: all
	Latency         bool    // judge Evidence.Slow as well
}

// withDefaults fills zero fields and checks everything once; all faults are reported together.
func (q Question) withDefaults() (Question, error) {
	var errs []error
	bad := func(hint, format string, args ...any) { errs = append(errs, fault.Usagef(hint, format, args...)) }

	orFloat := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
	}
	orFloat(&q.Alpha, DefaultAlpha)
	orFloat(&q.LeakBound, DefaultLeakBound)
	orFloat(&q.MaxUnattributed, DefaultMaxUnattributed)
	orFloat(&q.MaxErrorRate, DefaultMaxErrorRate)
	if q.MinRequests == 0 {
		q.MinRequests = DefaultMinRequests
	}
	if q.MaxRequests == 0 {
		q.MaxRequests = DefaultMaxRequests
	}

	k := len(q.Weights)
	if k < 1 || k > maxVersions {
		bad("name 1 to 32 versions", "target names %d versions; 1 to %d are allowed", k, maxVersions)
	}
	var sum int64
	for i, w := range q.Weights {
		if w < 0 || w > math.MaxInt64/maxVersions {
			bad("weights are whole numbers, 0 or more", "target weight %d of version %d is out of range", w, i)
			w = 0
		}
		sum += w
	}
	if k > 0 && sum == 0 {
		bad("give at least one version a weight above 0", "target weights sum to 0")
	}
	if q.Names != nil && len(q.Names) != k {
		bad("", "%d names for %d versions", len(q.Names), k)
	}
	if q.Tolerance != nil && len(q.Tolerance) != k {
		bad("give one tolerance for all versions, or one for each", "%d tolerances for %d versions", len(q.Tolerance), k)
	}
	for _, d := range q.Tolerance {
		if !(d >= 0 && d < 1) {
			bad("--tolerance takes a fraction above 0 and below 1, such as 0.02", "tolerance %v is out of range", d)
		}
	}
	if !(q.Alpha > 0 && q.Alpha < 0.5) {
		bad("--confidence takes a value above 50 % and below 100 %, such as 95", "alpha %v is not above 0 and below 0.5", q.Alpha)
	}
	if !(q.LeakBound > 0 && q.LeakBound < 1) {
		bad("--leak-bound takes a fraction above 0 and below 1, such as 0.001", "leak bound %v is out of range", q.LeakBound)
	}
	if q.MaxUnattributed == None {
		q.MaxUnattributed = 0
	} else if !(q.MaxUnattributed > 0 && q.MaxUnattributed < 1) {
		bad("--max-unattributed takes a fraction from 0 to below 1", "largest unattributed fraction %v is out of range", q.MaxUnattributed)
	}
	if !(q.MaxErrorRate > 0 && q.MaxErrorRate < 1) {
		bad("--max-error-rate takes a fraction above 0 and below 1, such as 0.05", "largest error rate %v is out of range", q.MaxErrorRate)
	}
	if q.Raised != nil && len(q.Raised) != k {
		bad("", "%d marks of raised shares for %d versions", len(q.Raised), k)
	}
	if err := errors.Join(errs...); err != nil {
		return q, err
	}
	q.Tolerance = q.tolerance()
	if q.Names == nil {
		q.Names = make([]string, k)
		for i := range q.Names {
			q.Names[i] = fmt.Sprintf("version %d", i+1)
		}
	}
	return q, nil
}

// bands are the bands of all versions, at the tolerance in use.
func (q Question) bands() []stats.Band {
	var sum int64
	for _, w := range q.Weights {
		sum += w
	}
	bands := make([]stats.Band, len(q.Weights))
	for i, w := range q.Weights {
		bands[i] = stats.NewBand(w, sum, q.Tolerance[i])
	}
	return bands
}

// tolerance is the tolerance in use, per version: the user's entry, else the default; 0 for targets of 0 and 1, which have
// the zero-weight rule and the leak bound instead of a band.
func (q Question) tolerance() []float64 {
	d := stats.DefaultTolerance(q.Weights)
	for i := range d {
		if q.Tolerance != nil && q.Tolerance[i] > 0 && d[i] > 0 {
			d[i] = q.Tolerance[i]
		}
	}
	return d
}
