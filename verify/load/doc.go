// Package load sends a bounded HTTP load and records, for every request, how it ended and which version answered.
//
// It takes a [Plan] (fixed request octets, addresses, a schedule, caps) and an [Engine] that sends it; a [Recorder] keeps
// the counts. It refuses to know what the versions mean and any statistics: it hands out [Evidence], numbers by label.
// Three promises, in this order: never wrong in counting, honest in latency, fast.
//
// The one subtle point is the order of evidence. "Completed so far" is biased towards the faster version, at a stop by
// several points, so evidence is the resolved prefix of the send order: requests are stamped with an epoch before their
// first octet leaves, and an epoch counts only when every request of it, and of all epochs before, has an outcome
// ([Ledger]). After the stop nothing is sent and every reply is awaited; then the prefix is everything.
//
// Two engines pass the same tests: [Portable], a goroutine per connection, for every system and for TLS, and [Epoll], a loop
// per core, for Linux and plain TCP; [Auto] chooses. They share a resumable parser of replies, without I/O ([Parser]), the
// turnstile that says which connection sends when, and the lane that decides what became of a request.
//
// Start reading at plan.go, then worker.go (one connection of the portable engine), lane.go, reply.go (how a reply is
// parsed), turnstile.go and recorder.go.
package load
