// Package report is what a run says: the VerificationReport, as one JSON document and as the lines a person reads.
//
// It answers "what happened, and how sure are we?" from numbers that others measured and judged. It takes a
// [Verification] and a writer. It refuses to measure, to decide or to colour: verdict and reasons arrive decided and worded
// by verify/verdict.
//
// The subtle point: the document is a public contract. Durations are seconds, shares are fractions, fields are only ever
// added, and nothing in it can be NaN or infinite, because JSON has no word for those.
package report
