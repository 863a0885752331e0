// Package report is what a run says: the VerificationReport, as one JSON document and as the lines a person reads.
//
// It answers "what happened, and how sure are we?" from numbers that others measured and judged. It takes a
// [Verification] and a writer. It refuses to measure, to decide or to colour: the verdict arrives decided, and the words
// for it are built here from the same numbers that stand in the table, so the two cannot disagree.
//
// The subtle point: the document is a public contract. Durations are seconds, shares are fractions, fields are only ever
// added, and nothing in it can be NaN or infinite, because JSON has no word for those.
package report
