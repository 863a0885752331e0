// Package verify answers one question: does a gateway send every version its target share of the requests?
//
// [Run] takes a [Config] and gives a Report. It sends a bounded load to one URL, learns from each reply which version
// answered, and judges the counts with tests that stay valid at whatever moment the run stops: PASS certifies that every
// share is within its tolerance, FAIL that one is outside, INCONCLUSIVE says why it can do neither. Each wrong answer has
// a probability of at most 1 - Confidence. How, and from which papers, is told in docs/method.md.
//
// The rooms behind the door: verify/load sends and counts, verify/attribute reads the version, verify/stats holds the
// mathematics, verify/verdict decides, verify/report says it. The package refuses to know Kubernetes, Istio, flags and
// terminals. A FAIL is a Report with a nil error, because it is an answer; an error means the question could not be asked.
//
// The subtle point: evidence is always a prefix of the send order in which every request has ended. Counting what happens
// to be complete favours the fast version and breaks every guarantee (docs/method.md, "Cutting at the deadline").
package verify
