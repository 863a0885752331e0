package load

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// faultyRequests can be raised: make counts sends 10^5 with each fault.
var faultyRequests = flag.Uint64("faulty", 2000, "how many requests TestEveryFaultCounts sends with each fault on each engine")

// writes is a fault that is some octets on the wire, after which the connection is closed or not.
func writes(octets string, closes bool) func(*peer) bool {
	return func(p *peer) bool {
		_, err := p.Write([]byte(octets))
		return err == nil && !closes
	}
}

// With each way a request can end mixed into right replies, every count is the server's, to the last request: of that outcome,
// of each version, and of what arrived.
func TestEveryFaultCounts(t *testing.T) {
	for name, row := range map[string]struct {
		fault      func(*peer) bool // plays the fault; false closes the connection
		want       Outcome
		or         Outcome // the same fault on a connection that has carried a reply
		attributed bool    // the fault's reply names v2
		every      int64   // 0: every tenth request
		timeout    time.Duration
	}{
		"no label":              {fault: writes("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false), want: NoLabel},
		"an empty label":        {fault: writes("HTTP/1.1 200 OK\r\nx-app-version: \r\ncontent-length: 0\r\n\r\n", false), want: NoLabel},
		"two labels":            {fault: writes("HTTP/1.1 200 OK\r\nx-app-version: v1\r\nx-app-version: v2\r\ncontent-length: 0\r\n\r\n", false), want: BadLabel},
		"the gateway's own":     {fault: writes("HTTP/1.1 503 No\r\nserver: envoy\r\ncontent-length: 0\r\n\r\n", false), want: Gateway},
		"FIN in a body":         {fault: writes(string(replyV2[:len(replyV2)-1]), true), want: Truncated, attributed: true},
		"FIN in a head":         {fault: writes("HTTP/1.1 200 OK\r\nx-app-ver", true), want: Truncated},
		"a line without colon":  {fault: writes("HTTP/1.1 200 OK\r\nbad line\r\n", true), want: Malformed},
		"a chunk without size":  {fault: writes("HTTP/1.1 200 OK\r\nx-app-version: v2\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", true), want: Malformed, attributed: true},
		"a head of 300 fields":  {fault: writes("HTTP/1.1 200 OK\r\n"+strings.Repeat("a: b\r\n", 300)+"\r\n", true), want: Limit},
		"closed without a word": {fault: func(*peer) bool { return false }, want: Reset, or: ResetReused},
		"RST without a word": {fault: func(p *peer) bool {
			_ = p.Conn.(*net.TCPConn).SetLinger(0)
			return false
		}, want: Reset, or: ResetReused},
		// Few of these: each holds its connection for a second. A connection that timed out is closed by us.
		"no answer":                {fault: func(p *peer) bool { return !p.next() }, want: Timeout, every: 400, timeout: time.Second},
		"no answer behind a label": {fault: func(p *peer) bool { return writes(string(replyV2[:len(replyV2)-1]), false)(p) && !p.next() }, want: Timeout, attributed: true, every: 400, timeout: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			everyEngine(t, func(t *testing.T, e Engine) {
				every := max(row.every, 10)
				var faults atomic.Int64
				s := serve(t, func(p *peer) {
					for p.next() {
						if p.number%every == 0 {
							faults.Add(1)
							if !row.fault(p) {
								return
							}
						} else if !p.answer(p.number%3 == 0) {
							return
						}
					}
				})
				n := *faultyRequests
				r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 64, MaxRequests: n, ReplyTimeout: row.timeout})
				if err != nil {
					t.Fatal(err)
				}
				of := uint64(faults.Load())
				got := snap.Outcomes[row.want]
				if row.or != 0 {
					got += snap.Outcomes[row.or]
				}
				if s.requests.Load() != int64(n) || got != of || of != n/uint64(every) || snap.Outcomes[Answered] != n-of {
					t.Errorf("the server saw %d requests and played %d faults; %d of %d are counted as that, %d as answered",
						s.requests.Load(), of, got, n, snap.Outcomes[Answered])
				}
				v2 := uint64(s.v2.Load())
				if row.attributed {
					v2 += of
				}
				versionsAre(t, r, uint64(s.v1.Load()), v2)
			})
		})
	}
}

// versionsAre compares the evidence with what a server counted.
func versionsAre(t *testing.T, r *Recorder, v1, v2 uint64) {
	t.Helper()
	var ev Evidence
	r.Evidence(&ev)
	if ev.Counts[0] != v1 || ev.Counts[1] != v2 {
		t.Errorf("counted %v, the server %d and %d", ev.Counts, v1, v2)
	}
}

// Every second address refuses: what could not be dialled has an index and an outcome, and is missing at no server.
func TestEveryRefusalCounts(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(3, 0, 0))
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = closed.Close()
		n := *faultyRequests
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address(), closed.Addr().String()}, Connections: 64, MaxRequests: n, ConnRequests: 10})
		if err != nil {
			t.Fatal(err)
		}
		refused := snap.Outcomes[DialError]
		if refused < n/40 || snap.Outcomes[Answered] != n-refused || uint64(s.requests.Load()) != n-refused {
			t.Errorf("%d refused and %d answered of %d; the server saw %d", refused, snap.Outcomes[Answered], n, s.requests.Load())
		}
		versionsAre(t, r, uint64(s.v1.Load()), uint64(s.v2.Load()))
	})
}

// Every fourth handshake fails, likewise.
func TestEveryFailedHandshakeCounts(t *testing.T) {
	a := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{a.issue(t, &x509.Certificate{DNSNames: []string{"gateway.example"}})}}
	var failed atomic.Int64
	s := serve(t, func(p *peer) {
		if p.n%4 == 0 {
			failed.Add(1)
			_, _ = p.Read(p.buf) // a greeting left unread would make the close an RST
			_, _ = p.Write([]byte("not TLS\r\n"))
			return
		}
		p.Conn = tls.Server(p.Conn, config)
		oneIn(3, 0, 0)(p)
	})
	n := *faultyRequests
	r, snap, err := runPlan(t, Portable(), &Plan{Addresses: []string{s.address()}, Connections: 32, MaxRequests: n, ConnRequests: 20,
		TLS: &tls.Config{RootCAs: a.pool, ServerName: "gateway.example"}})
	if err != nil {
		t.Fatal(err)
	}
	broken := snap.Outcomes[TLSError]
	if snap.Outcomes[Answered] != n-broken || uint64(s.requests.Load()) != n-broken || broken > uint64(failed.Load()) || broken == 0 {
		t.Errorf("%d handshakes broken (the server broke %d) and %d answered of %d; the server saw %d requests",
			broken, failed.Load(), snap.Outcomes[Answered], n, s.requests.Load())
	}
	versionsAre(t, r, uint64(s.v1.Load()), uint64(s.v2.Load()))
}
