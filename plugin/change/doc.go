// Package change is the way of an edit from the wish to the verdict: show it, check, patch, wait until it is live, measure,
// take it back if that was asked.
//
// It takes a client, a plan to be made and [Options], and works through the phases; set and undo are thin faces of it. It
// gives lines for people or one WeightChange document, and an error that carries the exit code. It refuses to plan weights
// (plugin/route does) and to judge (verify does).
//
// The subtle point is what an interruption leaves. Before the patch, nothing. After it, the new weights: they are kept,
// the state is said and the way back is printed, because a rollback that nobody asked for is a second surprise. Only a
// revert, once begun, is finished in spite of a first Ctrl-C.
package change
