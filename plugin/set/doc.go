// Package set is `kubectl mesh-split set NAME DEST=PERCENT…`: new weights, followed until they are live and, with --verify,
// measured.
//
// It turns arguments and flags into change.Options and refuses to do more: plugin/change is the way of a change.
package set
