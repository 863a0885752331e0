// Package verdict turns counts into PASS, FAIL or INCONCLUSIVE, with reasons and with error rates that hold at whatever
// moment the run was stopped.
//
// It takes a [Question] (weights, tolerance, alpha, limits) and, again and again, [Evidence]: the outcomes of a resolved
// prefix of the send order. [Procedure.Look] says when to stop sending; [Procedure.Decide], after the drain, says what was
// found. It refuses to know requests, clocks, connections' addresses and Kubernetes: it sees counts.
//
// The one subtle point: evidence must be a prefix of the send order in which every request has its outcome. "Completed so
// far" is not: what is in flight is mostly the slow version, and every promise below would be void. verify/load keeps that
// rule; this package cannot check it.
//
// What is promised (alpha is the question's, a share is the probability given all that is known before the draw):
//
//   - P(ever PASS) <= alpha if some version's share is outside its band, or zero-weight versions together get the leak
//     bound or more;
//   - P(ever FAIL for the split) <= alpha if every share is in its closed band and zero weights get nothing;
//   - whatever the look schedule, the budget, the number of versions, and whatever hides behind unattributed requests.
//
// The error alarms (a version fails more than the others; a version fails more than allowed) have a level alpha each, beside
// the split's.
package verdict
