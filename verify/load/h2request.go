package load

import (
	"slices"
	"strings"
)

// h2Request is the plan's request in the form of HTTP/2: a header block, encoded once, and the body.
type h2Request struct {
	// first begins with the word that our table has size 0, which a connection's first block must say if the far side has
	// lowered the limit; there it is always said (RFC 7541, 4.2).
	first, block []byte
	body         []byte
}

// Indexes of the static table, RFC 7541, Appendix A.
const (
	hpackAuthority = 1
	hpackMethodGET = 2
	hpackPathSlash = 4
	hpackHTTP      = 6
	hpackHTTPS     = 7
)

// newH2Request translates the octets of a request that [BuildRequest] made. Fields that belong to one connection have no
// place in HTTP/2 (RFC 9113, 8.2.2). Literals are not to be remembered: the far side keeps no state for us either.
func newH2Request(p *Plan) h2Request {
	end := headEnd(p.Request)
	lines := strings.Split(string(p.Request[:end-4]), "\r\n")
	method, path, _ := strings.Cut(lines[0], " ")
	path, _, _ = strings.Cut(path, " ")
	b := []byte{0x20}
	if method == "GET" {
		b = append(b, 0x80|hpackMethodGET)
	} else {
		b = appendText(appendInt(b, 4, 0, hpackMethodGET), method)
	}
	b = append(b, 0x80|hpackHTTP)
	if p.TLS != nil {
		b[len(b)-1] = 0x80 | hpackHTTPS
	}
	if path == "/" {
		b = append(b, 0x80|hpackPathSlash)
	} else {
		b = appendText(appendInt(b, 4, 0, hpackPathSlash), path)
	}
	ofConnection := []string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}
	var fields []byte
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch {
		case name == "host":
			b = appendText(appendInt(b, 4, 0, hpackAuthority), value)
		case !slices.Contains(ofConnection, name):
			fields = appendText(appendText(append(fields, 0), name), value)
		}
	}
	b = append(b, fields...)
	return h2Request{first: b, block: b[1:], body: p.Request[end:]}
}

// appendTo writes the frames of the head of a request. Blocks that are longer than one frame go on in CONTINUATION frames.
func (q *h2Request) appendTo(out []byte, id uint32, first bool, frame int) []byte {
	block := q.block
	if first {
		block = q.first
	}
	kind, flags := byte(frameHeaders), byte(0)
	if len(q.body) == 0 {
		flags = flagEndStream
	}
	for {
		n := min(len(block), frame)
		if n == len(block) {
			flags |= flagEndHeaders
		}
		out = append(appendFrame(out, n, kind, flags, id), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return out
		}
		kind, flags = frameContinuation, 0
	}
}
