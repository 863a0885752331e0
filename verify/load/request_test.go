package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestBuildRequest(t *testing.T) {
	for _, row := range []struct {
		name string
		o    RequestOptions
		want string
		errs []string // of which each must be said
	}{
		{name: "the plainest", o: RequestOptions{Host: "a.example"}, want: "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"},
		{name: "headers in order, values trimmed, one empty", o: RequestOptions{Host: "a", Path: "/x?q=1", Header: []string{"B:  2 ", "A: 1", "E;"}},
			want: "GET /x?q=1 HTTP/1.1\r\nHost: a\r\nB: 2\r\nA: 1\r\nE: \r\n\r\n"},
		{name: "a Host header wins, as with curl", o: RequestOptions{Host: "a", Header: []string{"host: b:8080"}}, want: "GET / HTTP/1.1\r\nHost: b:8080\r\n\r\n"},
		{name: "a body makes it POST", o: RequestOptions{Host: "a", Body: []byte("hi")}, want: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"},
		{name: "PUT without one says so", o: RequestOptions{Method: "PUT", Host: "a"}, want: "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
		{name: "a list may come in two lines", o: RequestOptions{Host: "a", Header: []string{"Accept: x", "Accept: y"}}, want: "GET / HTTP/1.1\r\nHost: a\r\nAccept: x\r\nAccept: y\r\n\r\n"},

		{name: "a smuggled header", o: RequestOptions{Host: "a", Header: []string{"X: 1\r\nEvil: 2"}}, errs: []string{"the value of header X holds a line break"}},
		{name: "a smuggled request", o: RequestOptions{Host: "a", Path: "/ HTTP/1.1\r\nHost: b\r\n\r\nGET /"}, errs: []string{"path "}},
		{name: "a host with a line break", o: RequestOptions{Host: "a\r\nX: 1"}, errs: []string{"host "}},
		{name: "no host", errs: []string{`host ""`}},
		{name: "all faults at once", o: RequestOptions{Method: "G T", Host: "a", Path: "x", Header: []string{"TE: trailers", "no colon at all", "sp ace: 1"}},
			errs: []string{`method "G T"`, `path "x"`, "header TE cannot be set", "a header line has no colon", "before the colon of a header line"}},
		{name: "each header that would break the counting", o: RequestOptions{Host: "a", Header: []string{"Accept-Encoding: gzip", "EXPECT: 100-continue",
			"Upgrade: h2c", "Connection: close", "transfer-encoding: chunked", "Content-Length: 3"}},
			errs: []string{"Accept-Encoding", "EXPECT", "Upgrade", "Connection", "transfer-encoding", "Content-Length"}},
		{name: "twice what may come once", o: RequestOptions{Host: "a", Header: []string{"Host: b", "host: c"}}, errs: []string{"header host is given twice"}},
		{name: "a tunnel", o: RequestOptions{Method: "CONNECT", Host: "a"}, errs: []string{"CONNECT"}},
	} {
		got, err := BuildRequest(row.o)
		if len(row.errs) == 0 {
			if err != nil || string(got) != row.want {
				t.Errorf("%s:\n got %q, %v\nwant %q", row.name, got, err, row.want)
			}
			continue
		}
		for _, want := range row.errs {
			if err == nil || !strings.Contains(err.Error(), want) || fault.ExitCode(err) != fault.Usage {
				t.Errorf("%s: error %v, want a usage error with %q", row.name, err, want)
			}
		}
	}
	_, err := BuildRequest(RequestOptions{Host: "a", Header: []string{"Authorization Bearer hunter2"}})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a header that cannot be read is shown, though it may be a secret: %v", err)
	}
}

// FuzzBuildRequest: whatever is asked for, the standard library's server sees exactly one request, with the body given.
func FuzzBuildRequest(f *testing.F) {
	f.Add("GET", "/", "a.example", "X: 1", []byte(nil))
	f.Add("POST", "/x?y=%20", "a:80", "Content-Type: text/plain", []byte("body\r\n\r\nGET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, method, path, host, header string, body []byte) {
		octets, err := BuildRequest(RequestOptions{Method: method, Path: path, Host: host, Header: []string{header}, Body: body})
		if err != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(octets))
		got, err := http.ReadRequest(r)
		if err != nil {
			return // stricter than HTTP about hosts and paths; refused is not smuggled
		}
		content, err := io.ReadAll(got.Body)
		if rest, _ := io.ReadAll(r); err != nil || len(rest) > 0 || !bytes.Equal(content, body) {
			t.Errorf("%q: body %q, want %q; %q behind it; %v", octets, content, body, rest, err)
		}
	})
}
