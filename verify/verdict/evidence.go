package verdict

// Evidence is what is known of a resolved prefix of the send order: every request in it has its outcome, and
// Requests = sum of Counts + Foreign + Unattributed. Counts and Failures are in the order of the question's weights.
// Requests that never reached the draw (dial errors, refused streams) are not in it.
type Evidence struct {
	Requests     uint64   // all of the prefix
	Counts       []uint64 // attributed requests per version of the question
	Foreign      uint64   // attributed to labels that are not in the question: versions of weight 0
	Unattributed uint64   // possibly drawn, but no version came back

	// Requests of the prefix that failed (5xx, or any outcome but answered); each is in the numbers above too.
	// Failures may be nil when errors are not asked for.
	Failures             []uint64 // attributed, per version
	ForeignFailures      uint64
	UnattributedFailures uint64

	// Requests of the prefix that were slower than the limit fixed before the run; nil Slow when latency is not asked for.
	Slow             []uint64 // attributed, per version
	ForeignSlow      uint64
	UnattributedSlow uint64
}
