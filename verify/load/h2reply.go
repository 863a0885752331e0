package load

import "bytes"

// wanted are the fields of a reply that matter, as bits.
type wanted uint16

const (
	wantLabel wanted = 1 << iota
	wantServer
	wantLength
	wantGRPC
	wantUpstream
	wantEncoding
	wantOverload
	wantStatus
	wantNobody // belongs to a connection of HTTP/1.1 and makes a reply malformed: RFC 9113, 8.2.2
	wantPseudo // a pseudo-field that no reply has

	wantValue = wantLabel | wantServer | wantLength | wantGRPC | wantStatus
)

// h2wanted says of a field's name what it is wanted for. It is made once and shared by all connections.
type h2wanted struct {
	names   []hname
	what    []wanted
	indexed [len(static)]wanted
}

func newH2Wanted(p *Plan) *h2wanted {
	w := &h2wanted{}
	add := func(name string, what wanted) {
		if name == "" {
			return
		}
		w.names, w.what = append(w.names, newName(name)), append(w.what, what)
		for i := 1; i < len(static); i++ {
			if static[i].Name == name {
				w.indexed[i] |= what
			}
		}
	}
	add(p.Identify.Header(), wantLabel)
	add(p.Marks.Upstream, wantUpstream)
	add("server", wantServer)
	add("content-length", wantLength)
	add("content-encoding", wantEncoding)
	add("x-envoy-overloaded", wantOverload)
	add("x-envoy-ratelimited", wantOverload)
	add("grpc-status", wantGRPC)
	add(":status", wantStatus)
	for _, name := range []string{":authority", ":method", ":path", ":scheme"} {
		add(name, wantPseudo)
	}
	for _, name := range []string{"connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"} {
		add(name, wantNobody)
	}
	return w
}

// of is what a field is wanted for. ok is false for a name that is none: RFC 9113, 8.2.1. Coded names are not decoded to
// look for capitals in them, a choice.
func (w *h2wanted) of(f *hfield) (what wanted, ok bool) {
	if f.index > 0 {
		return w.indexed[f.index], true
	}
	for i := range w.names {
		if w.names[i].is(f.name) {
			what |= w.what[i]
		}
	}
	if f.name.coded || what != 0 {
		return what, len(f.name.octets) > 0
	}
	for _, c := range f.name.octets {
		if !tchar[c] || c >= 'A' && c <= 'Z' {
			return 0, false
		}
	}
	return 0, len(f.name.octets) > 0
}

// h2reply reads one reply: what a Parser holds of it, fed by frames instead of octets.
type h2reply struct {
	*Parser
	final bool // the final head is over
	grpc  int  // grpc-status; -1: none came
}

func (r *h2reply) begin(head bool) {
	r.Begin(head)
	r.final, r.grpc = false, noGRPCStatus
}

// noGRPCStatus is a reply without grpc-status, which is no success: the protocol makes every server send one.
const noGRPCStatus = -1

// fields reads a header block: of the head, or the trailers once the head is final. A fault of the reply is left in the
// parser, and done is true; ok is false if the block itself is broken, which is the connection's fault.
func (r *h2reply) fields(block []byte, w *h2wanted, scratch *bytes.Buffer) (done, ok bool) {
	status, regular, size, count := 0, false, 0, 0
	for {
		f, rest, more, ok := nextField(block)
		if !ok {
			return true, false
		}
		if !more {
			break
		}
		block = rest
		size += len(f.name.octets) + len(f.value.octets) + 32 // as RFC 9113, 6.5.2 counts
		if count++; count > maxFields || size > maxHead {
			r.fail(Limit, "too many fields, or too long")
			return true, true
		}
		what, ok := w.of(&f)
		pseudo := what&(wantStatus|wantPseudo) != 0
		switch {
		case !ok:
			r.fail(Malformed, "a field name")
			return true, true
		case what&wantNobody != 0:
			r.fail(Malformed, "a field that belongs to HTTP/1.1")
			return true, true
		case pseudo && (regular || r.final || what&wantPseudo != 0 || status != 0):
			r.fail(Malformed, "a pseudo-field out of place")
			return true, true
		}
		regular = regular || !pseudo
		if what == 0 || r.final && what&wantGRPC == 0 {
			continue
		}
		value := f.value.octets
		if f.whole {
			value = staticValues[f.index]
		} else if what&wantValue != 0 {
			if value, ok = f.value.text(scratch); !ok {
				return true, false
			}
			if bytes.IndexByte(value, 0) >= 0 || bytes.IndexByte(value, '\r') >= 0 || bytes.IndexByte(value, '\n') >= 0 {
				r.fail(Malformed, "a line break or a NUL in a field")
				return true, true
			}
		}
		if what&wantStatus != 0 {
			if status = threeDigits(value); status < 100 {
				r.fail(Malformed, "the status")
				return true, true
			}
			copy(r.digits[:], value)
			continue
		}
		r.note(what, value)
	}
	if r.final {
		return false, true
	}
	return r.endHead(status), true
}

// note keeps what a field says.
func (r *h2reply) note(what wanted, value []byte) {
	value = trimSpace(value)
	if what&wantLabel != 0 {
		r.keep(labelField, value)
	}
	if what&wantServer != 0 {
		r.keep(serverField, value)
	}
	if what&wantLength != 0 {
		r.keep(lengthField, value)
	}
	if what&wantGRPC != 0 {
		if n, state := parseDigits(value); len(value) > 0 && state == numberGood && n < 1<<15 {
			r.grpc = int(n)
		}
	}
	r.upstream = r.upstream || what&wantUpstream != 0
	r.encoded = r.encoded || what&wantEncoding != 0
	r.overloaded = r.overloaded || what&wantOverload != 0
}

// endHead ends a head: an interim one, after which another follows, or the final one.
func (r *h2reply) endHead(status int) (done bool) {
	r.status = status
	switch {
	case status == 0:
		r.fail(Malformed, "a head without status")
	case status == 101:
		r.fail(Malformed, "status 101 does not exist in HTTP/2") // RFC 9113, 8.6
	case status/100 == 1:
		if r.interims++; r.interims > maxInterim {
			r.fail(Limit, "too many interim replies")
			break
		}
		r.beginHead()
		return false
	default:
		r.final, r.phase = true, inBody
		r.accept()
		return false
	}
	return true
}

// end ends a complete reply, whose length must be what it announced (RFC 9113, 8.1.1).
func (r *h2reply) end() {
	if !r.final {
		r.fail(Malformed, "the stream ended before the final head")
		return
	}
	if r.have[lengthField] && !r.head && r.status != 304 {
		if length, state := parseLength(r.values[lengthField]); state != numberGood || length != r.octets {
			r.fail(Malformed, "the content-length is not the length of the content")
			return
		}
	}
	r.finish()
}

// threeDigits reads a status, 0 if it is none.
func threeDigits(s []byte) int {
	if len(s) != 3 || !isDigit(s[0]) || !isDigit(s[1]) || !isDigit(s[2]) {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}
