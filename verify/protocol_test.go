package verify

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
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
