package verdict

import "github.com/mesh-split/mesh-split/verify/fault"

// Reason codes, stable for programs.
const (
	CodeWithinTolerance  = "within-tolerance"  // PASS
	CodeZeroWeight       = "zero-weight"       // FAIL: a version of weight 0 answered
	CodeOutsideTolerance = "outside-tolerance" // FAIL
	CodeErrors           = "errors"            // FAIL: a version fails more than the others, or more than allowed
	CodeLatency          = "latency"           // FAIL: a version is slow more often than the others
	CodeUnattributed     = "unattributed"      // INCONCLUSIVE: too many replies without a version
	CodeTooFew           = "too-few"           // INCONCLUSIVE: fewer requests than the minimum
	CodeBudget           = "budget"            // INCONCLUSIVE: not all is proved with what was sent
	CodeTurnedAway       = "turned-away"       // INCONCLUSIVE: something answers in place of a version, or repeats what one said
	CodeHeterogeneous    = "heterogeneous"     // INCONCLUSIVE: connections see different splits
	CodeUnreachable      = "unreachable"       // INCONCLUSIVE: in the middle connections could no longer be made
	CodeManyVersions     = "many-versions"     // INCONCLUSIVE: a worker met too many versions to know those of the target
	CodeIncomplete       = "incomplete"        // INCONCLUSIVE: a worker's final counts are missing
	CodeNoEvidence       = "no-evidence"       // error: no request in the evidence
	CodeIdentify         = "E_IDENTIFY"        // error: no label in the evidence is a target's
	CodeInternal         = "internal"          // error: contradictory counts or a number that is none
)

// Reason is one reason of a verdict: a stable code and a sentence in plain words.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// OpenSide is something PASS still wants to be shown.
type OpenSide struct {
	Version int     // index of the version; -1 for the leak bound of all zero-weight versions together
	Upper   bool    // that its share (or, for Errors, its error rate) is below the upper edge; else above the lower edge
	Errors  bool    // the open side is about the version's error rate, not its share
	Wanted  float64 // requests still wanted at the share seen so far, at least 1; -1: not at this share, however many
}

// Connections is what the labels per connection say about each other.
type Connections struct {
	Differ []int   // indices of connections whose split is outside the tolerance (expected fraction of wrong names <= alpha)
	LnE    float64 // ln of the mean e-value, between -1e6 and 1e6; at least ln(1/alpha) withholds PASS
	Total  int     // connections with at least one request in the evidence
}

// Decision is the answer after the drain. Shares are fractions. No float in it is NaN or infinite.
type Decision struct {
	Verdict Verdict
	Reasons []Reason   // the first is the deciding one
	Notes   []Reason   // worth saying beside the verdict; never deciding
	Exit    fault.Code // Done, Fail, Inconclusive, or Failed when no verdict is possible

	Tolerance       []float64    // in use, per version; 0 for targets of 0 and 1
	Observed        []float64    // attributed requests / requests of the evidence, per version; 0 for no evidence
	Intervals       [][2]float64 // confidence sequence at 1-alpha, per version: together they miss a true share with P <= alpha
	CertifiedWithin float64      // smallest d for which every interval lies in target ± d
	ErrorRateUpper  []float64    // upper confidence bound of each version's error rate (1-alpha together); nil when not asked
	Open            []OpenSide   // what PASS still wants; empty on PASS
	Latched         []string     // what was shown at some look: "0:lo", "0:hi", …, "leak"
	DriftP          float64      // sequential p-value of "shares are exactly the targets"; informational
	Connections     Connections
}
