// Package history is `kubectl mesh-split history NAME`: the changes that an object remembers, with who, when, from, to and
// verdict.
//
// It reads one annotation and one ConfigMap, and changes nothing. It refuses to interpret: an item that another program or a later release
// wrote is counted and shown as not understood, never guessed at. What it lists is a note and no evidence: whoever may
// write the object may write the note.
package history
