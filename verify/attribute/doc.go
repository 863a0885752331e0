// Package attribute says which version answered a request.
//
// It takes a rule as users write it, "header:x-app-version", "status", "body:/RE/" or "json:/POINTER", and gives the engine
// what it needs to find a label in a reply: the header's name, or a [Body] that is fed with the reply's content. A label is
// the version's name as the reply spells it. The package knows nothing of HTTP framing, of targets, or of counting.
//
// The one subtle point: a label is never guessed. Two different values, a value over 128 octets or with an octet that
// cannot be printed is Bad, and the verdict then takes the request at its worst.
package attribute
