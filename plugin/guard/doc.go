// Package guard reads what stands against a change before anything is written: destinations that nobody would answer for,
// pods that would be overrun, and other programs that write the same object.
//
// It takes a subject and a plan, and gives a [Guard]: errors that refuse (exit code 5), warnings, and what could not be
// checked for want of a right. It refuses to decide by itself what to ignore: --skip-check and --override-owner name each
// thing. The rules are in plugin/route, which is pure; this room reads for them and words the answer.
//
// The subtle point: a kind that may not be read is no reason to refuse, because people who may patch one object and see
// little else are common; but it is said each time (W_UNCHECKED), because silence would read as "checked".
package guard
