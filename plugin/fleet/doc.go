// Package fleet says how far a change has travelled: which gateway pods' Envoys hold an entry's weights.
//
// It takes a subject and gives a [View]: one moment of all gateways, as words, as a table and as part of a report. It
// refuses to decide what follows from a stale gateway. The subtle point: an Envoy that cannot be read is neither live nor
// stale; a View counts it as not live and says why it is silent.
package fleet
