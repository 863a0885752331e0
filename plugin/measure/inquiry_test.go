package measure

import (
	"net/url"
	"testing"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/verify"
)

// The decision is asked about the request that will be sent.
func TestInquiryProbe(t *testing.T) {
	for _, tt := range []struct {
		why           string
		q             inquiry
		at            string
		url           string
		method, x, ua string
	}{
		{"the address itself where any host will do", inquiry{scheme: "http", port: 8080}, "http://10.0.0.1:30080", "http://10.0.0.1:30080/", "", "", "mesh-split/"},
		{"host, path and query", inquiry{scheme: "http", port: 8080, config: verify.Config{Host: "shop.example.com"}, path: "/a?b=c"}, "http://10.0.0.1:30080/z", "http://shop.example.com/a?b=c", "", "", "mesh-split/"},
		{"two slashes begin a path, no host", inquiry{scheme: "http", port: 8080, config: verify.Config{Host: "h"}, path: "//other/a"}, "http://10.0.0.1:30080/z", "http://h//other/a", "", "", "mesh-split/"},
		{"a Host header is the host; others in any case", inquiry{scheme: "http", port: 8080, config: verify.Config{Method: "post", Header: []string{"host: a.example.com", "X: 1", "User-Agent: curl"}}}, "http://10.0.0.1",
			"http://a.example.com/", "POST", "1", "curl"},
		{"each request its own header and query", inquiry{scheme: "http", port: 8080, config: verify.Config{Host: "h", Vary: []string{"header:X=u-{n}", "query:q={n}"}}}, "http://10.0.0.1", "http://h/?q=1", "", "u-1", "mesh-split/"},
	} {
		at, err := url.Parse(tt.at)
		if err != nil {
			t.Fatal(err)
		}
		p := tt.q.probe(at)
		x, ua := "", ""
		if v := p.Headers["X"]; len(v) > 0 {
			x = v[0]
		}
		if v := p.Headers["User-Agent"]; len(v) > 0 {
			ua = v[len(v)-1]
		}
		if p.String() != tt.url || p.Method != tt.method || x != tt.x || len(ua) < len(tt.ua) || ua[:len(tt.ua)] != tt.ua || p.Port != 8080 {
			t.Errorf("%s: %+v", tt.why, p)
		}
	}
}

// Which addresses are the gateways' own.
func TestLeads(t *testing.T) {
	own := mesh.Address{URL: "http://10.0.0.1:30080", Addresses: []string{"10.0.0.1:30080", "10.0.0.2:30080"}}
	for to, want := range map[string]bool{
		"http://10.0.0.1:30080/x": true, "http://10.0.0.2:30080": true, "http://10.0.0.3:30080": false, "http://10.0.0.1:80": false, "http://10.0.0.1": false, "http://shop.example.com": false,
	} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if leads(own, u) != want {
			t.Errorf("%s: %v, want %v", to, !want, want)
		}
	}
	u, _ := url.Parse("http://10.0.0.1")
	if !leads(mesh.Address{URL: "http://10.0.0.1:80"}, u) {
		t.Error("port 80 is http's own")
	}
}
