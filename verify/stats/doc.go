// Package stats is arithmetic on counts: how strongly do they speak against a share, between which bounds is the true
// share, when did it change.
//
// It takes numbers and gives numbers. It refuses to know requests, versions' names, clocks and verdicts; those are
// verify/verdict's. Everything that may be looked at again and again is an e-process: a number that starts at 1 and does
// not grow in expectation while its null hypothesis holds, so that P(it ever reaches 1/alpha) <= alpha whatever the looks
// (Ville; Ramdas and others, Game-theoretic statistics and safe anytime-valid inference, arXiv:2210.01948).
//
// The room in reading order: beta.go (the one special function), side.go (evidence against "share ≥ edge"), band.go and
// hybrid.go (what PASS collects), outside.go (what FAIL collects), leak.go, dirichlet.go (drift), interval.go, then
// change.go and watch.go.
//
// The one subtle point: all e-values are natural logarithms, because I_0.52(60000, 40000) is e^-1298 and a float64 ends at
// e^-745. -Inf and +Inf are legal logarithms (impossible, and proved); NaN is not a value of any function here unless a
// continued fraction did not settle, and the caller then has no answer.
//
// Distances to 1 come as arguments of their own (x and xc = 1-x): 1-0.9995 has lost four digits before it is used.
package stats
