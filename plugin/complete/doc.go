// Package complete gives shells the names of objects and destinations, as they stand in the cluster.
//
// It answers within a second or not at all, and never with an error: a shell that waits is worse than one that does not
// know.
package complete
