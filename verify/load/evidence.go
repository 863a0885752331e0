package load

// Evidence counts the requests a verdict may rest on. Requests = sum of Counts + Unattributed.
type Evidence struct {
	Requests             uint64   `json:"requests"`                       // n, that may have been routed and have their outcome
	Counts               []uint64 `json:"counts"`                         // by label index, targets first
	Unattributed         uint64   `json:"unattributed,omitempty"`         // u, without a version
	Failures             []uint64 `json:"failures"`                       // of Counts: status 5xx, or a reply that broke
	UnattributedFailures uint64   `json:"unattributedFailures,omitempty"` // of Unattributed: all of them, for each is an outcome other than answered
	Slow                 []uint64 `json:"slow"`                           // of Counts: service time above the plan's SlowerThan
	UnattributedSlow     uint64   `json:"unattributedSlow,omitempty"`     // of Unattributed, likewise
	UnattributedErrors   uint64   `json:"unattributedErrors,omitempty"`   // of Unattributed: status 5xx, or no whole reply
	Sent                 uint64   `json:"sent"`                           // since the evidence began, in flight and never routed included
}

// MaxLabels is how many labels are told apart, the bucket Other not counted.
const MaxLabels = 32

// reset makes e all zero, for n labels, and allocates only if it was shorter before.
func (e *Evidence) reset(n int) {
	counts, failures, slow := e.Counts[:0], e.Failures[:0], e.Slow[:0]
	for range n {
		counts, failures, slow = append(counts, 0), append(failures, 0), append(slow, 0)
	}
	*e = Evidence{Counts: counts, Failures: failures, Slow: slow}
}

// tally counts the resolved requests of one epoch, one connection or one whole run.
type tally struct {
	resolved     uint32 // never routed ones included
	unattributed uint32
	hiddenSlow   uint32 // of unattributed
	hiddenErrors uint32 // likewise
	counts       [MaxLabels + 1]uint32
	failures     [MaxLabels + 1]uint32
	slow         [MaxLabels + 1]uint32
}

// Flaws are what was wrong with a request, beside its outcome.
type Flaws uint8

// The flaws that a verdict may judge.
const (
	Failed Flaws = 1 << iota // status 5xx, or a reply that broke
	Slow                     // service time above the plan's SlowerThan
	Erred                    // status 5xx, or no whole reply: Failed, but for whole replies that only name no version
)

// The labels of a request without one.
const (
	Unattributed = -1 // it may have been routed
	NeverRouted  = -2 // it was not: no part of the evidence
)

// sums are tallies added up.
type sums struct {
	resolved, unattributed, hiddenSlow, hiddenErrors uint64
	counts, failures, slow                           [MaxLabels + 1]uint64
}

func (s *sums) add(t *tally) {
	s.resolved += uint64(t.resolved)
	s.unattributed += uint64(t.unattributed)
	s.hiddenSlow += uint64(t.hiddenSlow)
	s.hiddenErrors += uint64(t.hiddenErrors)
	for i, n := range t.counts {
		s.counts[i] += uint64(n)
		s.failures[i] += uint64(t.failures[i])
		s.slow[i] += uint64(t.slow[i])
	}
}

// addTo adds s to an Evidence of the right length.
func (s *sums) addTo(e *Evidence) {
	e.Sent += s.resolved
	e.Unattributed += s.unattributed
	e.UnattributedFailures += s.unattributed
	e.UnattributedSlow += s.hiddenSlow
	e.UnattributedErrors += s.hiddenErrors
	e.Requests += s.unattributed
	for i := range e.Counts {
		e.Counts[i] += s.counts[i]
		e.Failures[i] += s.failures[i]
		e.Slow[i] += s.slow[i]
		e.Requests += s.counts[i]
	}
}
