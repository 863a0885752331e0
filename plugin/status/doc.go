// Package status is `kubectl mesh-split status NAME`: the four numbers side by side, and what they mean together.
//
// Declared is what git or the last apply says, live what the object says, then what each gateway's Envoy holds (or a file that
// somebody made of it, with --dump), and observed what users' own requests got while status looked. It changes nothing and sends
// nothing. The diagnosis is a pure function of the four (diagnose.go), so that each of its sentences has a row in a test. It
// refuses to guess: a number that could not be read is a dash, and says why. The subtle point is --watch: users' requests are
// counted on from look to look, and from 0 when the weights change, for a share of both times would tell of neither.
package status
