// Package get is `kubectl mesh-split get [NAME]`: routes with their destinations, weights and shares, as tables and documents
// by kubectl's own printers; with --watch also each object that changes, until Ctrl-C.
//
// It reads and changes nothing. A row is an entry, because weights belong to entries; -o name gives the objects themselves,
// so that it can be piped into kubectl. The subtle point is size: objects come in pages, and a table is written page by page,
// so that ten thousand of them are never held at once; only a document has to wait until it is whole.
package get
