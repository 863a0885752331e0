package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2real is Go's own HTTP/2 server, counting what it answered.
type h2real struct {
	*httptest.Server
	requests, v1, v2 atomic.Int64
}

func serveH2(t testing.TB, secure bool, handle func(s *h2real, w http.ResponseWriter, r *http.Request, n int64)) *h2real {
	s := &h2real{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("the request came by %s", r.Proto)
		}
		handle(s, w, r, s.requests.Add(1))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that must fail
	s.Config.Protocols = new(http.Protocols)
	if secure {
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// third answers every third request as v2.
func third(s *h2real, w http.ResponseWriter, _ *http.Request, n int64) {
	version := "v1"
	if n%3 == 0 {
		version = "v2"
		s.v2.Add(1)
	} else {
		s.v1.Add(1)
	}
	w.Header().Set("x-app-version", version)
	_, _ = io.WriteString(w, "hello")
}

// plan is one for this server.
func (s *h2real) plan(streams int, requests uint64) *Plan {
	p := &Plan{Addresses: []string{s.Listener.Addr().String()}, Connections: 4, Streams: streams, MaxRequests: requests}
	if s.TLS != nil {
		pool := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		p.TLS = &tls.Config{RootCAs: pool, ServerName: "example.com", NextProtos: []string{"h2"}}
	}
	return p
}

// h2peer is one connection of a server that does as it is told, frame by frame.
type h2peer struct {
	*xhttp2.Framer
	net.Conn
	block  bytes.Buffer
	header *hpack.Encoder
	n      int // requests on this connection
}

func newH2Peer(conn net.Conn) *h2peer {
	p := &h2peer{Framer: xhttp2.NewFramer(conn, conn), Conn: conn}
	p.header = hpack.NewEncoder(&p.block)
	p.header.SetMaxDynamicTableSize(0)
	p.AllowIllegalWrites = true
	return p
}

// serveFrames calls play for every request's stream, after settings have been exchanged. False ends the connection.
func serveFrames(t testing.TB, settings []xhttp2.Setting, play func(p *h2peer, stream uint32) bool) *server {
	t.Helper()
	return serve(t, func(raw *peer) {
		p := newH2Peer(raw.Conn)
		preface := make([]byte, len(xhttp2.ClientPreface))
		if _, err := io.ReadFull(raw.Conn, preface); err != nil || string(preface) != xhttp2.ClientPreface {
			t.Errorf("preface %q, %v", preface, err)
			return
		}
		_ = p.WriteSettings(settings...)
		for {
			f, err := p.ReadFrame()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
					var broken xhttp2.ConnectionError
					if errors.As(err, &broken) {
						t.Errorf("our frames: %v", err)
					}
				}
				return
			}
			switch f := f.(type) {
			case *xhttp2.SettingsFrame:
				if !f.IsAck() {
					_ = p.WriteSettingsAck()
				}
			case *xhttp2.HeadersFrame:
				p.n++
				raw.s.requests.Add(1)
				if !play(p, f.StreamID) {
					return
				}
			}
		}
	})
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
func (p *h2peer) answered(stream uint32, version string) {
	p.head(stream, false, ":status", "200", "x-app-version", version, "content-length", strconv.Itoa(2))
	_ = p.WriteData(stream, true, []byte("ok"))
}
