package verify

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/report"
)

// HTTPAuto is what the far side chooses; each protocol by itself is what was asked for.
func TestProtocols(t *testing.T) {
	for _, row := range []struct {
		name         string
		server       bool // speaks HTTP/2
		ask          Protocol
		want, engine string
	}{
		{"auto, both", true, HTTPAuto, "HTTP/2", "h2"},
		{"auto, the far side is old", false, HTTPAuto, "HTTP/1.1", "portable"},
		{"1.1, both", true, HTTP11, "HTTP/1.1", "portable"},
		{"2, both", true, HTTP2, "HTTP/2", "h2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Proto != row.want && r.Proto != row.want+".0" {
					t.Errorf("the request came by %s, want %s", r.Proto, row.want)
				}
				w.Header().Set("x-app-version", "v1")
			}))
			s.EnableHTTP2 = row.server
			s.StartTLS()
			defer s.Close()
			pool := x509.NewCertPool()
			pool.AddCert(s.Certificate())
			r, err := Run(t.Context(), Config{URL: s.URL, Host: "example.com", TLS: &tls.Config{RootCAs: pool}, LoadOnly: true,
				HTTP: row.ask, MaxRequests: 50, Rate: Unpaced, DialTimeout: 30 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if r.Load.Protocol != row.want || r.Load.Engine != row.engine || r.Outcomes["answered"] != 50 {
				t.Errorf("protocol %s, engine %s, outcomes %v; want %s, %s, 50 answered", r.Load.Protocol, r.Load.Engine, r.Outcomes, row.want, row.engine)
			}
		})
	}
}

// The question of HTTPAuto is part of the load: it comes once that was announced, and begins as the load's connections do.
func TestAskingForTheProtocol(t *testing.T) {
	for _, version := range []int{0, 1} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("x-app-version", "v1") }))
		s.EnableHTTP2 = true
		var announced atomic.Bool
		s.Listener = &proxied{Listener: s.Listener, header: version > 0, accepted: func() {
			if !announced.Load() {
				t.Error("a connection came before the announcement")
			}
		}}
		s.StartTLS()
		defer s.Close()
		r, err := Run(t.Context(), Config{URL: s.URL, TLS: &tls.Config{InsecureSkipVerify: true}, LoadOnly: true, HTTP: HTTPAuto, ProxyProtocol: version,
			MaxRequests: 20, Rate: Unpaced, Announce: func(report.Load, Plan) { announced.Store(true) }})
		if err != nil {
			t.Fatalf("proxy protocol %d: %v", version, err)
		}
		if r.Load.Protocol != "HTTP/2" || r.Outcomes["answered"] != 20 {
			t.Errorf("proxy protocol %d: %s, %v; want HTTP/2, 20 answered", version, r.Load.Protocol, r.Outcomes)
		}
	}
}

// proxied is a listener behind a load balancer: each connection begins with the proxy protocol's line.
type proxied struct {
	net.Listener
	header   bool
	accepted func()
}

func (p *proxied) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	p.accepted()
	if p.header {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		var line []byte
		for one := make([]byte, 1); len(line) < 107 && !bytes.HasSuffix(line, []byte("\r\n")); line = append(line, one...) {
			if _, err := c.Read(one); err != nil {
				break
			}
		}
		_ = c.SetReadDeadline(time.Time{})
		if !bytes.HasPrefix(line, []byte("PROXY TCP4 ")) {
			c.Close() // the next read ends the connection
		}
	}
	return c, nil
}
