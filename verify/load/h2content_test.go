package load

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// post is a request with so much content, no two stretches of it alike.
func post(t testing.TB, octets int) (request, content []byte) {
	t.Helper()
	content = make([]byte, octets)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content)
	request, err := BuildRequest(RequestOptions{Host: "test.example", Body: content})
	if err != nil {
		t.Fatal(err)
	}
	return request, content
}

// Content never exceeds the far side's windows, whatever it does with them, and arrives as it was.
func TestH2ContentInWindows(t *testing.T) {
	const size = 200_000
	for name, row := range map[string]struct {
		settings []xhttp2.Setting
		widen    func(p *h2peer, random *rand.Rand, stream uint32)
	}{
		"a few octets at a time": {
			settings: []xhttp2.Setting{{ID: xhttp2.SettingInitialWindowSize, Val: 10}},
			widen: func(p *h2peer, random *rand.Rand, stream uint32) {
				p.open(stream, random.Int64N(5000)+1)
				p.open(0, random.Int64N(5000)+1)
			},
		},
		"none at first": {
			settings: []xhttp2.Setting{{ID: xhttp2.SettingInitialWindowSize, Val: 0}},
			widen:    func(p *h2peer, _ *rand.Rand, stream uint32) { p.open(0, size); p.open(stream, size) },
		},
		"large frames": {
			settings: []xhttp2.Setting{{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 20}, {ID: xhttp2.SettingMaxFrameSize, Val: 1 << 20}},
			widen:    func(p *h2peer, _ *rand.Rand, _ uint32) { p.open(0, size) },
		},
		// RFC 9113, 6.9.2: a smaller first window moves open streams below 0, and nothing is sent until they are above.
		"a first window that moves": {
			widen: func(p *h2peer, random *rand.Rand, stream uint32) {
				p.set(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: random.Uint32N(100_000)})
				p.open(0, random.Int64N(30_000)+1)
				p.open(stream, random.Int64N(10_000)+1)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			request, content := post(t, size)
			bothWays(t, func(t *testing.T, secure bool) {
				s, config := serveScript(t, secure, row.settings, func(p *h2peer) {
					random := rand.New(rand.NewPCG(1, 1))
					for open := map[uint32]bool{}; ; {
						f, ok := p.frame()
						if !ok {
							return
						}
						stream := f.Header().StreamID
						switch {
						case f.Header().Type == xhttp2.FrameHeaders:
							open[stream] = true
						case stream != 0 && p.ended[stream]:
							if !bytes.Equal(p.got[stream], content) {
								t.Errorf("stream %d: %d octets came, and not those that were to be sent", stream, len(p.got[stream]))
							}
							delete(open, stream)
							p.answered(stream, "v1")
							continue
						}
						for stream := range open {
							row.widen(p, random, stream)
						}
					}
				})
				_, snap, err := runPlan(t, HTTP2(), &Plan{Request: request, Addresses: []string{s.address()}, TLS: config, Connections: 2, Streams: 3, MaxRequests: 12})
				if err != nil {
					t.Fatal(err)
				}
				only(t, &snap, map[Outcome]uint64{Answered: 12})
			})
		})
	}
}

// A stream whose window never opens times out by itself; what is in the same connection goes on.
func TestH2StuckContent(t *testing.T) {
	request, _ := post(t, 70_000)
	s, _ := serveScript(t, false, nil, func(p *h2peer) {
		p.open(0, 1<<30)
		for {
			f, ok := p.frame()
			if !ok {
				return
			}
			stream := f.Header().StreamID
			switch {
			case stream == 0 || stream == 1:
			case p.ended[stream]:
				p.answered(stream, "v1")
			case f.Header().Type == xhttp2.FrameHeaders:
				p.open(stream, 10_000)
			}
		}
	})
	_, snap, err := runPlan(t, HTTP2(), &Plan{Request: request, Addresses: []string{s.address()}, Connections: 1, Streams: 2, MaxRequests: 40, ReplyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 39, Timeout: 1})
	if snap.Connections.Opened != 1 {
		t.Errorf("%d connections, want 1", snap.Connections.Opened)
	}
}

// A far side that replies and then reads nothing for a while: the reply counts when it comes, not when its reading goes on.
func TestH2EarlyReplyUnread(t *testing.T) {
	request, _ := post(t, 32<<20)
	bothWays(t, func(t *testing.T, secure bool) {
		s, config := serveScript(t, secure, []xhttp2.Setting{{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 30}}, func(p *h2peer) {
			p.open(0, 1<<30)
			for stream, ok := p.next(); ok; stream, ok = p.next() {
				p.head(stream, true, ":status", "413", "x-app-version", "v1")
				time.Sleep(300 * time.Millisecond)
			}
		})
		_, snap, err := runPlan(t, HTTP2(), &Plan{Request: request, Addresses: []string{s.address()}, TLS: config, Connections: 1, MaxRequests: 2})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 2})
		if least := snap.Versions[0].Service.Quantile(0.1); least > 200*time.Millisecond {
			t.Errorf("the first reply took %v; it came at once", least)
		}
		if s.requests.Load() != 2 || snap.Connections.Opened != 1 {
			t.Errorf("the server saw %d requests on %d connections, want 2 on 1", s.requests.Load(), snap.Connections.Opened)
		}
	})
}

// A slow reader gets the whole content, in however many writes.
func TestH2ShortWrites(t *testing.T) {
	request, content := post(t, 256<<10)
	bothWays(t, func(t *testing.T, secure bool) {
		s, config := serveScript(t, secure, []xhttp2.Setting{{ID: xhttp2.SettingInitialWindowSize, Val: 1 << 30}}, func(p *h2peer) {
			_ = p.tcp().SetReadBuffer(64 << 10)
			p.open(0, 1<<30)
			for {
				time.Sleep(time.Millisecond)
				f, ok := p.frame()
				if !ok {
					return
				}
				if stream := f.Header().StreamID; stream != 0 && p.ended[stream] {
					if !bytes.Equal(p.got[stream], content) {
						t.Errorf("%d octets came, and not those that were to be sent", len(p.got[stream]))
					}
					p.answered(stream, "v1")
				}
			}
		})
		_, snap, err := runPlan(t, HTTP2(), &Plan{Request: request, Addresses: []string{s.address()}, TLS: config, Connections: 2, Streams: 2, MaxRequests: 6})
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 6})
		if snap.Connections.Opened != 2 {
			t.Errorf("%d connections, want 2", snap.Connections.Opened)
		}
	})
}

// The windows that we open are given back in time, so that a reply of any length flows: 3 GiB here, over two streams.
func TestH2OurWindows(t *testing.T) {
	c, heard := h2scripted(t, 2)
	windows := map[uint32]int64{0: ourWindow, 1: ourWindow, 3: ourWindow}
	head := []byte{0, 0, 1, frameHeaders, flagEndHeaders, 0, 0, 0, 1, 0x88}
	for _, stream := range []byte{1, 3} {
		head[8] = stream
		feedH2(t, c, head)
	}
	frame := append(appendFrame(nil, defaultFrame, frameData, 0, 1), make([]byte, defaultFrame)...)
	for i := range 3 << 30 / defaultFrame {
		frame[8] = byte(i&1)*2 + 1
		feedH2(t, c, frame)
		windows[0] -= defaultFrame
		windows[uint32(frame[8])] -= defaultFrame
		for b := heard.take(); len(b) > 0; {
			if size := int(b[2]); b[3] == frameWindow && size == 4 {
				windows[binary.BigEndian.Uint32(b[5:])] += int64(binary.BigEndian.Uint32(b[9:]))
			}
			b = b[frameHead+int(b[2]):]
		}
		for id, left := range windows {
			if left < defaultFrame || left > maxWindow {
				t.Fatalf("after %d frames the window of stream %d is %d", i, id, left)
			}
		}
	}
}

// ears keep what was written to them.
type ears struct {
	deaf
	octets []byte
}

func (e *ears) Write(b []byte) (int, error) { e.octets = append(e.octets, b...); return len(b), nil }

func (e *ears) take() []byte { b := e.octets; e.octets = nil; return b }

// h2scripted is a connection with so many requests begun, for tests that hand the octets in themselves.
func h2scripted(t testing.TB, streams int) (*h2conn, *ears) {
	p := &Plan{Request: get(t), Addresses: []string{"127.0.0.1:1"}, Connections: 1, Streams: streams, MaxRequests: uint64(streams)}
	r := NewRecorder([]string{"v1", "v2"}, p)
	x, err := newRun(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	c := newH2Conn(x, 0, newH2Wanted(&x.plan), func() {})
	e := &ears{}
	c.begins(e)
	c.settled = true
	x.turns.open()
	c.start()
	c.flush()
	e.take()
	return c, e
}

func feedH2(t testing.TB, c *h2conn, octets []byte) {
	t.Helper()
	for len(octets) > 0 { // as reads would bring them
		n := copy(c.in[c.have:], octets)
		c.have, octets = c.have+n, octets[n:]
		if fault := c.take(); fault != nil {
			t.Fatal(fault.why)
		}
	}
	c.flush()
}
