// Package get is `kubectl mesh-split get [NAME]`: routes with their destinations, weights and shares, as tables and documents
// by kubectl's own printers.
//
// It reads and changes nothing. A row is an entry, because weights belong to entries; -o name gives the objects themselves,
// so that it can be piped into kubectl.
package get
