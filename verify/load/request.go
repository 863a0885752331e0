package load

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// RequestOptions shape the request as curl users expect. Nothing is added that was not asked for, but Host, and
// Content-Length where there is a body.
type RequestOptions struct {
	Method string   // empty: GET, or POST with a body
	Path   string   // path and query; empty: /
	Host   string   // of the Host header, with the port if it is not the default; a Host line in Header wins
	Header []string // "Name: value", in order; "Name;" sends an empty value
	Body   []byte   // nil: none; empty but not nil: Content-Length 0
	GRPC   bool     // a gRPC call, whose trailers are read: say so
}

// forbidden are the headers whose effects would break the counting, each with the reason.
var forbidden = map[string]string{
	"accept-encoding":   "a compressed reply hides its version, and costs the far side",
	"te":                "trailers are read and dropped",
	"expect":            "an interim reply would be awaited before the body",
	"upgrade":           "the connection would stop being HTTP",
	"connection":        "--conn-requests says when connections end",
	"transfer-encoding": "the body is sent with its length",
	"content-length":    "it is counted from the body",
	"proxy-connection":  "--conn-requests says when connections end",
	"keep-alive":        "--conn-requests says when connections end",
}

// once are the headers that a receiver must not see twice.
var once = map[string]bool{"host": true, "content-type": true, "authorization": true, "user-agent": true, "x-mesh-split-run": true, "traceparent": true}

// BuildRequest gives the fixed octets of an HTTP/1.1 request. All faults are said at once, each a usage error.
func BuildRequest(o RequestOptions) ([]byte, error) {
	var faults []error
	bad := func(hint, format string, args ...any) { faults = append(faults, fault.Usagef(hint, format, args...)) }
	if o.Method == "" {
		o.Method = "GET"
		if o.Body != nil {
			o.Method = "POST"
		}
	}
	switch {
	case !isTokenText(o.Method):
		bad("write it as -X POST", "method %q is not an HTTP token", o.Method)
	case o.Method == "CONNECT":
		bad("", "method CONNECT asks for a tunnel, not for a reply")
	}
	if o.Path == "" {
		o.Path = "/"
	}
	if (o.Path[0] != '/' && o.Path != "*") || !isVisible(o.Path) {
		bad("write an absolute path, percent-encoded", "path %q does not begin with / or holds a space or a control or non-ASCII character", o.Path)
	}
	fields, host := headerFields(o.Header, bad)
	if host == "" {
		host = o.Host
	}
	if host == "" || !isVisible(host) || strings.ContainsAny(host, "/?#@,") {
		bad("write it as --host demo.example.com", "host %q is not a host name", host)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	b := append([]byte(o.Method), ' ')
	b = append(b, o.Path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)
	for _, f := range fields {
		b = append(b, f...)
		b = append(b, "\r\n"...)
	}
	if o.GRPC {
		b = append(b, "Content-Type: application/grpc\r\nTE: trailers\r\n"...)
	}
	// RFC 9110, 8.6: a method that usually has content says so even when there is none.
	if o.Body != nil || o.Method == "POST" || o.Method == "PUT" || o.Method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(o.Body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, o.Body...), nil
}

// headerFields checks the header lines and gives them in wire form, Host apart.
func headerFields(lines []string, bad func(hint, format string, args ...any)) (fields []string, host string) {
	const hint = "write it as -H 'Name: value'"
	seen := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			if name, ok = strings.CutSuffix(line, ";"); !ok {
				bad(hint, "a header line has no colon") // not shown: it may be a secret
				continue
			}
		}
		value = strings.Trim(value, " \t")
		lower := strings.ToLower(name)
		switch {
		case !isTokenText(name):
			bad(hint, "what stands before the colon of a header line is not a name") // not shown: it may be a secret that holds a colon
		// A line break in a value would smuggle further headers, or a second request that nobody counts.
		case strings.ContainsAny(value, "\r\n\x00"):
			bad(hint, "the value of header %s holds a line break or a NUL", name)
		case forbidden[lower] != "":
			bad("leave it out: "+forbidden[lower], "header %s cannot be set", name)
		case once[lower] && seen[lower]:
			bad("give it once", "header %s is given twice", name)
		case lower == "host":
			host = value
		default:
			fields = append(fields, name+": "+value)
		}
		seen[lower] = true
	}
	return fields, host
}

func isTokenText(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tchar[s[i]] {
			return false
		}
	}
	return s != ""
}

func isVisible(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
