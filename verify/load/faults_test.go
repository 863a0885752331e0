package load

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Nothing is sent twice, whatever happens to a connection.
func TestResets(t *testing.T) {
	for name, row := range map[string]struct {
		handle func(*peer)
		plan   Plan
		want   map[Outcome]uint64
	}{
		"closed after the request, reused": {
			handle: func(p *peer) { p.next(); p.answer(false); p.next() },
			plan:   Plan{MaxRequests: 10},
			want:   map[Outcome]uint64{Answered: 5, ResetReused: 5},
		},
		"closed after the request, fresh": {
			handle: func(p *peer) { p.next() },
			plan:   Plan{MaxRequests: 3},
			want:   map[Outcome]uint64{Reset: 3},
		},
		"RST after the request": {
			handle: func(p *peer) { p.next(); _ = p.Conn.(*net.TCPConn).SetLinger(0) },
			plan:   Plan{MaxRequests: 3},
			want:   map[Outcome]uint64{Reset: 3},
		},
		"RST in a body that ends with the connection": {
			handle: func(p *peer) {
				p.next()
				_, _ = p.Write([]byte("HTTP/1.1 200 OK\r\nx-app-version: v2\r\n\r\nsome"))
				time.Sleep(20 * time.Millisecond)
				_ = p.Conn.(*net.TCPConn).SetLinger(0)
			},
			plan: Plan{MaxRequests: 2},
			want: map[Outcome]uint64{Truncated: 2},
		},
		"a redirect is the reply": {
			handle: func(p *peer) {
				for p.next() {
					_, _ = p.Write([]byte("HTTP/1.1 302 Found\r\nlocation: /other\r\nx-app-version: v1\r\ncontent-length: 0\r\n\r\n"))
				}
			},
			plan: Plan{MaxRequests: 4},
			want: map[Outcome]uint64{Answered: 4},
		},
		"drips": {
			handle: func(p *peer) {
				p.next()
				for _, c := range replyV1 {
					if _, err := p.Write([]byte{c}); err != nil {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
			},
			plan: Plan{MaxRequests: 1, ReplyTimeout: 300 * time.Millisecond},
			want: map[Outcome]uint64{Timeout: 1},
		},
		"a body without end": {
			handle: func(p *peer) {
				p.next()
				_, err := p.Write([]byte("HTTP/1.1 200 OK\r\nx-app-version: v2\r\n\r\n"))
				for err == nil {
					_, err = p.Write(p.buf)
				}
			},
			plan: Plan{MaxRequests: 1, ReplyTimeout: 300 * time.Millisecond},
			want: map[Outcome]uint64{Timeout: 1},
		},
		"a head without end": {
			handle: func(p *peer) {
				p.next()
				_, err := io.WriteString(p, "HTTP/1.1 200 OK\r\n")
				for err == nil {
					_, err = io.WriteString(p, "x: "+strings.Repeat("y", 1000)+"\r\n")
				}
			},
			plan: Plan{MaxRequests: 1},
			want: map[Outcome]uint64{Limit: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyEngine(t, func(t *testing.T, e Engine) {
				s := serve(t, row.handle)
				p := row.plan
				p.Addresses, p.Connections = []string{s.address()}, 1
				_, snap, err := runPlan(t, e, &p)
				if err != nil {
					t.Fatal(err)
				}
				only(t, &snap, row.want)
				if got := uint64(s.requests.Load()); got != snap.Sent {
					t.Errorf("the server saw %d requests, %d were sent", got, snap.Sent)
				}
			})
		})
	}
}

// A far side that ends every connection before it carries a request is not flooded with new ones: each worker tries five
// times, with pauses, no request is counted, and the run ends and says why.
func TestClosedUnused(t *testing.T) {
	engines := append(Engines(), HTTP2())
	for _, e := range engines {
		for name, handle := range map[string]func(*peer){
			"closed": func(p *peer) { time.Sleep(time.Millisecond) },
			"RST":    func(p *peer) { time.Sleep(time.Millisecond); _ = p.Conn.(*net.TCPConn).SetLinger(0) },
			"speaks": func(p *peer) { _, _ = p.Write([]byte("220 mail.example ESMTP\r\n")); time.Sleep(time.Second) },
			"HTTP/2 settings, then closed": func(p *peer) {
				_, _ = p.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
				time.Sleep(5 * time.Millisecond)
			},
		} {
			t.Run(e.Name()+"/"+name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, handle)
				began := time.Now()
				_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 3, Rate: 0.1, MaxRequests: 100, Lead: 10 * time.Second})
				if err == nil || !strings.Contains(err.Error(), "5 times in a row") {
					t.Errorf("error %v, want one that says how often it was tried", err)
				}
				if n := s.conns.Load(); n < 15 || n > 30 {
					t.Errorf("%d connections, want 15 or a few more", n)
				}
				if n := snap.Sent - snap.Outcomes[DialError]; n != 0 {
					t.Errorf("%d requests were counted, and none was sent", n)
				}
				if d := time.Since(began); d < 150*time.Millisecond {
					t.Errorf("gave up after %v; the pauses alone are 10+20+40+80 ms", d)
				}
			})
		}
	}
}

// A far side that closes its half behind a reply and reads on draws no reset: the end is news that comes with the reply, and
// must be seen all the same, not when the time for a reply is over.
func TestHalfClosed(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			p.next()
			p.answer(false)
			_ = p.Conn.(*net.TCPConn).CloseWrite()
			for p.next() {
			}
		})
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 1, MaxRequests: 6})
		if err != nil {
			t.Fatal(err)
		}
		if o := snap.Outcomes; o[Answered] < 3 || o[Answered]+o[ResetReused] != 6 || snap.Elapsed > 2*time.Second {
			t.Errorf("outcomes %v in %v, want answered or reset_reused within moments", o, snap.Elapsed)
		}
	})
}

// A reply that is complete after its time is over ends as a time-out, whether the deadline or the reply was seen first.
func TestLateReply(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, oneIn(1, 0, 130*time.Millisecond))
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 4, MaxRequests: 20, ReplyTimeout: 125 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Timeout: 20})
	})
}

// Nobody listens: each worker tries five times, with pauses, and the run ends and says why.
func TestDialRefused(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		began := time.Now()
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{l.Addr().String()}, Connections: 3})
		if err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("error %v, want one that says refused", err)
		}
		if n := snap.Outcomes[DialError]; n < 15 || n != snap.Sent {
			t.Errorf("%d dials failed of %d, want 15 or a few more", n, snap.Sent)
		}
		if d := time.Since(began); d < 150*time.Millisecond {
			t.Errorf("gave up after %v; the pauses alone are 10+20+40+80 ms", d)
		}
		var ev Evidence
		if r.Evidence(&ev); ev.Requests != 0 {
			t.Errorf("evidence of %d requests, none was routed", ev.Requests)
		}
	})
}

// A reply that comes before a long request is sent counts, and the connection is dropped.
func TestEarlyReply(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			p.next()
			_, _ = p.Write([]byte("HTTP/1.1 413 Too Large\r\nx-app-version: v1\r\ncontent-length: 0\r\n\r\n"))
			time.Sleep(100 * time.Millisecond) // nothing is read meanwhile
		})
		request, err := BuildRequest(RequestOptions{Host: "a", Body: make([]byte, 16<<20)})
		if err != nil {
			t.Fatal(err)
		}
		_, snap, err := runPlan(t, e, &Plan{Request: request, Addresses: []string{s.address()}, Connections: 1, MaxRequests: 2})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 2})
		if snap.Connections.Opened != 2 {
			t.Errorf("%d connections, want 2", snap.Connections.Opened)
		}
	})
}

// A slow reader gets the whole body, in however many writes.
func TestShortWrites(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		body := []byte(strings.Repeat("0123456789abcdef", 256<<10/16))
		var intact atomic.Int64
		s := serve(t, func(p *peer) {
			_ = p.Conn.(*net.TCPConn).SetReadBuffer(32 << 10)
			for p.next() {
				got := append([]byte(nil), p.buf[:p.have]...)
				for p.have = 0; len(got) < len(body); {
					time.Sleep(time.Millisecond)
					n, err := p.Read(p.buf[:min(8192, len(body)-len(got))])
					if err != nil {
						return
					}
					got = append(got, p.buf[:n]...)
				}
				if string(got) == string(body) {
					intact.Add(1)
				}
				p.answer(false)
			}
		})
		request, err := BuildRequest(RequestOptions{Host: "a", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		_, snap, err := runPlan(t, e, &Plan{Request: request, Addresses: []string{s.address()}, Connections: 2, MaxRequests: 4})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 4})
		if intact.Load() != 4 || snap.Connections.Opened != 2 {
			t.Errorf("%d bodies arrived intact over %d connections, want 4 over 2", intact.Load(), snap.Connections.Opened)
		}
	})
}

// Replies cut into arbitrary segments are counted exactly.
func TestResegmented(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			state := uint64(p.n)
			for p.next() {
				state = state*6364136223846793005 + 1442695040888963407
				octets, count := replyV1, &p.s.v1
				if state>>40&1 == 1 {
					octets, count = replyV2, &p.s.v2
				}
				count.Add(1)
				at := int(state>>33) % len(octets)
				_, _ = p.Write(octets[:at])
				if _, err := p.Write(octets[at:]); err != nil {
					return
				}
			}
		})
		r, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 32, MaxRequests: 20_000})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 20_000})
		var ev Evidence
		r.Evidence(&ev)
		if int64(ev.Counts[0]) != s.v1.Load() || int64(ev.Counts[1]) != s.v2.Load() {
			t.Errorf("counted %v, the server %d and %d", ev.Counts, s.v1.Load(), s.v2.Load())
		}
	})
}

// A far side that closes idle connections is seen before the next request leaves, and costs no request and no slot.
func TestClosedIdle(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			for range 3 {
				if !p.next() || !p.answer(false) {
					return
				}
			}
			time.Sleep(5 * time.Millisecond)
		})
		_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 16, Rate: 200, MaxRequests: 200})
		if err != nil {
			t.Fatal(err)
		}
		if snap.Lag.Max > 30*time.Millisecond {
			t.Skipf("this machine is too busy: starts were late by %v, so connections were used again before they closed", snap.Lag.Max)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 200})
		if n := snap.Connections.ClosedIdle; n < 40 {
			t.Errorf("%d connections were seen closing while idle, want about 200/3", n)
		}
		if took := snap.Elapsed.Seconds(); took > 1.15 {
			t.Errorf("200 requests at 200/s took %.3f s", took)
		}
	})
}
