package load

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

var h2ways = map[string]bool{"h2c": false, "TLS": true}

// The counts are the server's own, per version, and the cap is exact: with one stream and with many.
func TestH2Counts(t *testing.T) {
	for name, secure := range h2ways {
		for _, streams := range []int{1, 10} {
			t.Run(name, func(t *testing.T) {
				s := serveH2(t, secure, third)
				n := *countRequests / 4
				if underRace {
					n /= 10
				}
				r, snap, err := runPlan(t, HTTP2(), s.plan(streams, n))
				if err != nil {
					t.Fatal(err)
				}
				only(t, &snap, map[Outcome]uint64{Answered: n})
				var ev Evidence
				r.Evidence(&ev)
				if got := s.requests.Load(); uint64(got) != n || int64(ev.Counts[0]) != s.v1.Load() || int64(ev.Counts[1]) != s.v2.Load() {
					t.Errorf("the server saw %d: %d and %d; counted %v of %d", got, s.v1.Load(), s.v2.Load(), ev.Counts, n)
				}
				if snap.Connections.Opened != 4 {
					t.Errorf("%d connections opened, want 4", snap.Connections.Opened)
				}
			})
		}
	}
}

// The request is the one that HTTP/1.1 would carry, content and all, however large, and replies may be large too.
func TestH2Request(t *testing.T) {
	content := strings.Repeat("mesh-split", 300_000) // 3 MB, far beyond every first window
	for name, secure := range h2ways {
		t.Run(name, func(t *testing.T) {
			s := serveH2(t, secure, func(s *h2real, w http.ResponseWriter, r *http.Request, n int64) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != content || r.Method != "POST" || r.URL.String() != "/path?q=1" || r.Host != "test.example" || r.Header.Get("X-One") != "1" {
					t.Errorf("the server got %s %s, host %s, %v, %d octets, %v", r.Method, r.URL, r.Host, r.Header, len(body), err)
				}
				w.Header().Set("x-app-version", "v1")
				_, _ = w.Write(body)
			})
			p := s.plan(3, 12)
			p.ReplyTimeout = 30 * time.Second // the race detector takes its time for 72 MB
			var err error
			if p.Request, err = BuildRequest(RequestOptions{Host: "test.example", Path: "/path?q=1", Header: []string{"X-One: 1"}, Body: []byte(content)}); err != nil {
				t.Fatal(err)
			}
			_, snap, err := runPlan(t, HTTP2(), p)
			if err != nil {
				t.Fatal(err)
			}
			only(t, &snap, map[Outcome]uint64{Answered: 12})
		})
	}
}

// At a constant rate requests leave in time, spread over connections, and a stuck stream holds nothing else back.
func TestH2Rate(t *testing.T) {
	s := serveH2(t, false, func(s *h2real, w http.ResponseWriter, r *http.Request, n int64) {
		if n == 10 {
			time.Sleep(700 * time.Millisecond)
		}
		third(s, w, r, n)
	})
	p := s.plan(2, 500)
	p.Rate = 500
	_, snap, err := runPlan(t, HTTP2(), p)
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 500})
	if underRace {
		return // what follows is about time
	}
	if lag := snap.Lag.Quantile(0.9); snap.RateAchieved < 480 || lag > 10*time.Millisecond {
		t.Errorf("500/s asked, %v achieved; lag p90 %v", snap.RateAchieved, lag)
	}
}

// Ten requests, three on a connection, are four connections.
func TestH2Reconnect(t *testing.T) {
	s := serveFrames(t, nil, func(p *h2peer, stream uint32) bool { p.answered(stream, "v1"); return true })
	_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, Streams: 2, MaxRequests: 10, ConnRequests: 3})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 10})
	if s.conns.Load() != 4 || snap.Connections.Reconnected != 3 {
		t.Errorf("%d connections, %d reconnected; want 4 and 3", s.conns.Load(), snap.Connections.Reconnected)
	}
}

// One reply each, as a scripted server gives it. Where the fault is a stream's, the connection goes on: the second request
// travels on it too.
func TestH2Replies(t *testing.T) {
	ok := []string{":status", "200", "x-app-version", "v2"}
	with := func(more ...string) []string { return append(append([]string(nil), ok...), more...) }
	for name, row := range map[string]struct {
		play  func(p *h2peer, s uint32)
		want  Outcome
		label bool // v2 is known
		conns int64
	}{
		"whole":                   {func(p *h2peer, s uint32) { p.answered(s, "v2") }, Answered, true, 1},
		"without content":         {func(p *h2peer, s uint32) { p.head(s, true, ok...) }, Answered, true, 1},
		"interim heads, trailers": {interimAndTrailers, Answered, true, 1},
		"label by Huffman":        {func(p *h2peer, s uint32) { p.head(s, true, ":status", "200", "x-app-version", "v2") }, Answered, true, 1},
		"no label":                {func(p *h2peer, s uint32) { p.head(s, true, ":status", "200") }, NoLabel, false, 1},
		"two labels":              {func(p *h2peer, s uint32) { p.head(s, true, with("x-app-version", "v1")...) }, BadLabel, false, 1},
		"the gateway's own":       {func(p *h2peer, s uint32) { p.head(s, true, ":status", "503", "server", "envoy") }, Gateway, false, 1},
		"passed on": {func(p *h2peer, s uint32) {
			p.head(s, true, ":status", "503", "server", "envoy", "x-envoy-upstream-service-time", "1")
		}, NoLabel, false, 1},
		"refused":               {func(p *h2peer, s uint32) { _ = p.WriteRSTStream(s, xhttp2.ErrCodeRefusedStream) }, Refused, false, 1},
		"reset":                 {func(p *h2peer, s uint32) { _ = p.WriteRSTStream(s, xhttp2.ErrCodeInternal) }, Reset, false, 1},
		"reset behind the head": {func(p *h2peer, s uint32) { p.head(s, false, ok...); _ = p.WriteRSTStream(s, xhttp2.ErrCodeInternal) }, Truncated, true, 1},
		"refused behind the head": {func(p *h2peer, s uint32) {
			p.head(s, false, ok...)
			_ = p.WriteRSTStream(s, xhttp2.ErrCodeRefusedStream)
		}, Truncated, true, 1},
		"content too short": {func(p *h2peer, s uint32) {
			p.head(s, false, with("content-length", "5")...)
			_ = p.WriteData(s, true, []byte("ok"))
		}, Malformed, true, 1},
		"content-length and none": {func(p *h2peer, s uint32) { p.head(s, true, with("content-length", "5")...) }, Malformed, true, 1},
		"no status":               {func(p *h2peer, s uint32) { p.head(s, true, "x-app-version", "v2") }, Malformed, false, 1},
		"status twice":            {func(p *h2peer, s uint32) { p.head(s, true, ":status", "200", ":status", "200") }, Malformed, false, 1},
		"status behind a field":   {func(p *h2peer, s uint32) { p.head(s, true, "x", "y", ":status", "200") }, Malformed, false, 1},
		"status 101":              {func(p *h2peer, s uint32) { p.head(s, true, ":status", "101") }, Malformed, false, 1},
		"a request's field":       {func(p *h2peer, s uint32) { p.head(s, true, ":status", "200", ":path", "/") }, Malformed, false, 1},
		"a field of HTTP/1.1":     {func(p *h2peer, s uint32) { p.head(s, true, with("connection", "close")...) }, Malformed, false, 1},
		"ends in an interim head": {func(p *h2peer, s uint32) { p.head(s, true, ":status", "103") }, Malformed, false, 1},
		"content before the head": {func(p *h2peer, s uint32) { _ = p.WriteData(s, true, []byte("ok")) }, Malformed, false, 1},
		"two final heads":         {func(p *h2peer, s uint32) { p.head(s, false, ok...); p.head(s, false, ok...) }, Malformed, true, 1},
		"interim heads for ever": {func(p *h2peer, s uint32) {
			for range 20 {
				p.head(s, false, ":status", "103")
			}
		}, Limit, false, 1},
		"padding and priority":      {padded, Answered, true, 1},
		"over CONTINUATION":         {continued, Answered, true, 1},
		"frames nobody knows":       {func(p *h2peer, s uint32) { _ = p.WriteRawFrame(0xfa, 3, s, []byte("?")); p.answered(s, "v2") }, Answered, true, 1},
		"a PING between":            {func(p *h2peer, s uint32) { _ = p.WritePing(false, [8]byte{1}); p.answered(s, "v2") }, Answered, true, 1},
		"CONTINUATION for ever":     {flood, Limit, false, 2},
		"CONTINUATION of nothing":   {func(p *h2peer, s uint32) { _ = p.WriteContinuation(s, true, nil) }, Malformed, false, 2},
		"a broken block":            {func(p *h2peer, s uint32) { raw(p, s, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) }, Malformed, false, 2},
		"an index beyond the table": {func(p *h2peer, s uint32) { raw(p, s, []byte{0x80 | 62}) }, Malformed, false, 2},
		"a push": {func(p *h2peer, s uint32) {
			_ = p.WritePushPromise(xhttp2.PushPromiseParam{StreamID: s, PromiseID: 2, EndHeaders: true})
		}, Malformed, false, 2},
		"a frame for no stream":   {func(p *h2peer, s uint32) { _ = p.WriteData(s+20, true, nil) }, Malformed, false, 2},
		"a window that overflows": {func(p *h2peer, s uint32) { _ = p.WriteWindowUpdate(0, 1<<31-1) }, Malformed, false, 2},
		"a frame above the limit": {func(p *h2peer, s uint32) { _ = p.WriteRawFrame(xhttp2.FrameData, 0, s, make([]byte, 20_000)) }, Malformed, false, 2},
		"closed behind the head":  {func(p *h2peer, s uint32) { p.head(s, false, ok...); _ = p.Close() }, Truncated, true, 2},
		"closed":                  {func(p *h2peer, s uint32) { _ = p.Close() }, Reset, false, 2},
		"silent":                  {func(p *h2peer, s uint32) {}, Timeout, false, 2},
		"silent behind the head":  {func(p *h2peer, s uint32) { p.head(s, false, ok...) }, Timeout, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var played atomic.Bool // a second connection has a goroutine of its own
			s := serveFrames(t, nil, func(p *h2peer, stream uint32) bool {
				if played.CompareAndSwap(false, true) {
					row.play(p, stream)
				} else {
					p.answered(stream, "v1")
				}
				return true
			})
			_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, MaxRequests: 2, ReplyTimeout: 200 * time.Millisecond,
				Lead: 20 * time.Millisecond}) // settings are exchanged by then
			if err != nil {
				t.Fatal(err)
			}
			want := map[Outcome]uint64{Answered: 1}
			want[row.want]++
			only(t, &snap, want)
			if v2 := snap.Versions[1].Requests; (v2 == 1) != row.label {
				t.Errorf("v2 has %d requests", v2)
			}
			if s.conns.Load() != row.conns || s.requests.Load() != 2 {
				t.Errorf("%d connections with %d requests, want %d with 2", s.conns.Load(), s.requests.Load(), row.conns)
			}
		})
	}
}

func interimAndTrailers(p *h2peer, s uint32) {
	p.head(s, false, ":status", "103", "x-app-version", "v1")
	p.head(s, false, ":status", "200", "x-app-version", "v2")
	_ = p.WriteData(s, false, []byte("ok"))
	p.head(s, true, "x-app-version", "v1")
}

func padded(p *h2peer, s uint32) {
	_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: s, BlockFragment: p.encode(":status", "200", "x-app-version", "v2", "content-length", "2"),
		EndHeaders: true, PadLength: 9, Priority: xhttp2.PriorityParam{Weight: 3}})
	_ = p.WriteDataPadded(s, true, []byte("ok"), make([]byte, 17))
}

func continued(p *h2peer, s uint32) {
	block := p.encode(":status", "200", "x-app-version", "v2")
	_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: s, BlockFragment: block[:1], EndStream: true})
	for i := 1; i < len(block); i += 4 {
		end := min(i+4, len(block))
		_ = p.WriteContinuation(s, end == len(block), block[i:end])
	}
}

func flood(p *h2peer, s uint32) {
	_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: s, BlockFragment: p.encode(":status", "200")})
	for range 20 {
		if p.WriteContinuation(s, false, p.encode("x", "y")) != nil {
			return
		}
	}
}

func raw(p *h2peer, s uint32, block []byte) {
	_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: s, BlockFragment: block, EndHeaders: true, EndStream: true})
}

// GOAWAY in the middle: requests behind its last stream were not looked at, those before are answered, and the run goes on.
func TestH2GoAway(t *testing.T) {
	s := serveFrames(t, nil, func(p *h2peer, stream uint32) bool {
		switch {
		case p.n < 4:
			p.answered(stream, "v1")
		case p.n == 8: // 4 to 8 are open: two of them are looked at
			_ = p.WriteGoAway(stream-6, xhttp2.ErrCodeNo, nil)
			p.answered(stream-8, "v2")
			p.answered(stream-6, "v2")
		}
		return true
	})
	_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, Streams: 5, MaxRequests: 16, ReplyTimeout: time.Second, Drain: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if o := snap.Outcomes; o[Refused] != 6 || snap.Versions[1].Requests != 4 || snap.Connections.SaidClose != 2 || o[Answered] != 10 {
		t.Errorf("outcomes %v, v2 %d, said close %d; want 6 refused, 4 of v2, 2, 10 answered", o, snap.Versions[1].Requests, snap.Connections.SaidClose)
	}
}

// Never more streams than the far side allows, not even when it changes its mind.
func TestH2StreamLimit(t *testing.T) {
	open, most, limit := 0, 0, 3
	var waiting []uint32
	s := serveFrames(t, []xhttp2.Setting{{ID: xhttp2.SettingMaxConcurrentStreams, Val: 3}}, func(p *h2peer, stream uint32) bool {
		open++
		most = max(most, open)
		if waiting = append(waiting, stream); len(waiting) < limit {
			return true
		}
		for _, w := range waiting {
			p.answered(w, "v1")
			open--
		}
		waiting = waiting[:0]
		return true
	})
	_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, Streams: 50, MaxRequests: 30})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 30})
	if most != 3 {
		t.Errorf("%d streams at once, the far side allows 3", most)
	}
}

// A reply that comes before the content is sent counts, and the rest is not sent.
func TestH2EarlyReply(t *testing.T) {
	s := serveH2(t, false, func(s *h2real, w http.ResponseWriter, r *http.Request, n int64) {
		w.Header().Set("x-app-version", "v1")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	p := s.plan(1, 8)
	var err error
	if p.Request, err = BuildRequest(RequestOptions{Host: "test.example", Body: make([]byte, 8<<20)}); err != nil {
		t.Fatal(err)
	}
	_, snap, err := runPlan(t, HTTP2(), p)
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 8})
	if s.requests.Load() != 8 {
		t.Errorf("the server saw %d requests, want 8", s.requests.Load())
	}
}

// gRPC: a reply is judged by its grpc-status, wherever that stands; none is no success.
func TestGRPC(t *testing.T) {
	s := serveFrames(t, nil, func(p *h2peer, stream uint32) bool {
		const label = "x-app-version"
		switch p.n {
		case 1, 2:
			p.head(stream, false, ":status", "200", label, "v1")
			_ = p.WriteData(stream, false, make([]byte, 5))
			p.head(stream, true, "grpc-status", "0")
		case 3:
			p.head(stream, false, ":status", "200", label, "v2")
			p.head(stream, true, "grpc-status", "14")
		case 4:
			p.head(stream, true, ":status", "200", label, "v2", "grpc-status", "5")
		case 5:
			p.head(stream, false, ":status", "200", label, "v2")
			_ = p.WriteData(stream, true, make([]byte, 5))
		}
		return true
	})
	_, snap, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{s.address()}, Connections: 1, MaxRequests: 5, GRPC: true})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 5})
	if snap.Versions[0].Failures != 0 || snap.Versions[1].Failures != 3 {
		t.Errorf("failures %d and %d, want 0 and 3", snap.Versions[0].Failures, snap.Versions[1].Failures)
	}
	if g := snap.GRPC; g[0] != 2 || g[14] != 1 || g[5] != 1 || g[noGRPCStatus] != 1 {
		t.Errorf("statuses %v, want 0 twice, 14, 5 and none once", g)
	}
}

// Whoever does not speak HTTP/2 is named before anything is counted as sent.
func TestH2Strangers(t *testing.T) {
	old := serve(t, func(p *peer) { _, _ = p.Read(p.buf); _, _ = p.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	_, _, err := runPlan(t, HTTP2(), &Plan{Addresses: []string{old.address()}, Connections: 2})
	if err == nil || !strings.Contains(err.Error(), "HTTP/1") {
		t.Errorf("a server of HTTP/1: %v", err)
	}
	s := serveH2(t, true, third)
	p := s.plan(1, 1000)
	p.TLS.NextProtos = []string{"http/1.1", "h2c"}
	if _, _, err := runPlan(t, HTTP2(), p); err == nil || !strings.Contains(err.Error(), "ALPN") {
		t.Errorf("a server that does not choose h2: %v", err)
	}
	unknown := s.plan(1, 1000)
	unknown.TLS = &tls.Config{ServerName: "example.com", NextProtos: []string{"h2"}}
	if _, snap, err := runPlan(t, HTTP2(), unknown); err == nil || snap.Outcomes[TLSError] == 0 {
		t.Errorf("an unknown authority: %v, %v", err, snap.Outcomes)
	}
}
