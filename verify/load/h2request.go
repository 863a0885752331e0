package load

import (
	"bytes"
	"slices"
)

// h2Request is a request in the form of HTTP/2: a header block, encoded once, and the content.
type h2Request struct {
	// first begins with the word that our table has size 0, which a connection's first block must say if the far side has
	// lowered the limit; there it is always said (RFC 7541, 4.2). block is the rest of it.
	first, block []byte
	body         []byte

	slots, bodySlots []Slot // of block and body
}

// Indexes of the static table, RFC 7541, Appendix A.
const (
	hpackAuthority = 1
	hpackMethodGET = 2
	hpackPathSlash = 4
	hpackHTTP      = 6
	hpackHTTPS     = 7
)

// ofConnection are fields that have no place in HTTP/2: RFC 9113, 8.2.2.
var ofConnection = []string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"}

// newH2Request translates the octets of a request that [BuildRequest] made. Literals are not to be remembered, for we
// promise no state, and not Huffman coded, so that slots keep their places.
func newH2Request(m *message, secure bool) *h2Request {
	q := &h2Request{body: m.octets[headEnd(m.octets):]}
	var b, fields []byte
	var inFields []Slot
	// text appends octets from..to of the message to a block, with the slots in them.
	text := func(block []byte, slots []Slot, from, to int) ([]byte, []Slot) {
		block = appendInt(block, 7, 0, to-from)
		for _, s := range m.slots {
			if s.At >= from && s.At < to {
				slots = append(slots, Slot{At: len(block) + s.At - from, Kind: s.Kind})
			}
		}
		return append(block, m.octets[from:to]...), slots
	}
	at := 0
	for i, line := range bytes.Split(m.octets[:headEnd(m.octets)-4], []byte("\r\n")) {
		from, to := at, at+len(line)
		at = to + len("\r\n")
		if i == 0 {
			space := bytes.IndexByte(line, ' ')
			path, end := from+space+1, from+bytes.LastIndexByte(line, ' ')
			if string(line[:space]) == "GET" {
				b = append(b, 0x80|hpackMethodGET)
			} else {
				b = appendText(appendInt(b, 4, 0, hpackMethodGET), string(line[:space]))
			}
			b = append(b, 0x80|map[bool]byte{false: hpackHTTP, true: hpackHTTPS}[secure])
			if string(m.octets[path:end]) == "/" {
				b = append(b, 0x80|hpackPathSlash)
			} else {
				b, q.slots = text(appendInt(b, 4, 0, hpackPathSlash), q.slots, path, end)
			}
			continue
		}
		colon := bytes.IndexByte(line, ':')
		name := bytes.ToLower(line[:colon])
		value := trimSpace(line[colon+1:])
		from = to - len(value)
		switch {
		case string(name) == "host":
			b, q.slots = text(appendInt(b, 4, 0, hpackAuthority), q.slots, from, to)
		case !slices.Contains(ofConnection, string(name)):
			fields, inFields = text(appendText(append(fields, 0), string(name)), inFields, from, to)
		}
	}
	for _, s := range inFields {
		q.slots = append(q.slots, Slot{At: len(b) + s.At, Kind: s.Kind})
	}
	for _, s := range m.slots {
		if body := headEnd(m.octets); s.At >= body {
			q.bodySlots = append(q.bodySlots, Slot{At: s.At - body, Kind: s.Kind})
		}
	}
	q.first = slices.Concat([]byte{0x20}, b, fields)
	q.block = q.first[1:]
	return q
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
