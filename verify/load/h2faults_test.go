package load

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// bothWays runs one test over plain TCP and over TLS.
func bothWays(t *testing.T, f func(t *testing.T, secure bool)) {
	for name, secure := range h2ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, secure)
		})
	}
}

// What a connection does to its requests. Nothing is sent twice: the server sees each request once.
func TestH2Connections(t *testing.T) {
	head := func(p *h2peer) uint32 {
		stream, _ := p.next()
		p.head(stream, false, ":status", "200", "x-app-version", "v2")
		return stream
	}
	for name, row := range map[string]struct {
		script func(p *h2peer)
		plan   Plan
		want   map[Outcome]uint64
		v2     uint64
		secure bool // there is no such thing without TLS
	}{
		"closed behind the second request": {
			script: func(p *h2peer) { s, _ := p.next(); p.answered(s, "v1"); p.next() },
			plan:   Plan{MaxRequests: 10}, want: map[Outcome]uint64{Answered: 5, ResetReused: 5},
		},
		"RST behind the request": {
			script: func(p *h2peer) { p.next(); _ = p.tcp().SetLinger(0); _ = p.tcp().Close() },
			plan:   Plan{MaxRequests: 3}, want: map[Outcome]uint64{Reset: 3},
		},
		"RST in the content": {
			script: func(p *h2peer) {
				_ = p.WriteData(head(p), false, []byte("some"))
				time.Sleep(20 * time.Millisecond)
				_ = p.tcp().SetLinger(0)
				_ = p.tcp().Close()
			},
			plan: Plan{MaxRequests: 2}, want: map[Outcome]uint64{Truncated: 2}, v2: 2,
		},
		"TLS ends without notice": {
			script: func(p *h2peer) { head(p); _ = p.tcp().Close() },
			plan:   Plan{MaxRequests: 2}, want: map[Outcome]uint64{Truncated: 2}, v2: 2, secure: true,
		},
		"closed inside the frame of a head": {
			script: func(p *h2peer) { p.next(); _, _ = p.Conn.Write([]byte{0, 0, 9, frameHeaders, 5, 0, 0, 0, 1, 0x88}) },
			plan:   Plan{MaxRequests: 2}, want: map[Outcome]uint64{Truncated: 2},
		},
		"a redirect is the reply": {
			script: func(p *h2peer) {
				for s, ok := p.next(); ok; s, ok = p.next() {
					p.head(s, true, ":status", "302", "location", "/other", "x-app-version", "v2")
				}
			},
			plan: Plan{MaxRequests: 4}, want: map[Outcome]uint64{Answered: 4}, v2: 4,
		},
		"a head that drips": {
			script: func(p *h2peer) {
				s, _ := p.next()
				block := p.encode(":status", "200", "x-app-version", "v2")
				for _, c := range append([]byte{0, 0, byte(len(block)), frameHeaders, 5, 0, 0, 0, byte(s)}, block...) {
					if _, err := p.Conn.Write([]byte{c}); err != nil {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
			},
			plan: Plan{MaxRequests: 1, ReplyTimeout: 300 * time.Millisecond}, want: map[Outcome]uint64{Timeout: 1},
		},
		"content without end": {
			script: func(p *h2peer) {
				for s, some := head(p), make([]byte, defaultFrame); p.WriteData(s, false, some) == nil; {
				}
			},
			plan: Plan{MaxRequests: 1, ReplyTimeout: 300 * time.Millisecond}, want: map[Outcome]uint64{Timeout: 1}, v2: 1,
		},
		"a head without end": {
			script: func(p *h2peer) {
				s, _ := p.next()
				long := p.encode("x", strings.Repeat("<", defaultFrame-20))
				_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: s, BlockFragment: long})
				for p.WriteContinuation(s, false, long) == nil {
				}
			},
			plan: Plan{MaxRequests: 1}, want: map[Outcome]uint64{Limit: 1},
		},
		"300 fields": {
			script: func(p *h2peer) {
				for s, ok := p.next(); ok; s, ok = p.next() {
					p.head(s, true, append([]string{":status", "200", "x-app-version", "v2"}, strings.Split(strings.Repeat("x,y,", 300), ",")[:600]...)...)
				}
			},
			plan: Plan{MaxRequests: 2}, want: map[Outcome]uint64{Limit: 2},
		},
		"GOAWAY for everything, closed": {
			script: func(p *h2peer) {
				p.next()
				_ = p.WriteGoAway(0, xhttp2.ErrCodeEnhanceYourCalm, nil)
			},
			plan: Plan{MaxRequests: 3}, want: map[Outcome]uint64{Refused: 3},
		},
		"GOAWAY before the request, then one that names the last": { // how servers shut down: RFC 9113, 6.8
			script: func(p *h2peer) {
				s, ok := p.next()
				_ = p.WriteGoAway(maxStreamID, xhttp2.ErrCodeNo, nil)
				_ = p.WriteGoAway(s, xhttp2.ErrCodeNo, nil)
				if ok && p.answered(s, "v2") {
					p.next()
				}
			},
			plan: Plan{MaxRequests: 3}, want: map[Outcome]uint64{Answered: 3}, v2: 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, secure bool) {
				if row.secure && !secure {
					t.SkipNow()
				}
				s, config := serveScript(t, secure, nil, row.script)
				p := row.plan
				p.Addresses, p.Connections, p.TLS = []string{s.address()}, 1, config
				_, snap, err := runPlan(t, HTTP2(), &p)
				if err != nil {
					t.Fatal(err)
				}
				only(t, &snap, row.want)
				if got := uint64(s.requests.Load()); got != snap.Sent || snap.Versions[1].Requests != row.v2 {
					t.Errorf("the server saw %d requests of %d; %d of v2, want %d", got, snap.Sent, snap.Versions[1].Requests, row.v2)
				}
			})
		})
	}
}

// A far side that sends connections away while nothing is under way costs no request and no slot.
func TestH2GoAwayIdle(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		s, config := serveScript(t, secure, nil, func(p *h2peer) {
			for s, ok := p.next(); ok && p.answered(s, "v1"); s, ok = p.next() {
				if p.n == 3 {
					_ = p.WriteGoAway(maxStreamID, xhttp2.ErrCodeNo, nil)
				}
			}
		})
		_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 8, Streams: 2, Rate: 200, MaxRequests: 100})
		if err != nil {
			t.Fatal(err)
		}
		if snap.Lag.Max > 30*time.Millisecond {
			t.Skipf("this machine is too busy: starts were late by %v", snap.Lag.Max)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 100})
		if n := snap.Connections.SaidClose; n < 25 {
			t.Errorf("%d connections said that they close, want about 100/3", n)
		}
	})
}

// Nobody listens, or who listens says nothing: each connection tries five times, and the run ends and says why.
func TestH2NoConnection(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	silent := serve(t, func(p *peer) { _, _ = p.Read(p.buf); _, _ = p.Read(p.buf) })
	for _, row := range []struct{ address, err string }{
		{closed.Addr().String(), "refused"},
		{silent.address(), "sends no HTTP/2 settings"},
	} {
		r, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{row.address}, Connections: 3, Streams: 4, DialTimeout: 50 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), row.err) {
			t.Errorf("error %v, want one with %q", err, row.err)
		}
		if n := snap.Outcomes[DialError]; n < 15 || n != snap.Sent {
			t.Errorf("%s: %d dials failed of %d, want 15 or a few more", row.err, n, snap.Sent)
		}
		var ev Evidence
		if r.Evidence(&ev); ev.Requests != 0 {
			t.Errorf("%s: evidence of %d requests, none was routed", row.err, ev.Requests)
		}
	}
}

// 64 requests in flight over 8 connections: a stop awaits them, an abort and the end of the drain give them up.
func TestH2InFlight(t *testing.T) {
	for name, row := range map[string]struct {
		answer, abort bool
		want          Outcome
	}{
		"drained":             {answer: true, want: Answered},
		"aborted":             {abort: true, want: Aborted},
		"at the drain's end":  {want: Aborted},
		"drained, then abort": {answer: true, abort: true, want: Answered},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, secure bool) {
				release := make(chan struct{})
				var arrived atomic.Int64
				s, config := serveScript(t, secure, nil, func(p *h2peer) {
					var streams []uint32
					for range 8 {
						stream, _ := p.next()
						streams = append(streams, stream)
						arrived.Add(1)
					}
					<-release
					if row.answer {
						for _, stream := range streams {
							p.answered(stream, "v1")
						}
					}
					p.next()
				})
				abort := make(chan struct{})
				p := &Plan{Request: get(t), Addresses: []string{s.address()}, TLS: config, Connections: 8, Streams: 8, Abort: abort, Drain: 500 * time.Millisecond}
				if row.answer {
					p.Drain = 5 * time.Second
				}
				r := NewRecorder(nil, p)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				over := make(chan error, 1)
				go func() { over <- HTTP2().Run(ctx, p, r) }()
				await(t, func() bool { return arrived.Load() == 64 && r.InFlight() == 64 })
				cancel()
				time.Sleep(20 * time.Millisecond)
				close(release)
				if row.answer {
					await(t, func() bool { return r.InFlight() == 0 })
				}
				if row.abort {
					close(abort)
				}
				select {
				case err := <-over:
					if err != nil {
						t.Fatal(err)
					}
				case <-time.After(3 * time.Second):
					t.Fatal("still running after 3 s")
				}
				snap := r.Snapshot()
				only(t, &snap, map[Outcome]uint64{row.want: 64})
			})
		})
	}
}

// How many streams are allowed may change at any time, down to none: as many are opened, and no more.
func TestH2StreamLimitMoves(t *testing.T) {
	limits := []uint32{6, 2, 0, 4}
	allow := func(n uint32) xhttp2.Setting { return xhttp2.Setting{ID: xhttp2.SettingMaxConcurrentStreams, Val: n} }
	s, _ := serveScript(t, false, []xhttp2.Setting{allow(limits[0])}, func(p *h2peer) {
		for i, limit := range limits {
			var open []uint32
			for len(open) < int(limit) {
				stream, ok := p.next()
				if !ok {
					t.Errorf("the connection ended with %d of %d streams", len(open), limit)
					return
				}
				open = append(open, stream)
			}
			_ = p.Conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
			if stream, ok := p.next(); ok {
				t.Errorf("stream %d was opened beyond the limit of %d", stream, limit)
			}
			_ = p.Conn.SetReadDeadline(time.Time{})
			p.set(allow(append(limits, 100)[i+1]))
			for len(p.promised) > 0 { // a limit holds once it is acknowledged
				if _, ok := p.frame(); !ok {
					return
				}
			}
			for _, stream := range open {
				p.answered(stream, "v1")
			}
		}
		for stream, ok := p.next(); ok; stream, ok = p.next() {
			p.answered(stream, "v1")
		}
	})
	_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, Streams: 50, MaxRequests: 40})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 40})
}

// At a constant rate every connection gets its share, whatever its streams, and each stream waits for its own reply only.
func TestH2Pacing(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		s, config := serveScript(t, secure, nil, func(p *h2peer) {
			for stream, ok := p.next(); ok && p.answered(stream, "v1"); stream, ok = p.next() {
			}
		})
		r, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 8, Streams: 4, Rate: 1000, MaxRequests: 1000})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 1000})
		if took := snap.Elapsed; took < 990*time.Millisecond || took > 1010*time.Millisecond+snap.Lag.Max {
			t.Errorf("1000 requests at 1000/s took %v, lag up to %v", took, snap.Lag.Max)
		}
		least, most := uint64(1<<62), uint64(0)
		for _, c := range r.Connections() {
			least, most = min(least, c.Requests), max(most, c.Requests)
		}
		if float64(most) > 1.5*float64(least) && !underRace {
			t.Errorf("between %d and %d requests on a connection; max/min above 1.5", least, most)
		}
	})
}

// A certificate that nobody trusts, a server that wants HTTP/1.1: said before a request leaves.
func TestH2Handshakes(t *testing.T) {
	s, good := serveScript(t, true, nil, func(p *h2peer) { p.next() })
	stranger := newAuthority(t)
	for _, row := range []struct {
		change func(c *tls.Config)
		err    string
	}{
		{func(c *tls.Config) { c.RootCAs = stranger.pool }, "certificate signed by unknown authority"},
		{func(c *tls.Config) { c.ServerName = "other.example" }, "not other.example"},
		{func(c *tls.Config) { c.NextProtos = nil }, "ALPN"},
	} {
		config := good.Clone()
		row.change(config)
		_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 2, Streams: 2})
		if err == nil || !strings.Contains(err.Error(), row.err) || snap.Outcomes[TLSError] != snap.Sent || s.requests.Load() != 0 {
			t.Errorf("error %v with %d of %d handshakes failed; want one with %q, and no request", err, snap.Outcomes[TLSError], snap.Sent, row.err)
		}
	}
}
