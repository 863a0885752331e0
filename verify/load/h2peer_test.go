package load

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2peer is one connection of a server that does as it is told, frame by frame. It is strict with us: whatever we send must be
// a frame we may send, and fit into the windows it has opened.
type h2peer struct {
	*xhttp2.Framer
	net.Conn
	t      testing.TB
	s      *server
	block  bytes.Buffer
	header *hpack.Encoder
	n      int // requests on this connection

	window, initial int64             // octets of content that we may still send on the connection, and at first on a stream
	windows         map[uint32]int64  // and on each stream
	promised        []int64           // initial windows that are announced and not acknowledged yet
	got             map[uint32][]byte // content by stream
	ended           map[uint32]bool
	resets          map[uint32]xhttp2.ErrCode // streams that we gave up
	pong            [8]byte
}

func newH2Peer(conn net.Conn) *h2peer {
	p := &h2peer{Framer: xhttp2.NewFramer(conn, conn), Conn: conn, window: firstWindow, initial: firstWindow, windows: map[uint32]int64{},
		got: map[uint32][]byte{}, ended: map[uint32]bool{}, resets: map[uint32]xhttp2.ErrCode{}}
	p.header = hpack.NewEncoder(&p.block)
	p.header.SetMaxDynamicTableSize(0)
	p.AllowIllegalWrites = true
	return p
}

// serveScript plays a script on every connection, behind the preface and the server's settings; the config is a client's.
func serveScript(t testing.TB, secure bool, settings []xhttp2.Setting, script func(p *h2peer)) (*server, *tls.Config) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var config *tls.Config
	if secure {
		a := newAuthority(t)
		cert := a.issue(t, &x509.Certificate{DNSNames: []string{"demo.example"}})
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
		config = &tls.Config{RootCAs: a.pool, ServerName: "demo.example", NextProtos: []string{"h2"}}
	}
	return serveOn(t, l, func(raw *peer) {
		preface := make([]byte, len(xhttp2.ClientPreface))
		if _, err := io.ReadFull(raw.Conn, preface); err != nil {
			return // no handshake
		}
		if string(preface) != xhttp2.ClientPreface {
			t.Errorf("the preface is %q", preface)
			return
		}
		p := newH2Peer(raw.Conn)
		p.t, p.s = t, raw.s
		p.set(settings...)
		script(p)
	}), config
}

// serveFrames calls play for every request's stream, over plain TCP. False ends the connection.
func serveFrames(t testing.TB, settings []xhttp2.Setting, play func(p *h2peer, stream uint32) bool) *server {
	t.Helper()
	s, _ := serveScript(t, false, settings, func(p *h2peer) {
		for stream, ok := p.next(); ok && play(p, stream); stream, ok = p.next() {
		}
	})
	return s
}

// set announces settings; a changed first window counts once we have acknowledged it.
func (p *h2peer) set(settings ...xhttp2.Setting) {
	to := p.initial
	if n := len(p.promised); n > 0 {
		to = p.promised[n-1]
	}
	for _, s := range settings {
		if s.ID == xhttp2.SettingInitialWindowSize {
			to = int64(s.Val)
		}
	}
	p.promised = append(p.promised, to)
	_ = p.WriteSettings(settings...)
}

// open widens a window, of a stream or of the connection.
func (p *h2peer) open(stream uint32, octets int64) {
	if stream == 0 {
		p.window += octets
	} else {
		p.windows[stream] += octets
	}
	_ = p.WriteWindowUpdate(stream, uint32(octets))
}

// next reads up to the next request; false at the end of the connection.
func (p *h2peer) next() (stream uint32, ok bool) {
	for {
		f, ok := p.frame()
		if !ok {
			return 0, false
		}
		if f.Header().Type == xhttp2.FrameHeaders {
			return f.Header().StreamID, true
		}
	}
}

// frame reads one frame and keeps the books.
func (p *h2peer) frame() (xhttp2.Frame, bool) {
	f, err := p.ReadFrame()
	if err != nil {
		var broken xhttp2.ConnectionError
		if errors.As(err, &broken) {
			p.t.Errorf("our frames: %v", err)
		}
		return nil, false
	}
	id := f.Header().StreamID
	switch f := f.(type) {
	case *xhttp2.SettingsFrame:
		if !f.IsAck() {
			_ = p.WriteSettingsAck()
			break
		}
		for stream := range p.windows {
			p.windows[stream] += p.promised[0] - p.initial
		}
		p.initial, p.promised = p.promised[0], p.promised[1:]
	case *xhttp2.HeadersFrame:
		if !f.HeadersEnded() {
			p.t.Error("our request's head takes more than one frame")
		}
		p.n++
		p.s.requests.Add(1)
		p.windows[id], p.ended[id] = p.initial, f.StreamEnded()
	case *xhttp2.DataFrame:
		n := int64(f.Header().Length)
		p.window -= n
		p.windows[id] -= n
		p.got[id] = append(p.got[id], f.Data()...)
		if p.ended[id] || p.window < 0 || p.windows[id] < 0 && n > 0 {
			p.t.Errorf("stream %d: ended %t, windows %d and %d after %d octets of content", id, p.ended[id], p.window, p.windows[id], n)
		}
		p.ended[id] = f.StreamEnded()
	case *xhttp2.RSTStreamFrame:
		p.resets[id] = f.ErrCode
	case *xhttp2.PingFrame:
		p.pong = f.Data
	}
	return f, true
}

// head sends a header block in one frame.
func (p *h2peer) head(stream uint32, ends bool, fields ...string) {
	_ = p.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: stream, BlockFragment: p.encode(fields...), EndStream: ends, EndHeaders: true})
}

func (p *h2peer) encode(fields ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = p.header.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return p.block.Bytes()
}

// answered sends a whole good reply.
func (p *h2peer) answered(stream uint32, version string) bool {
	p.head(stream, false, ":status", "200", "x-app-version", version, "content-length", strconv.Itoa(2))
	return p.WriteData(stream, true, []byte("ok")) == nil
}

// tcp is the connection below TLS, if there is any.
func (p *h2peer) tcp() *net.TCPConn {
	if secure, ok := p.Conn.(*tls.Conn); ok {
		return secure.NetConn().(*net.TCPConn)
	}
	return p.Conn.(*net.TCPConn)
}
