package load

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// scissors cut what is written to a connection at random places; what they hold back goes out before the next read. They say
// when nothing comes for a while.
type scissors struct {
	net.Conn
	random *rand.Rand
	held   []byte
	idle   func()
}

func (s *scissors) Write(b []byte) (int, error) {
	s.held = append(s.held, b...)
	for len(s.held) > 20 {
		n := s.random.IntN(len(s.held)) + 1
		if _, err := s.Conn.Write(s.held[:n]); err != nil {
			return 0, err
		}
		s.held = s.held[n:]
	}
	return len(b), nil
}

func (s *scissors) Read(b []byte) (int, error) {
	for {
		if len(s.held) > 0 {
			if _, err := s.Conn.Write(s.held); err != nil {
				return 0, err
			}
			s.held = s.held[:0]
		}
		_ = s.Conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := s.Conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		s.idle()
	}
}

// 10^5 replies, half of them under TLS, that are cut at random and come out of order are counted exactly.
func TestH2Resegmented(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		s, config := serveScript(t, secure, nil, func(p *h2peer) {
			random := rand.New(rand.NewPCG(uint64(p.tcp().RemoteAddr().(*net.TCPAddr).Port), 7))
			cut := &scissors{Conn: p.Conn, random: random}
			p.Framer = xhttp2.NewFramer(cut, cut)
			var open []uint32
			answer := func(leave int) {
				for len(open) > leave {
					i := random.IntN(len(open))
					version, count := "v1", &p.s.v1
					if random.IntN(10) == 0 {
						version, count = "v2", &p.s.v2
					}
					count.Add(1)
					p.answered(open[i], version)
					open[i] = open[len(open)-1]
					open = open[:len(open)-1]
				}
			}
			cut.idle = func() { answer(0) } // the last requests wait for nobody else
			for stream, ok := p.next(); ok; stream, ok = p.next() {
				open = append(open, stream)
				answer(random.IntN(10))
			}
		})
		n := *countRequests / 2
		if underRace {
			n /= 10
		}
		r, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 16, Streams: 10, MaxRequests: n})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: n})
		if uint64(s.requests.Load()) != n || snap.Connections.Opened != 16 {
			t.Errorf("the server saw %d requests of %d on %d connections, want 16", s.requests.Load(), n, snap.Connections.Opened)
		}
		versionsAre(t, r, uint64(s.v1.Load()), uint64(s.v2.Load()))
	})
}

// With each way a request can end mixed into right replies, every count is the server's, to the last request: of that outcome,
// of each version, and of what arrived.
func TestH2EveryFaultCounts(t *testing.T) {
	head := func(fields ...string) func(*h2peer, uint32) bool {
		return func(p *h2peer, s uint32) bool { p.head(s, true, fields...); return true }
	}
	reset := func(code xhttp2.ErrCode) func(*h2peer, uint32) bool {
		return func(p *h2peer, s uint32) bool { return p.WriteRSTStream(s, code) == nil }
	}
	labelled := func(behind func(*h2peer, uint32) bool) func(*h2peer, uint32) bool {
		return func(p *h2peer, s uint32) bool {
			p.head(s, false, ":status", "200", "x-app-version", "v2", "content-length", "5")
			return behind(p, s)
		}
	}
	const ok, label = "200", "x-app-version"
	for name, row := range map[string]struct {
		fault      func(*h2peer, uint32) bool // plays the fault; false closes the connection
		want       Outcome
		or         Outcome // the same fault on a connection that has carried a reply
		attributed bool    // the fault's reply names v2
		alone      bool    // it ends the connection, so one stream at a time
		every      int64   // 0: every tenth request
		timeout    time.Duration
	}{
		"no label":                  {fault: head(":status", ok), want: NoLabel},
		"two labels":                {fault: head(":status", ok, label, "v1", label, "v2"), want: BadLabel},
		"the gateway's own":         {fault: head(":status", "503", "server", "envoy"), want: Gateway},
		"refused":                   {fault: reset(xhttp2.ErrCodeRefusedStream), want: Refused},
		"reset":                     {fault: reset(xhttp2.ErrCodeInternal), want: Reset, or: ResetReused},
		"reset behind the head":     {fault: labelled(reset(xhttp2.ErrCodeInternal)), want: Truncated, attributed: true},
		"content that is too short": {fault: labelled(func(p *h2peer, s uint32) bool { return p.WriteData(s, true, nil) == nil }), want: Malformed, attributed: true},
		"a field of HTTP/1.1":       {fault: head(":status", ok, label, "v2", "transfer-encoding", "chunked"), want: Malformed},
		"interim heads for ever": {fault: func(p *h2peer, s uint32) bool {
			for range maxInterim + 1 {
				p.head(s, false, ":status", "103")
			}
			return true
		}, want: Limit},
		"closed":                 {fault: func(*h2peer, uint32) bool { return false }, want: Reset, or: ResetReused, alone: true},
		"closed behind the head": {fault: labelled(func(*h2peer, uint32) bool { return false }), want: Truncated, attributed: true, alone: true},
		"a broken block":         {fault: func(p *h2peer, s uint32) bool { raw(p, s, []byte{0x80 | 62}); return true }, want: Malformed, alone: true},
		"a flood":                {fault: func(p *h2peer, s uint32) bool { flood(p, s); return true }, want: Limit, alone: true},
		"no answer":              {fault: func(*h2peer, uint32) bool { return true }, want: Timeout, every: 100, timeout: 2 * time.Second},
		"no end":                 {fault: labelled(func(*h2peer, uint32) bool { return true }), want: Timeout, attributed: true, every: 100, timeout: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, secure bool) {
				every := max(row.every, 10)
				var faults, number atomic.Int64
				s, config := serveScript(t, secure, nil, func(p *h2peer) {
					for stream, ok := p.next(); ok; stream, ok = p.next() {
						n := number.Add(1)
						version, count := "v1", &p.s.v1
						if n%3 == 0 {
							version, count = "v2", &p.s.v2
						}
						if n%every == 0 {
							faults.Add(1)
							if !row.fault(p, stream) {
								return
							}
							continue
						}
						count.Add(1)
						if !p.answered(stream, version) {
							return
						}
					}
				})
				n, streams := *faultyRequests, 5
				if row.alone {
					streams = 1
				}
				r, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 16, Streams: streams, MaxRequests: n, ReplyTimeout: row.timeout})
				if err != nil {
					t.Fatal(err)
				}
				of, got := uint64(faults.Load()), snap.Outcomes[row.want]
				if row.or != 0 {
					got += snap.Outcomes[row.or]
				}
				if uint64(s.requests.Load()) != n || got != of || of != n/uint64(every) || snap.Outcomes[Answered] != n-of {
					t.Errorf("the server saw %d requests and played %d faults; %d of %d are counted as that, %d as answered: %v",
						s.requests.Load(), of, got, n, snap.Outcomes[Answered], snap.Outcomes)
				}
				if opened := snap.Connections.Opened; !row.alone && opened != 16 {
					t.Errorf("%d connections for a fault of streams, want 16", opened)
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

// GOAWAY again and again under load: what is behind its last stream is refused, to the request, and nothing else is.
func TestH2EveryGoAwayCounts(t *testing.T) {
	bothWays(t, func(t *testing.T, secure bool) {
		var ignored atomic.Int64
		s, config := serveScript(t, secure, nil, func(p *h2peer) {
			last := uint32(0)
			for stream, ok := p.next(); ok; stream, ok = p.next() {
				if last != 0 {
					ignored.Add(1)
					continue
				}
				p.s.v1.Add(1)
				p.answered(stream, "v1")
				if p.n == 20 {
					last = stream
					_ = p.WriteGoAway(last, xhttp2.ErrCodeNo, nil)
				}
			}
		})
		n := *faultyRequests
		r, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, TLS: config, Connections: 8, Streams: 10, MaxRequests: n})
		if err != nil {
			t.Fatal(err)
		}
		answered := uint64(s.v1.Load())
		only(t, &snap, map[Outcome]uint64{Answered: answered, Refused: n - answered})
		// What came behind a GOAWAY is read by the server or dies with the connection.
		if answered == n || uint64(ignored.Load()) > n-answered || snap.Connections.SaidClose < n/50 {
			t.Errorf("%d of %d answered, %d seen and ignored, %d connections said close", answered, n, ignored.Load(), snap.Connections.SaidClose)
		}
		versionsAre(t, r, uint64(s.v1.Load()), 0)
	})
}

// Once warm, a request allocates nothing, on either side of this test: the server's replies are octets made before.
func TestH2RequestsAllocate(t *testing.T) {
	if underRace {
		t.Skip("under the race detector pools forget at random")
	}
	for name, content := range map[string]int{"GET": 0, "POST": 5} {
		t.Run(name, func(t *testing.T) {
			s, _ := serveScript(t, false, nil, func(p *h2peer) {
				reply := appendFrame(nil, 0, frameHeaders, flagEndHeaders, 0)
				block := p.encode(":status", "200", "server", "istio-envoy", "x-app-version", "v2", "content-length", "2", "x-envoy-upstream-service-time", "1")
				reply[2] = byte(len(block))
				reply = append(appendFrame(append(reply, block...), 2, frameData, flagEndStream, 0), "ok"...)
				in, out, have := make([]byte, 64<<10), make([]byte, 0, 64<<10), 0
				for {
					n, err := p.Conn.Read(in[have:])
					if err != nil {
						return
					}
					have += n
					b, ends := in[:have], byte(frameHeaders)
					if content > 0 {
						ends = frameData
					}
					for out = out[:0]; len(b) >= frameHead && len(b) >= frameHead+int(b[1])<<8+int(b[2]); b = b[frameHead+int(b[1])<<8+int(b[2]):] {
						if b[3] != ends {
							continue
						}
						copy(reply[5:9], b[5:9])
						copy(reply[frameHead+len(block)+5:], b[5:9])
						out = append(out, reply...)
					}
					have = copy(in, b)
					if _, err := p.Conn.Write(out); err != nil {
						return
					}
				}
			})
			request := get(t)
			if content > 0 {
				request, _ = post(t, content)
			}
			allocated := func(n uint64) uint64 {
				p := &Plan{Request: request, Addresses: []string{s.address()}, Connections: 4, Streams: 8, MaxRequests: n}
				r := NewRecorder([]string{"v1", "v2"}, p)
				r.BeginEvidence()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if err := HTTP2().Run(t.Context(), p, r); err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				if got := r.Snapshot().Outcomes[Answered]; got != n {
					t.Fatalf("%d of %d answered", got, n)
				}
				return after.Mallocs - before.Mallocs
			}
			const more = 20_000
			short, long := allocated(1000), allocated(1000+more)
			if long > short+more/20 {
				t.Errorf("%d allocations for 1000 requests, %d for %d", short, long, 1000+more)
			}
		})
	}
}
