package load

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
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
