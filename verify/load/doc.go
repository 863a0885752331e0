// Package load sends a bounded HTTP load and records, for every request, how it ended and which version answered.
//
// It takes a [Plan] (fixed request octets, addresses, a schedule, caps) and an [Engine] that sends it; a [Recorder] keeps
// the counts. It refuses to know what the versions mean and any statistics: it hands out [Evidence], numbers by label.
// Three promises, in this order: never wrong in counting, honest in latency, fast.
//
// The one subtle point is the order of evidence. "Completed so far" is biased towards the faster version, at a stop by
// several points, so evidence is the resolved prefix of the send order: requests are stamped with an epoch before their
// first octet leaves, and an epoch counts only when every request of it, and of all epochs before, has an outcome
// ([Recorder.Evidence]). After the stop nothing is sent and every reply is awaited; then the prefix is everything.
//
// Two engines of HTTP/1.1 pass the same tests: [Portable], a goroutine per connection, for every system and for TLS, and
// [Epoll], a loop per core, for Linux and plain TCP; [Auto] chooses. They share a resumable parser of replies, without I/O
// ([Parser]). [HTTP2] carries many requests at once on a connection. All three share the turnstile that says which
// connection sends when, and the lane that decides what became of a request.
//
// Start reading at plan.go, then worker.go (one connection of the portable engine), lane.go, reply.go (how a reply is
// parsed), turnstile.go and recorder.go; HTTP/2 is h2conn.go (a connection), h2stream.go (a request), h2take.go (frames that
// come), h2reply.go and hpack.go (header blocks).
package load
