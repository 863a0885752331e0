// Package far is the far side of the benchmarks: one process on one core that answers every request with the same 190 octets,
// fast enough that the clients are the slower part, and that counts what it answered.
//
// It takes [Settings] and gives [Reading]s through a pipe ([Serve] is the process, [Start] the other end of the pipe), and
// speaks HTTP/1.1, HTTP/1.1 over TLS 1.3, and HTTP/2 without TLS, each on a port of its own. It refuses to know who asks: no
// header is looked at, a request is an empty line (or a HEADERS frame).
//
// The one subtle point is TLS. The handshake is crypto/tls; then the loop takes the traffic secrets and seals and opens
// records itself, so that a request over TLS costs the far side two calls of the kernel and two of AES-GCM, and no goroutine.
package far
