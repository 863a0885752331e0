package load

import (
	"net"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// deaf is a connection for tests that hand the octets in themselves.
type deaf struct{ net.Conn }

func (deaf) Write(b []byte) (int, error)      { return len(b), nil }
func (deaf) SetWriteDeadline(time.Time) error { return nil }
func (deaf) SetReadDeadline(time.Time) error  { return nil }
func (deaf) SetDeadline(time.Time) error      { return nil }
func (deaf) Close() error                     { return nil }

// fed is what two requests became of octets that came in pieces of a size.
func fed(t testing.TB, octets []byte, piece int) Snapshot {
	p := &Plan{Request: get(t), Addresses: []string{"127.0.0.1:1"}, Connections: 1, Streams: 2, MaxRequests: 2}
	r := NewRecorder([]string{"v1", "v2"}, p)
	x, err := newRun(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	c := newH2Conn(x, 0, newH2Wanted(&x.plan), func() {})
	c.begins(deaf{})
	x.turns.open()
	c.start()
	for len(octets) > 0 && c.conn != nil && c.busy > 0 {
		n := copy(c.in[c.have:min(len(c.in), c.have+piece)], octets)
		octets, c.have = octets[n:], c.have+n
		if fault := c.take(); fault != nil {
			c.blame(fault)
		}
		c.flush()
	}
	if c.conn != nil {
		c.endAll(Closed)
	}
	c.scribe.flush()
	return r.Snapshot()
}

// Whatever comes, nothing breaks, and the same octets give the same result however they are cut.
func FuzzH2(f *testing.F) {
	frames := func(write func(p *h2peer)) {
		server, client := net.Pipe()
		done := make(chan []byte)
		go func() {
			var all []byte
			buf := make([]byte, 1<<16)
			for {
				n, err := client.Read(buf)
				if all = append(all, buf[:n]...); err != nil {
					done <- all
					return
				}
			}
		}()
		p := newH2Peer(server)
		_ = p.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 100})
		write(p)
		_ = server.Close()
		f.Add(<-done)
	}
	frames(func(p *h2peer) { p.answered(1, "v1"); p.answered(3, "v2") })
	frames(func(p *h2peer) { interimAndTrailers(p, 3); padded(p, 1) })
	frames(func(p *h2peer) { continued(p, 1); flood(p, 3) })
	frames(func(p *h2peer) {
		_ = p.WriteGoAway(1, xhttp2.ErrCodeNo, nil)
		_ = p.WriteRSTStream(1, xhttp2.ErrCodeRefusedStream)
	})
	frames(func(p *h2peer) {
		_ = p.WritePing(false, [8]byte{})
		_ = p.WriteWindowUpdate(1, 1)
		raw(p, 1, []byte{0x88, 0x40, 0x81})
	})
	f.Fuzz(func(t *testing.T, octets []byte) {
		whole := fed(t, octets, h2buffer)
		for _, piece := range []int{1, 2, 7} {
			cut := fed(t, octets, piece)
			if cut.Outcomes != whole.Outcomes || cut.Versions[0].Requests != whole.Versions[0].Requests || cut.Versions[1].Requests != whole.Versions[1].Requests {
				t.Fatalf("in pieces of %d: %v, at once: %v", piece, cut.Outcomes, whole.Outcomes)
			}
		}
		var all uint64
		for _, n := range whole.Outcomes {
			all += n
		}
		if all != 2 {
			t.Fatalf("2 requests have %d outcomes: %v", all, whole.Outcomes)
		}
	})
}
