// Package undo is `kubectl mesh-split undo NAME`: the weights from before the last recorded change.
//
// The history is an annotation of the object itself, written in the same patch as the weights, so the two cannot
// disagree. It refuses to guess: when somebody else changed the weights since, it says what they are and how to get back.
package undo
