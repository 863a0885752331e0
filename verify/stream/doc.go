// Package stream is the wire between workers, which each send a part of one load, and whoever joins what they counted.
//
// It answers "what had every worker counted at one moment?" A worker writes one [Line] of JSON an interval, ten a second at
// most, through a [Writer]; [Join] reads several such streams side by side. Both take any reader or writer: pipes, files,
// the log of a pod. The package refuses to know how a load is sent and what its counts mean. docs/workers.md shows the form.
//
// The subtle point: each worker's evidence is a resolved prefix of its own send order, and such prefixes must not be summed
// as they come, because a worker whose replies are slow would be cut earlier. So workers cut at common instants, multiples
// of [Interval] on the clock, and [Join] sums only lines of the same instant. All counts are cumulative: a line that is
// lost costs a moment, never a request. Only the line with [Line.Final] ends a stream; one that ends without it is said to
// be incomplete, and is never taken for whole.
package stream
